"""The path composer: answers and their reasons from paths alone, no model needed.

A `Draft` is what any composer makes: a sentence, bare answers, and claims that each rest on spans. Nothing in it is
believed until `verify` has re-read the spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..kg.model import Hop, Literal, Path, Span
from ..retrieval.linking import Link
from ..retrieval.question import Understanding
from ..retrieval.retriever import Found, Grounded, Resolved, Retriever
from ..retrieval.types import NodeTypes
from ..retrieval.wordings import lexicon
from .answer import AnswerStatus
from .values import Value, value_of
from .wording import as_said, join, sentence

ANSWER_AT = 0.5  # confidence below which the composer abstains
SAME = 0.97  # share of the best score up to which another candidate says the same thing
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Reason:
    """A claim and the spans it rests on."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before verification. `missing` says what would have been needed, when abstaining."""

    text: str
    answers: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    paths: tuple[Path, ...] = ()
    confidence: float = 0.0
    status: AnswerStatus = "answered"
    missing: str = ""
    notes: tuple[str, ...] = ()
    composer: str = "path"


def _noted(draft: Draft, best: Resolved) -> Draft:
    """The draft with what is not recorded along its path, in its words as well."""
    return replace(draft, text=draft.text + noted(best.gaps), notes=best.gaps)


def noted(gaps: Sequence[str]) -> str:
    """What may be missing, as a sentence after an answer; "" where nothing is known to be."""
    return f" May be incomplete: {'; '.join(gaps)}." if gaps else ""


def abstain(missing: str, confidence: float = 0.0, paths: Sequence[Path] = ()) -> Draft:
    """An honest "I don't know" with what is missing."""
    return Draft(f"I don't know: {missing}.", (), (), tuple(paths), confidence, "abstained", missing)


