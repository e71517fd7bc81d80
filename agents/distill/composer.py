"""The student of a graph as a composer: it reads the facts that the search has found, and may answer where paths alone do not.

What it says is an answer only while it points into those facts, so every claim has its spans and is verified like any other.
Where the path composer has an answer, that stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...kg.model import Hop, Path, Triple
from ...retrieval.base import Evidence
from ..answer import Usage
from ..compose import Draft, because, reasons_of
from ..student import Item, Mention, Task
from ..wording import join
from .facts import Fact
from .score import Policy, Said, decide
from .students import Reader
from .trained import GraphStudent


class StudentComposer:
    """Composes from the facts found.

    Args:
        student: of the graph.
    """

    name = "student"

    def __init__(self, student: GraphStudent) -> None:
        self.student = student

    def compose(self, question: str, evidence: Evidence, fallback: Draft) -> tuple[Draft, Usage]:
        """A draft read by the student where `fallback` is none, else `fallback`."""
        found = self.student.get() if fallback.status == "abstained" else None
        triples = list({hop.triple.id: hop.triple for path in evidence.paths for hop in path.hops}.values())
        if found is None or not triples:
            return fallback, Usage()
        draft = self._read(*found, question, triples, evidence.paths)
        return draft or fallback, Usage()

    def _read(
        self, reader: Reader, policy: Policy, question: str, triples: Sequence[Triple], paths: Sequence[Path]
    ) -> Draft | None:
        task = task_of(question, triples)
        reading = reader.read(task)
        said = decide(reading, task, policy)
        if not said.answers:
            return None
        used = _used(said)
        reasons = reasons_of([Path((Hop(triples[i]),)) for i in used])
        walked = tuple(path for path in paths if any(hop.triple.id == triples[i].id for hop in path.hops for i in used))
        text = because(join(list(said.answers)), reasons)
        return Draft(text, said.answers, reasons, walked, 1 - reading.absent, composer=self.name)


def task_of(question: str, triples: Sequence[Triple]) -> Task:
    """What a student reads: the facts in the order found, and the question with the names of the facts marked in it."""
    rows: dict[str, int] = {}
    number: dict[int, int] = {}
    items: list[Item] = []
    names: dict[str, int] = {}
    for triple in triples:
        ends = [rows.setdefault(node.id, len(rows)) for node in (triple.subject, triple.object)]
        items.append(Fact(triple, ends[0], ends[1], -1, -1).item(number))
        names |= {node.label.lower(): number[end] for node, end in zip((triple.subject, triple.object), ends, strict=True)}
    return Task(question, _mentions(question, names), tuple(items))


def _mentions(question: str, names: dict[str, int]) -> tuple[Mention, ...]:
    """Names in a question, the longest first, none over another."""
    text, found = question.lower(), list[Mention]()
    for name in sorted(names, key=lambda name: (-len(name), name)):
        start = text.find(name)
        end = start + len(name)
        if start >= 0 and not any(one.start < end and start < one.end for one in found):
            found.append(Mention(start, end, names[name]))
    return tuple(sorted(found))


def _used(said: Said) -> tuple[int, ...]:
    return tuple(dict.fromkeys([*said.steps, *(spot.item for spot in said.spots)]))


__all__ = ["StudentComposer", "task_of"]
