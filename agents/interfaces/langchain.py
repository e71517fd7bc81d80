"""An agent in LangChain: a retriever, a runnable, tools.

    retriever = HoptraceRetriever(agent=agent, k=5)          documents with source, offsets, score and path
    chain = as_runnable(agent) | (lambda answer: answer["text"])
    ask, path = tools(agent)                                 for a model that calls tools

The other way round, `Agent(kg, model=...)` takes any chat model of LangChain. Nothing is traced unless the user has turned
LangSmith's tracing on, and then it is LangChain that traces.

>>> import tempfile
>>> from hoptrace import Agent, KnowledgeGraph
>>> with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(folder) as kg:
...     _ = kg.add("Orla Vance", "founded", "Brightwater Labs")
...     chain = as_runnable(Agent(kg)) | (lambda answer: answer["answers"])
...     chain.invoke("Who founded Brightwater Labs?")
['Orla Vance']
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import StructuredTool, ToolException
from pydantic import ConfigDict

from ...kg.errors import HoptraceError, InputError
from ..agent import Agent
from ..steps import Answered, Step
from . import plain, render
from .commands import COMMANDS
from .found import passages
from .registry import call, schema
from .session import Session

Question = str | dict[str, Any]  # the question, or {"question": ..., "as_of": an ISO day}
Record = dict[str, Any]


class HoptraceRetriever(BaseRetriever):
    """Passages that state the paths of a question first, then the best others.

    A document's `id` is that of the chunk; its metadata are `source`, `start`, `end`, `score` and, where a path led there, `path`
    and `triples`.

    Attributes:
        agent: whose graph is searched; no answer is composed.
        k: most documents.
        as_of: the day at which facts must hold.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    agent: Agent
    k: int = 5
    as_of: date | None = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        found = passages(self.agent, query, self.k, self.as_of)
        return [Document(id=one.chunk.id, page_content=one.chunk.text, metadata=one.metadata) for one in found]


class HoptraceRunnable(Runnable[Question, Record]):
    """Question in, `Answer.to_dict()` out; streamed, the steps come first, each an object with its name under `step`.

    Args:
        agent: who answers.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def invoke(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> Record:
        return self._call_with_config(self._answer, input, config)

    async def ainvoke(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any) -> Record:
        return await self._acall_with_config(self._aanswer, input, config)

    def stream(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any | None) -> Iterator[Record]:
        yield from self._transform_stream_with_config(iter([input]), self._steps, config)

    async def astream(self, input: Question, config: RunnableConfig | None = None, **kwargs: Any | None) -> AsyncIterator[Record]:
        async def given() -> AsyncIterator[Question]:
            yield input

        async for record in self._atransform_stream_with_config(given(), self._asteps, config):
            yield record

    def _answer(self, given: Question) -> Record:
        question, how = _asked(given)
        return self.agent.ask(question, **how).to_dict()

    async def _aanswer(self, given: Question) -> Record:
        question, how = _asked(given)
        return (await self.agent.aask(question, **how)).to_dict()

    def _steps(self, inputs: Iterator[Question]) -> Iterator[Record]:
        for given in inputs:
            question, how = _asked(given)
            for step in self.agent.stream(question, **how):
                yield _record(step, question)

    async def _asteps(self, inputs: AsyncIterator[Question]) -> AsyncIterator[Record]:
        async for given in inputs:
            question, how = _asked(given)
            async for step in self.agent.astream(question, **how):
                yield _record(step, question)


def as_runnable(agent: Agent) -> HoptraceRunnable:
    """The agent as a link of a chain."""
    return HoptraceRunnable(agent)


def tools(agent: Agent, *names: str, allow_writes: bool = False) -> list[StructuredTool]:
    """Commands as tools for a model: `ask` and `path`, or those named, each with the arguments of the registry.

    A tool says what the command prints, and hands over its result as the artifact. An error is what the tool says.

    Args:
        agent: where the commands run.
        names: commands, e.g. "ask", "path", "search", "entity", "why".
        allow_writes: commands that change the graph may be among them.

    Raises:
        InputError: there is no such command, or it is not for programs.
    """
    session = Session(agent.kg.path, agent=agent)
    return [_tool(session, name, allow_writes) for name in names or ("ask", "path")]


def _tool(session: Session, name: str, allow_writes: bool) -> StructuredTool:
    command = COMMANDS.get(name)
    if command is None or command.local:
        offered = ", ".join(known for known, one in COMMANDS.items() if not one.local)
        raise InputError(f"{name} is no tool; there are {offered}")
    if command.writes and not allow_writes:
        raise InputError(f"{name} changes the graph; allow_writes=True offers it")

    def run(**given: Any) -> tuple[str, Record]:
        try:
            result = call(session, name, given)
        except HoptraceError as error:
            raise ToolException(render.one_line(error)) from None
        return render.told(result.show), result.to_dict()

    return StructuredTool(
        name=name,
        description=command.help,
        args_schema=schema(command),
        func=run,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _asked(given: Question) -> tuple[str, Any]:
    if isinstance(given, str):
        return given, {}
    strange = set(given) - {"question", "as_of"}
    if strange or not isinstance(given.get("question"), str):
        raise InputError(f"a question is a text, or an object with question and as_of, not one with {', '.join(map(str, given))}")
    return given["question"], {"as_of": given.get("as_of")}


def _record(step: Step, question: str) -> Record:
    return step.answer.to_dict() if isinstance(step, Answered) else plain.step(step, question)


__all__ = ["HoptraceRetriever", "HoptraceRunnable", "as_runnable", "tools"]