class PathComposer:
    """Realises answers from resolved candidates, one method per operation.

    Args:
        retriever: reads triples and spans.
    """

    name = "path"

    def __init__(self, retriever: Retriever) -> None:
        self.retriever = retriever

    def compose(self, question: Understanding, links: Sequence[Link], found: Found) -> Draft:
        """The draft for what was found."""
        if question.operation == "compare":
            return self._compare(question, links, found)
        if question.operation == "superlative":
            return self._superlative(question, found)
        if question.operation == "yes-no":
            return self._yes_no(question, links, found)
        return self._select(question, links, self.retriever.resolve(found.candidates, question))

    # ---- lookup, list, count

    def _select(self, question: Understanding, links: Sequence[Link], resolved: list[Resolved]) -> Draft:
        if not resolved:
            return abstain(self._nothing(question, links))
        best = resolved[0]
        chosen = list(best.answers)
        if question.operation in {"list", "count"}:
            chosen = _merged([r for r in resolved if r.score >= SAME * best.score and r.missing == best.missing])
        confidence = _confidence(resolved, chosen, question)
        if confidence < ANSWER_AT:
            return abstain(self._unexplained(best, question, links), confidence, chosen[0].paths)
        if question.operation == "count":
            return _noted(self._count(question, chosen, confidence), best)
        labels = _unique([self._label(g, question) for g in chosen])
        reasons = reasons_of([path for g in chosen[:_SHOWN] for path in g.paths])
        text = f"{join(labels[:_SHOWN])}{f' and {len(labels) - _SHOWN} more' if len(labels) > _SHOWN else ''}"
        if len(labels) > 1 and question.operation == "lookup" and best.answers[0].paths[-1].hops[-1].triple.status == "disputed":
            text += " (sources disagree)"
        paths = tuple(path for g in chosen[:_SHOWN] for path in g.paths)
        return _noted(Draft(because(text, reasons), labels, reasons, paths, confidence), best)

    def _label(self, grounded: Grounded, question: Understanding) -> str:
        """The answer's words; when a day is asked for and the path ends at a thing, the day of its last fact."""
        triple = grounded.paths[-1].hops[-1].triple
        stated = value_of(grounded.node, "date")
        if isinstance(grounded.node, Literal) and grounded.node.datatype == "date" and stated and stated.day:
            return as_said(triple, stated.day)
        if question.answer_type != "date" or stated is not None:
            return grounded.node.label
        until = "until" in question.text.lower()
        when = triple.valid_to - timedelta(days=1) if until and triple.valid_to else triple.valid_from
        if when is None:
            return grounded.node.label
        return as_said(triple, when)

    def _count(self, question: Understanding, chosen: list[Grounded], confidence: float) -> Draft:
        reasons = reasons_of([path for g in chosen for path in g.paths])
        paths = tuple(path for g in chosen for path in g.paths)
        number = value_of(chosen[0].node, "number")
        if len(chosen) == 1 and isinstance(chosen[0].node, Literal) and number is not None:
            return Draft(because(chosen[0].node.label, reasons), (chosen[0].node.label,), reasons, paths, confidence)
        labels = _unique([g.node.label for g in chosen])
        return Draft(because(f"{len(labels)}: {join(labels)}", reasons), (str(len(labels)),), reasons, paths, confidence)

    # ---- compare, superlative

    def _values(self, question: Understanding, resolved: list[Resolved]) -> list[tuple[Grounded, Value]]:
        """Answers of the best candidate whose ends are values of the kind compared."""
        for candidate in resolved:
            values = [(g, self._value(g, question.value_kind)) for g in candidate.answers]
            pairs = [(g, value) for g, value in values if value is not None]
            if pairs and candidate.score >= ANSWER_AT:
                return pairs
        return []

    def _value(self, grounded: Grounded, kind: str) -> Value | None:
        """The value an answer states, or for a day that of the fact it ends with."""
        stated = value_of(grounded.node, kind)
        if stated is None and kind == "date":
            first = grounded.paths[-1].hops[-1].triple.valid_from
            return Value(day=first) if first else None
        return stated

    def _compare(self, question: Understanding, links: Sequence[Link], found: Found) -> Draft:
        linked = [link for link in links if link.seeds]
        sides: list[tuple[Link, Grounded, Value]] = []
        for link, candidates in zip(linked, found.per_mention):
            values = self._values(question, self.retriever.resolve(candidates, question))
            if not values:
                return abstain(f"no {question.value_kind} to compare is recorded for {link.text}")
            sides.append((link, *values[0]))
        if len(sides) < 2:
            return abstain("a comparison needs two things that the graph knows")
        if not all(value.comparable(sides[0][2]) for _, _, value in sides):
            return abstain(f"the values of {join([link.text for link, _, _ in sides])} are in different units")
        ranked = sorted(sides, key=lambda side: side[2].key * question.direction, reverse=True)
        reasons = reasons_of([path for _, g, _ in ranked for path in g.paths])
        paths = tuple(path for _, g, _ in ranked for path in g.paths)
        confidence = min(g.score for _, g, _ in ranked)
        if ranked[0][2].key == ranked[1][2].key:
            return Draft(because("Neither: they are equal", reasons), ("equal",), reasons, paths, confidence)
        winner = ranked[0][0].seeds[0].node.label
        if question.text.split()[0].lower() in {"is", "was", "did", "does", "are", "were", "has"} and " or " not in question.text:
            verdict = "yes" if ranked[0][0] is sides[0][0] else "no"
            return Draft(because(verdict.capitalize(), reasons), (verdict,), reasons, paths, confidence)
        return Draft(because(winner, reasons), (winner,), reasons, paths, confidence)

    def _superlative(self, question: Understanding, found: Found) -> Draft:
        values = self._values(question, self.retriever.resolve(found.candidates, question))
        values = [(g, v) for g, v in values if len(g.paths[0].hops) > 1]
        if not values:
            return abstain("no values to rank are recorded")
        if not all(value.comparable(values[0][1]) for _, value in values):
            return abstain("the values to rank are in different units")
        best, _ = max(values, key=lambda pair: pair[1].key * question.direction)
        reasons = reasons_of([path for g, _ in values for path in g.paths])
        label = best.paths[0].hops[-1].start.label
        return Draft(because(label, reasons), (label,), reasons, tuple(p for g, _ in values for p in g.paths), best.score)

    # ---- yes or no

    def _yes_no(self, question: Understanding, links: Sequence[Link], found: Found) -> Draft:
        linked = [link for link in links if link.seeds]
        if question.value_kind and len(linked) > 1:
            return self._compare(question, links, found)
        if len(linked) < 2:
            return self._is_a(question, linked, found.types)
        for other, candidates in zip((linked[1], linked[0]), found.per_mention):
            targets = {seed.row for seed in other.seeds}
            reached = [replace(c, nodes=c.nodes[[n in targets for n in c.nodes.tolist()]]) for c in candidates]
            resolved = self.retriever.resolve([c for c in reached if len(c.nodes)], question)
            if resolved and resolved[0].score >= ANSWER_AT:
                return self._verdict("yes", resolved[0].answers[:1], resolved[0].score)
        for candidates in found.per_mention[:2]:
            resolved = self.retriever.resolve(candidates, question)
            if resolved and resolved[0].score >= ANSWER_AT and _settles(resolved[0].answers[0].paths[0]):
                return self._verdict("no", resolved[0].answers, resolved[0].score * 0.8)
        return abstain(f"nothing recorded connects {linked[0].text} and {linked[1].text} in that way")

    def _verdict(self, word: str, answers: Sequence[Grounded], confidence: float) -> Draft:
        paths = tuple(path for g in answers[:3] for path in g.paths)
        reasons = reasons_of(list(paths))
        return Draft(because(word.capitalize(), reasons), (word,), reasons, paths, confidence)

    def _is_a(self, question: Understanding, linked: list[Link], types: NodeTypes) -> Draft:
        """Whether the one thing named is of the class named."""
        if not linked or not question.units:
            return abstain("the question names nothing the graph holds")
        asked = {word for unit in question.units for word in unit.text.split()}
        for triple in self.retriever.kg.triples(subject=linked[0].seeds[0].node.id, evidence_only=True):
            if triple.relation.label == "is a" and asked <= {
                *triple.object.label.lower().split(),
                *types.words(linked[0].seeds[0].row),
            }:
                path = Path((Hop(triple, 1),), 1.0)
                return Draft(because("Yes", reasons_of([path])), ("yes",), reasons_of([path]), (path,), 0.8)
        return abstain(f"nothing recorded says whether {linked[0].text} is that")

    # ---- abstaining

    def _nothing(self, question: Understanding, links: Sequence[Link]) -> str:
        unknown = [link.text for link in links if not link.seeds]
        if unknown:
            return f"the graph holds nothing named {join(unknown)}"
        words = join([unit.text for unit in question.units]) or "what is asked"
        return f"no recorded fact says {words} of {join([link.text for link in links]) or 'anything'}"

    def _unexplained(self, best: Resolved, question: Understanding, links: Sequence[Link]) -> str:
        if best.parts.get("aside", 0) > 0:
            return f"no recorded path joins {join([link.text for link in links])} as asked"
        if best.missing:
            return f"no recorded fact covers '{join(best.missing)}' for {join([link.text for link in links]) or 'this'}"
        if best.parts.get("expired"):
            return "only facts that no longer hold answer this"
        return self._nothing(question, links)


