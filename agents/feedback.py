"""What people said of answers: labelled questions that the gate is calibrated on.

    keep(kg, question="Who ran it?", said=["Orla Vance"], good=False, right=["Piet Aalders"])
    load_questions(kg.path / FILE)          # as `hoptrace train gate --asked` does

Each judgement is a line of `feedback.jsonl` in the graph's folder, one for a question and a day: a later one replaces it. It
names the sources that the answer cited, so that forgetting one of them takes the line away. A bad answer without the right one
is kept, and `load_questions` passes it over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..kg.model import stable_id
from ..kg.private import write_private

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

FILE = "feedback.jsonl"


def keep(
    kg: KnowledgeGraph,
    *,
    question: str,
    said: Sequence[str],
    good: bool,
    right: Sequence[str] | None = None,
    as_of: str | None = None,
    sources: Sequence[str] = (),
) -> dict[str, Any]:
    """Keep a judgement of an answer; returns the line.

    Args:
        kg: the graph that was asked.
        question: as it was asked.
        said: the answers given, none for an abstention.
        good: whether they are right.
        right: what is right where they are not; [] where the graph cannot know, None where that is not said.
        as_of: the day it was asked for.
        sources: what the answer cites.
    """
    answers = list(said) if good else right if right is None else list(right)
    kind = "list" if answers and len(answers) > 1 else "lookup"
    row = {
        "id": stable_id("q", question, as_of or "")[1:],
        "question": question,
        "answers": answers,
        "type": kind,
        "as_of": as_of,
        "verdict": "good" if good else "bad",
        "said": list(said),
        "sources": sorted(set(sources)),
    }
    path = kg.path / FILE
    kept = [
        line for line in (path.read_text("utf-8").splitlines() if path.is_file() else []) if f'"id": "{row["id"]}"' not in line
    ]
    write_private(path, "".join(f"{line}\n" for line in [*kept, json.dumps(row)]))
    return row


__all__ = ["FILE", "keep"]
