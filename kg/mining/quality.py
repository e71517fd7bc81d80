"""Quality of questions with known answers: what is wrong with one, decided from the graph alone.

The criteria follow the quality control of FinReflectKG-MultiHop, without a judge: the path is walked again (over the
adjacency, not over the matrices it was mined with), and what a reader could do without it, or despite it, is tried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..adjacency import Adjacency, Expansion, Groups
from ..errors import HoptraceError
from ..model import Entity, normalize, text_hash

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph

_LONGEST_NAME = 6  # words of a second name that is looked for
_WORDS, _WORDS_PER_HOP = 10, 14  # most words beside the name
_LEFT_OVER = re.compile(r"[{}|_<>\N{WHITE SQUARE}]|https?:")
_DOUBLED = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
_SMALL = frozenset(
    "a all also an and are as at be by did do does for from give had has have he her his i in into is it its list me name of on "
    "or other same she show tell that the their them they this to was were what when where which who whom whose why with".split()
)
_REMEMBERED = 200_000  # pieces of questions of which is known what they name
_WORD = re.compile(r"[\w&+#'.-]*\w")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the path that it asks for, and its answers.

    Attributes:
        text: the question; the seed's name stands at `text[start:end]`.
        seed: node row where the path starts.
        steps: step codes of the hops.
        answers: node rows at the end of the path.
        day: day ordinal that it asks about; None for any.
    """

    text: str
    start: int
    end: int
    seed: int
    steps: tuple[int, ...]
    answers: tuple[int, ...]
    day: int | None = None