def _settles(path: Path) -> bool:
    """Whether one recorded fact denies others: "who owns Y" is known, "whom X supplies" may go on."""
    (first, *more), lex = path.hops, lexicon()
    relation = first.triple.relation
    return not more and lex.settles(relation.label, first.direction, functional=relation.functional)


def _merged(resolved: list[Resolved]) -> list[Grounded]:
    """Answers of several candidates, each node once."""
    seen: dict[int, Grounded] = {}
    for candidate in resolved:
        for grounded in candidate.answers:
            seen.setdefault(grounded.row, grounded)
    return list(seen.values())


def _confidence(resolved: list[Resolved], chosen: list[Grounded], question: Understanding) -> float:
    """Score, less what a close rival with other answers and a crowd where one thing was asked for take away."""
    best = resolved[0].score
    rows = {g.row for g in chosen}
    rival = next((r.score for r in resolved[1:] if not {g.row for g in r.answers} & rows), 0.0)
    margin = min(1.0, 4 * (1 - rival / best)) if best else 0.0
    crowd = 0.9 if question.operation == "lookup" and len(chosen) > 1 else 1.0
    return float(best * (0.85 + 0.15 * margin) * crowd)


def reasons_of(paths: Sequence[Path]) -> tuple[Reason, ...]:
    """One claim per distinct triple, in the order walked."""
    seen: dict[str, Reason] = {}
    for hop in (hop for path in paths for hop in path.hops):
        spans = sorted(hop.triple.spans, key=lambda s: (-s.confidence, len(s.quote), s.source_id, s.start))
        kept: dict[str, Span] = {}
        for span in spans:
            kept.setdefault(span.source_id, span)
        seen.setdefault(hop.triple.id, Reason(sentence(hop.triple), tuple(kept.values())[:2]))
    return tuple(seen.values())


def because(text: str, reasons: tuple[Reason, ...]) -> str:
    """An answer and the first reasons for it, as sentences."""
    return f"{text}. {'; '.join(reason.text for reason in reasons[:6])}." if reasons else f"{text}."


def _unique(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(labels))
