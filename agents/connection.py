"""Questions of connection: "How are A and B connected?", "Is there a path from A to B?".

They name two things and no relation, so a beam has nothing to choose by: the complexity of the pair says that exact search
takes over (`retrieval.complexity`). What it finds is an evidence path like any other, cited triple by triple.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..kg.model import Path
from ..retrieval.base import Budget, Seed
from ..retrieval.complexity import Complexity, complexity
from ..retrieval.exact import ExactSolver, grounded, values
from ..retrieval.linking import Link
from ..retrieval.question import Understanding
from ..retrieval.retriever import Retriever
from .compose import Draft, abstain, because, reasons_of
from .wording import join

_BOND = r"(?:(?:a|an|any|the|some) )?(?:shortest )?(?:path|connection|link|relation|relationship|chain|route|association)"
_JOINED = r"(?:connected|related|linked|associated|tied|joined)"
_WAYS = r"(?: (?:to each other|with each other|together|in any way|in some way|somehow|at all|indirectly|directly|now|today))*"
_PAIR = r"@ (?:and|to|with) @"
_BETWEEN = r"(?:between @ and @|from @ to @)"
_FORMS = (
    rf"is there {_BOND} {_BETWEEN}",
    rf"(?:how|in what way|by what path) (?:is|are|was|were) @ {_JOINED}(?: to| with) @",
    rf"(?:how|in what way|by what path) (?:is|are|was|were) {_PAIR} {_JOINED}",
    rf"(?:is|are|was|were) {_PAIR} {_JOINED}",
    rf"(?:is|are|was|were) @ {_JOINED}(?: to| with) @",
    rf"what (?:is|are|was) {_BOND}s? {_BETWEEN}",
    rf"what (?:connects|links|relates|joins|ties) {_PAIR}",
    rf"(?:show|find|give|list|trace)(?: me)? {_BOND} {_BETWEEN}",
    r"how does @ (?:connect|relate|link) to @",
    rf"how do {_PAIR} (?:connect|relate|link)",
)  # fmt: skip
_ASKS = re.compile(rf"(?:{'|'.join(_FORMS)}){_WAYS}(?: (?:in|on|as of|at|during) #)?")
_YES_NO = frozenset("is are was were".split())
_SHOWN = 3  # equally short paths shown
_CONFIDENCE = 0.95  # of an exact path; what is left is doubt about the names


@dataclass(frozen=True, slots=True)
class Connection:
    """The two things whose connection is asked for, and whether the question wants a yes or no."""

    start: Seed
    end: Seed
    yes_no: bool


def read_connection(question: Understanding, links: Sequence[Link]) -> Connection | None:
    """The two things a question of connection names, None for any other question.

    Args:
        question: the question, read.
        links: its mentions.
    """
    linked = [link for link in links if link.seeds]
    if len(links) != 2 or len(linked) != 2 or linked[0].seeds[0].row == linked[1].seeds[0].row:
        return None
    words: list[str] = []
    for token in question.tokens:
        word = token.lower if token.mention < 0 else "@" if token.mention < len(links) else "#"
        if token.mention < 0 or words[-1:] != [word]:
            words.append(word)
    if not _ASKS.fullmatch(" ".join(words)):
        return None
    return Connection(linked[0].seeds[0], linked[1].seeds[0], words[0] in _YES_NO)


def connect(retriever: Retriever, asked: Connection, question: Understanding) -> Draft:
    """The shortest paths between the two, of whatever length, as a draft; an abstention where nothing recorded joins them.

    The day is the one the question names, else today; a question in the past asks for any time.
    """
    adjacency = retriever.kg.adjacency()
    ends = values(retriever.kg, adjacency)
    for day in _days(question):
        solver = ExactSolver(adjacency, day, ends=ends)
        nearest = solver.distance(asked.start.row, asked.end.row)
        found = solver.paths(asked.start.row, asked.end.row, _SHOWN, limit=nearest) if nearest else []
        paths = [grounded(retriever.kg, walk) for walk in found]
        if paths and day == _days(question)[0]:
            return _draft(asked, paths)
        if paths:
            return abstain(f"only facts that no longer hold join {_pair(asked)}", paths=paths)
    return abstain(f"no chain of recorded facts joins {_pair(asked)}")


def pair_complexity(retriever: Retriever, asked: Connection, question: Understanding, budget: Budget) -> Complexity:
    """How far ahead a beam would have to look from the first thing to the second; counted one level beyond its budget."""
    ends = asked.start.row, asked.end.row
    return complexity(retriever.kg.adjacency(), *ends, day=_days(question)[0], limit=budget.hops + 1)


def _draft(asked: Connection, paths: Sequence[Path]) -> Draft:
    reasons = reasons_of(paths)
    hops = len(paths[0].hops)
    shown = f"{join([str(path) for path in paths])} ({hops} {'hop' if hops == 1 else 'hops'})"
    answers = ("yes",) if asked.yes_no else tuple(dict.fromkeys(str(path) for path in paths))
    confidence = _CONFIDENCE * min(asked.start.score, asked.end.score)
    return Draft(because(f"Yes: {shown}" if asked.yes_no else shown, reasons), answers, reasons, tuple(paths), confidence)


def _pair(asked: Connection) -> str:
    return f"{asked.start.node.label} and {asked.end.node.label}"


def _days(question: Understanding) -> list[int | None]:
    """Day ordinals in the order they are tried; None for any time."""
    if question.last is not None:
        return [question.last.toordinal()]
    return [None] if question.past else [date.today().toordinal(), None]


__all__ = ["Connection", "connect", "pair_complexity", "read_connection"]
