"""Teachers: each says how a task is answered, as a chain of numbered facts. Nobody is believed: `fault` executes each again.

The oracle reads the executed path and is always right; a chat model or a file of people's chains may be wrong, and what is wrong
is left out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...kg.errors import MissingPathError, ParseError
from ...kg.model import normalize
from ...prompts import render
from ..student import OPERATIONS, Target
from .evidence import Example
from .facts import execute, said

_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Chain:
    """What a teacher says of a task: the operation, the facts used (from 0, in order), the answers in words."""

    operation: str
    steps: tuple[int, ...]
    answers: tuple[str, ...]


class Teacher(Protocol):
    """Gives chains for a task, none where it has nothing to say."""

    name: str

    def teach(self, example: Example) -> Sequence[Chain]: ...


class OracleTeacher:
    """The executed path."""

    name = "oracle"

    def teach(self, example: Example) -> Sequence[Chain]:
        return [Chain(example.query.operation, example.gold.steps, example.answers)]


class ChatTeacher:
    """A chat model that sees the question and the numbered facts.

    Args:
        model: a langchain-core `BaseChatModel` (anything with `invoke(messages)`).
        samples: chains asked for each task.
    """

    def __init__(self, model: Any, samples: int = 1) -> None:
        self.model, self.samples = model, samples
        self.name = str(getattr(model, "model_name", "") or getattr(model, "model", "") or type(model).__name__)

    def teach(self, example: Example) -> Sequence[Chain]:
        found = (self._one(example) for _ in range(self.samples))
        return [chain for chain in found if chain is not None]

    def _one(self, example: Example) -> Chain | None:
        feedback = ""
        for _ in range(1 + _RETRIES):
            values = {"question": example.task.question, "evidence": numbered(example), "fence": secrets.token_hex(8)}
            system, user = render("teach", feedback=feedback, **values).split("\n---\n", 1)
            try:
                reply = self.model.invoke([("system", system), ("human", user)]).content
            except Exception:  # a provider may raise anything; the task is left out and the next one tried
                return None
            chain = parse_chain(reply)
            if isinstance(chain, Chain):
                return chain
            feedback = f"Your last reply was not valid: {chain}. Reply with the JSON only."
        return None


class FileTeacher:
    """Chains that people wrote: JSON lines `{"id": task, "operation": ..., "steps": [1, 2], "answers": [...]}`.

    Raises:
        MissingPathError: there is no such file.
        ParseError: a line is not of that form.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._chains: dict[str, list[Chain]] = {}
        if not path.is_file():
            raise MissingPathError(f"no such file: {path}")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            chain = parse_chain(line)
            if isinstance(chain, str):
                raise ParseError(chain, uri=str(path), line=number)
            value = parse_object(line)
            name = value.get("id") if isinstance(value, dict) else None
            if not isinstance(name, str):
                raise ParseError("it names no task (id)", uri=str(path), line=number)
            self._chains.setdefault(name, []).append(chain)

    def teach(self, example: Example) -> Sequence[Chain]:
        return self._chains.get(example.id, [])


def numbered(example: Example) -> str:
    """The evidence as people and chat models see it, numbered from 1."""
    return "\n".join(f"[{i}] {item.text}" for i, item in enumerate(example.task.items, 1))


def parse_object(content: Any) -> dict[str, Any] | str:
    """The JSON object in a reply, or what is wrong with it."""
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content if isinstance(part, dict))
    try:
        value = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    return value if isinstance(value, dict) else "not a JSON object"


def parse_chain(content: Any) -> Chain | str:
    """A chain from JSON with facts numbered from 1, or what is wrong with it."""
    value = parse_object(content)
    if isinstance(value, str):
        return value
    if value.get("operation") not in OPERATIONS:
        return f"operation must be one of {', '.join(OPERATIONS)}"
    steps, answers = value.get("steps", []), value.get("answers", [])
    if not isinstance(steps, list) or not all(isinstance(i, int) and not isinstance(i, bool) and i > 0 for i in steps):
        return "steps must be a list of the numbers of facts"
    if not isinstance(answers, list) or not all(isinstance(answer, str | int) for answer in answers):
        return "answers must be a list of strings"
    return Chain(value["operation"], tuple(i - 1 for i in steps), tuple(map(str, answers)))


def fault(example: Example, chain: Chain) -> str:
    """What is wrong with a chain, "" when nothing is: its facts alone must lead, in this order, to what all facts come to."""
    facts, query = example.facts, example.query
    if chain.operation != query.operation and {chain.operation, query.operation} != {"lookup", "list"}:
        return "another operation is asked for"
    if not all(step < len(facts) for step in chain.steps) or len({*chain.steps}) < len(chain.steps):
        return "a step is no fact of the evidence, or is named twice"
    if not example.answers:
        return "the evidence does not hold an answer" if chain.answers or chain.steps else ""
    given = sorted(map(normalize, chain.answers))
    if given != sorted(map(normalize, example.answers)):
        return "the answer is another" if given else "the evidence holds an answer"
    some = [facts[step] for step in chain.steps]
    if said(query, execute(query, some), some) != example.answers:
        return "its steps do not lead to the answer"
    reached = {*query.seeds}
    for fact in some:
        if not reached & {fact.subject, fact.object}:
            return "a step joins nothing before it"
        reached |= {fact.subject, fact.object}
    return ""


def target(example: Example, chain: Chain) -> Target:
    """What a student learns from a chain that has no fault."""
    spots = tuple(spot for spot in example.gold.spots if spot.item in chain.steps)
    return Target(example.query.operation, chain.steps, spots)


__all__ = ["Chain", "ChatTeacher", "FileTeacher", "OracleTeacher", "Teacher", "fault", "numbered", "parse_chain", "target"]