class QualityGate:
    """Finds faults of questions about one graph, as it stands when the gate is made.

    Args:
        kg: the graph.
        codes: int [2 * relations], the step code of each group key, as for `PatternMiner`.
        most_answers: by number of hops, the last for longer paths.
        shorter: whether to try all shorter paths.
        spans: whether to read again what the facts of the path quote.
    """

    def __init__(
        self,
        kg: KnowledgeGraph,
        codes: np.ndarray,
        *,
        most_answers: Sequence[int] = (5,),
        shorter: bool = True,
        spans: bool = True,
    ) -> None:
        self._store, self._codes, self._most, self._shorter, self._spans = kg.store, codes, tuple(most_answers), shorter, spans
        self._adjacency: Adjacency = kg.adjacency()
        self._named = lru_cache(maxsize=_REMEMBERED)(self._store.alias_rows)
        self._labels: dict[int, str] = {}  # normalised, by node row

    def fault(self, question: Question) -> str:
        """What is wrong with a question, "" when nothing is."""
        return (
            self._wording(question)
            or self._answers(question)
            or self._naming(question)
            or self._walked(question)
            or self._needed(question)
            or (self._shortcut(question) if self._shorter else "")
            or (self._quotes(question) if self._spans else "")
        )

    def _wording(self, question: Question) -> str:
        before, after = question.text[: question.start], question.text[question.end :]
        words = len(_WORD.findall(before)) + len(_WORD.findall(after))
        if not 1 <= words <= _WORDS + _WORDS_PER_HOP * len(question.steps):
            return "too few or too many words beside the name"
        rest = f"{before} , {after}"
        if _LEFT_OVER.search(rest) or _DOUBLED.search(rest) or not rest.isprintable():
            return "the wording is not a sentence's"
        return ""

    def _naming(self, question: Question) -> str:
        """The seed's name means the seed alone, and nothing else is named."""
        named = self._named(normalize(question.text[question.start : question.end]))
        if question.seed not in named:
            return "it does not name its seed"
        if len(named) > 1 and len(self._entities(named)) > 1:
            return "the name of its seed is that of several things"
        before, after = question.text[: question.start], question.text[question.end :]
        first, _, rest = before.partition(" ")
        if self._names_another(f"{first.lower()} {rest}") or self._names_another(after):
            return "it names something else as well"
        return ""

    def _names_another(self, piece: str) -> bool:
        """Whether a piece of a question names an entity: with a capital, or in small letters by two words that carry meaning.

        A film called "The Book" is not what "the book" means.
        """
        words = _WORD.findall(piece)
        proper = [word[0].isupper() for word in words]
        telling = [a or word.lower() not in _SMALL for a, word in zip(proper, words, strict=True)]
        for i in (i for i, one in enumerate(telling) if one):
            for end in range(i + 1, min(i + _LONGEST_NAME, len(words)) + 1):
                said = telling[end - 1] and (any(proper[i:end]) or sum(telling[i:end]) > 1)
                if said and self._entities(self._named(normalize(" ".join(words[i:end]).removesuffix("'s")))):
                    return True
        return False

    def _entities(self, rows: Sequence[int]) -> list[int]:
        nodes = self._store.nodes(rows) if rows else []
        return [row for row, node in zip(rows, nodes, strict=True) if isinstance(node, Entity)]

    def _answers(self, question: Question) -> str:
        if not question.answers:
            return "it has no answer"
        most = self._most[min(len(question.steps), len(self._most)) - 1]
        if len(question.answers) > most:
            return f"more than {most} answers"
        if unread := [row for row in question.answers if row not in self._labels]:
            self._labels |= {row: normalize(node.label) for row, node in zip(unread, self._store.nodes(unread), strict=True)}
        text = f" {normalize(question.text)} "
        if any(f" {self._labels[row]} " in text for row in question.answers):
            return "an answer is printed in it"
        return ""

    def _walked(self, question: Question) -> str:
        found = self._reached(question.seed, question.steps, question.day)
        if _same(found, question.answers):
            return ""
        if question.day is not None and _same(self._reached(question.seed, question.steps, None), question.answers):
            return "a hop does not hold on the day asked for"
        return "its path leads elsewhere" if len(found) else "its path leads nowhere"

    def _needed(self, question: Question) -> str:
        """No hops can be left out: what remains of the path leads elsewhere."""
        shorter = (s for length in range(1, len(question.steps)) for s in combinations(question.steps, length))
        for steps in dict.fromkeys(shorter):
            if _same(self._reached(question.seed, steps, question.day), question.answers):
                return "a hop can be left out"
        return ""

    def _shortcut(self, question: Question) -> str:
        """No path of fewer hops leads to the same answers; only those are tried that lead to one of them."""
        near = [np.array(question.answers[:1])]  # by hop of a shorter path, the nodes from which it may still end there
        for _ in question.steps[1:]:
            if self._leads(question, (), np.array([question.seed]), near):
                return "a shorter path leads to its answers"
            near = [self._adjacency.expand(near[0], day=question.day)[1].neighbor, *near]
        return ""

    def _leads(self, question: Question, steps: tuple[int, ...], nodes: np.ndarray, near: list[np.ndarray]) -> bool:
        if not near:
            return _same(self._reached(question.seed, steps, question.day), question.answers)
        groups, edges = self._adjacency.expand(nodes, day=question.day)
        code = self._code(groups)[edges.group]
        useful = np.isin(edges.neighbor, near[0]) & (code >= 0)
        return any(
            self._leads(question, (*steps, one), np.unique(edges.neighbor[useful & (code == one)]), near[1:])
            for one in np.unique(code[useful]).tolist()
        )

    def _quotes(self, question: Question) -> str:
        """The quotes of all facts on the way to an answer are what their sources still say."""
        try:
            for triple in self._store.triples_at(self._facts(question)):
                for span in triple.spans:
                    sound = self._store.text(span.source_id, span.start, span.end) == span.quote
                    chunk = self._store.chunk(span.chunk_id)
                    if not sound or text_hash(chunk.text) != chunk.sha256:
                        return "a quote is not what its source says"
        except HoptraceError:
            return "a quote is not what its source says"
        return ""

    def _facts(self, question: Question) -> np.ndarray:
        """Triple rows on the walks from the seed to an answer, int64."""
        walked: list[tuple[np.ndarray, Expansion]] = []
        nodes, found = np.array([question.seed]), [np.zeros(0, np.int64)]
        for step in question.steps:
            groups, edges = self._taken(nodes, step, question.day)
            walked.append((nodes[groups.origin[edges.group]], edges))
            nodes = np.unique(edges.neighbor)
        ends = np.array(question.answers)
        for start, edges in reversed(walked):
            leads = np.isin(edges.neighbor, ends)
            found.append(edges.triple[leads])
            ends = start[leads]
        return np.unique(np.concatenate(found))

    def _reached(self, seed: int, steps: Sequence[int], day: int | None) -> np.ndarray:
        """Nodes at the end of the steps, sorted; the seed itself is left out."""
        nodes = np.array([seed])
        for step in steps:
            if not len(nodes):
                break
            nodes = np.unique(self._taken(nodes, step, day)[1].neighbor)
        others: np.ndarray = nodes[nodes != seed]
        return others

    def _taken(self, nodes: np.ndarray, step: int, day: int | None) -> tuple[Groups, Expansion]:
        groups = self._adjacency.groups(nodes, day)
        groups = groups.take(self._code(groups) == step)
        return groups, self._adjacency.edges(groups, day=day)

    def _code(self, groups: Groups) -> np.ndarray:
        code: np.ndarray = self._codes[2 * groups.relation.astype(np.int64) + (groups.direction < 0)]
        return code


def _same(found: np.ndarray, answers: Sequence[int]) -> bool:
    return bool(found.tolist() == sorted(answers))


__all__ = ["QualityGate", "Question"]
