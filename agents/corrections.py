"""What people taught and corrected, kept as questions with known answers: a graph that was corrected once is asked again.

    remember(kg, kg.add("Orla Vance", "founded", "Brightwater Labs"))
    evaluate(agent, questions(kg))

Each item is a line of `corrections.jsonl` in the graph's folder. It names the source of the statement, so that forgetting the
statement takes the line away; an item whose fact was withdrawn or undone is passed over.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ..kg.errors import InputError
from ..kg.model import Node, Triple
from ..kg.private import write_private
from ..retrieval.phrases import Phraser
from ..retrieval.wordings import lexicon
from .evaluate import Question

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

FILE = "corrections.jsonl"


@dataclass(frozen=True, slots=True)
class Correction:
    """One item: the fact, and the question it answers where a person gave one ("" otherwise)."""

    triple: str
    source: str
    question: str = ""


def remember(kg: KnowledgeGraph, triple: Triple, question: str = "") -> Correction:
    """Keep a taught or corrected fact as an item, in place of an older one about the same fact."""
    source = next((span.source_id for span in triple.spans if span.extractor == "human"), "")
    item = Correction(triple.id, kg.store.source(source).uri if source else "", " ".join(question.split()))
    kept = [one for one in _read(kg) if one.triple != item.triple]
    path = kg.path / FILE
    write_private(path, "".join(json.dumps(asdict(one)) + "\n" for one in [*kept, item]))
    return item


def corrections(kg: KnowledgeGraph) -> list[tuple[Correction, Triple]]:
    """The items whose facts stand, oldest first."""
    found = []
    for item in _read(kg):
        try:
            triple = kg.triple(item.triple)
        except InputError:
            continue  # forgotten
        standing = kg.store.triples(triple.subject.id, triple.relation.id, triple.object.id, evidence_only=True)
        if any(one.id == triple.id for one in standing):
            found.append((item, triple))
    return found


def questions(kg: KnowledgeGraph) -> list[Question]:
    """The items as questions. What a person asked is answered by the fact; otherwise right is what the graph states now: all
    objects of the fact's subject and relation."""
    found = []
    for item, triple in corrections(kg):
        answers: tuple[str, ...] = (goal(triple, item.question).label,)
        if not item.question:
            same = kg.store.triples(triple.subject.id, triple.relation.id, evidence_only=True)
            holding = [one.object.label for one in same if one.valid_to is None or triple.valid_to is not None]
            answers = tuple(dict.fromkeys(holding)) or answers
        kind = "list" if len(answers) > 1 else "lookup"
        found.append(Question(item.triple, item.question or asked(triple), answers, kind, 1))
    return found


def goal(triple: Triple, question: str) -> Node:
    """The end of a fact that a question asks for: the subject where only the object is named, else the object."""
    text = question.lower()
    backwards = triple.object.label.lower() in text and triple.subject.label.lower() not in text
    return triple.subject if backwards else triple.object


def asked(triple: Triple) -> str:
    """A question for the object of a fact, the same one every time."""
    family, flip = lexicon().family(triple.relation.label)
    said = Phraser(random.Random(triple.id)).asked((family, flip), triple.subject.label)
    if said is None:
        return f"What is the {triple.relation.label} of {triple.subject.label}?"
    text = f"{said[0].rstrip('? ')}?"
    return text if text.startswith(triple.subject.label) else text[0].upper() + text[1:]


def _read(kg: KnowledgeGraph) -> list[Correction]:
    path = kg.path / FILE
    found = []
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            found.append(Correction(**json.loads(line)))
        except (ValueError, TypeError):
            continue  # cut by a full disk or a kill
    return found


__all__ = ["FILE", "Correction", "asked", "corrections", "goal", "questions", "remember"]
