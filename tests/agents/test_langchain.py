"""An agent in LangChain: documents, chains and tools; and no connection to anywhere."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.interfaces.langchain import HoptraceRetriever, as_runnable, tools
from hoptrace.agents.interfaces.registry import COMMANDS, call, schema
from hoptrace.agents.interfaces.session import Session
from hoptrace.kg.errors import InputError
from hoptrace.kg.graph import KnowledgeGraph
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import create_retriever_tool

QUESTION = "Who leads the company that supplies hull coatings to Brightwater Labs?"
LEADER = "Ravn Ekholm"


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every attempt to connect, refused; a test must leave none."""
    tried: list[Any] = []

    def refuse(self: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError(address)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield tried
    assert not tried


def test_documents_say_where_they_stand(agent: Agent) -> None:
    documents = HoptraceRetriever(agent=agent).invoke(QUESTION)
    assert documents
    first, chunk = documents[0], agent.kg.store.chunk(str(documents[0].id))
    assert first.page_content == chunk.text
    assert (first.metadata["source"], first.metadata["start"], first.metadata["end"]) == ("facts.txt", chunk.start, chunk.end)
    assert LEADER in first.metadata["path"]
    assert [agent.kg.store.triple(triple).id for triple in first.metadata["triples"]] == first.metadata["triples"]
    assert json.dumps(first.metadata)
    assert len({document.id for document in documents}) == len(documents)


def test_passages_follow_where_no_path_leads(session: Session) -> None:
    refused = HoptraceRetriever(agent=session.agent, k=2).invoke("Who is the mayor of Atlantis?")
    assert refused
    assert all("path" not in document.metadata for document in refused)
    several = HoptraceRetriever(agent=session.agent, k=9).invoke("Where is Brightwater Labs headquartered?")
    assert ["path" in document.metadata for document in several] == [True, False]  # two chunks in all
    assert HoptraceRetriever(agent=session.agent, k=0).invoke("Where is Brightwater Labs headquartered?") == []


def test_documents_hold_on_the_day(agent: Agent) -> None:
    for day, name in ((date(2015, 1, 1), "Orla Vance"), (date(2023, 1, 1), "Piet Aalders")):
        first = HoptraceRetriever(agent=agent, as_of=day).invoke("Who is chief executive of Brightwater Labs?")[0]
        assert name in first.metadata["path"]


def test_a_retriever_does_what_retrievers_do(agent: Agent) -> None:
    retriever = HoptraceRetriever(agent=agent, k=3)
    expected = [document.id for document in retriever.invoke(QUESTION)]
    assert [[d.id for d in documents] for documents in retriever.batch([QUESTION, QUESTION])] == [expected, expected]
    assert [document.id for document in asyncio.run(retriever.ainvoke(QUESTION))] == expected
    chain = retriever | RunnableLambda(lambda documents: [document.id for document in documents])
    assert chain.invoke(QUESTION) == expected
    tool = create_retriever_tool(retriever, "documents", "Searches the documents.")
    assert "Tidewell Paints" in tool.invoke({"query": QUESTION})


def test_a_runnable_answers(agent: Agent) -> None:
    runnable = as_runnable(agent)
    assert runnable.invoke(QUESTION)["answers"] == [LEADER]
    both = runnable.batch([QUESTION, {"question": "Who is chief executive of Brightwater Labs?", "as_of": "2015-01-01"}])
    assert [answer["answers"] for answer in both] == [[LEADER], ["Orla Vance"]]
    assert asyncio.run(runnable.ainvoke(QUESTION))["citations"][0]["verified"]
    assert [answer["answers"] for answer in asyncio.run(runnable.abatch([QUESTION]))] == [[LEADER]]


def test_steps_stream_and_the_last_is_the_answer(agent: Agent) -> None:
    async def steps() -> list[Any]:
        return [step async for step in as_runnable(agent).astream(QUESTION)]

    for streamed in (list(as_runnable(agent).stream(QUESTION)), asyncio.run(steps())):
        assert [step["step"] for step in streamed[:-1]] == [
            *("linked", "understood", "gated", "retrieved", "composed", "verified")
        ]
        assert streamed[-1]["answers"] == [LEADER]


def test_a_chain_gives_the_same_streamed(agent: Agent) -> None:
    chain = as_runnable(agent) | RunnableLambda(lambda answer: answer["text"])
    text = agent.ask(QUESTION).text

    async def streamed() -> list[Any]:
        return [part async for part in chain.astream(QUESTION)]

    assert chain.invoke(QUESTION) == text
    assert list(chain.stream(QUESTION)) == asyncio.run(streamed()) == [text]
    assert (RunnableLambda(lambda name: f"Who leads {name}?") | as_runnable(agent)).invoke("Calder Pumps")["answers"]


@pytest.mark.parametrize("given", ["", {"text": QUESTION}, {"question": QUESTION, "asof": "2020-01-01"}, {"question": 3}])
def test_what_is_no_question_is_refused(agent: Agent, given: Any) -> None:
    with pytest.raises(InputError):
        as_runnable(agent).invoke(given)


def test_tools_have_the_arguments_and_results_of_commands(session: Session) -> None:
    made = {tool.name: tool for tool in tools(session.agent, "ask", "path", "entity", "search")}
    for name, tool in made.items():
        assert tool.args_schema == schema(COMMANDS[name])
        assert tool.description == COMMANDS[name].help
    given = {"start": "Orla Vance", "end": "Norland"}
    asked = {"type": "tool_call", "id": "1", "name": "path", "args": given}
    message = made["path"].invoke(asked)
    assert isinstance(message, ToolMessage)
    assert message.artifact == call(session, "path", given).to_dict()
    assert "Tarn City" in made["path"].invoke(given)
    assert "Tarn City [1]" in asyncio.run(made["ask"].ainvoke({"question": "Where is Brightwater Labs headquartered?"}))
    assert made["entity"].invoke({"name": "Nobody Known"}) == "no entity 'Nobody Known'"
    assert [tool.name for tool in tools(session.agent)] == ["ask", "path"]


def test_tools_that_write_are_asked_for(session: Session) -> None:
    with pytest.raises(InputError, match="allow_writes"):
        tools(session.agent, "teach")
    for name in ("ingest", "nothing"):
        with pytest.raises(InputError, match="is no tool; there are ask"):
            tools(session.agent, name)
    (teach,) = tools(session.agent, "teach", allow_writes=True)
    assert "taught" in teach.invoke({"subject": "Piet Aalders", "relation": "born in", "object": "Skerry"})


def test_llamaindex_asks_over_the_same_passages(harbour: KnowledgeGraph, agent: Agent) -> None:
    pytest.importorskip("llama_index.core")
    from hoptrace.agents.interfaces.llamaindex import HoptraceRetriever as Nodes
    from llama_index.core.llms import MockLLM
    from llama_index.core.query_engine import RetrieverQueryEngine

    nodes, documents = Nodes(agent, k=3).retrieve(QUESTION), HoptraceRetriever(agent=agent, k=3).invoke(QUESTION)
    assert [(n.node.node_id, n.text, n.node.metadata, n.score) for n in nodes] == [
        (d.id, d.page_content, d.metadata, d.metadata["score"]) for d in documents
    ]
    said = RetrieverQueryEngine.from_args(Nodes(agent, k=3), llm=MockLLM()).query(QUESTION)
    assert [n.node.node_id for n in said.source_nodes] == [d.id for d in documents]
    assert documents[0].page_content.strip() in str(said)
    assert [n.node.node_id for n in asyncio.run(Nodes(agent, k=3).aretrieve(QUESTION))] == [d.id for d in documents]
