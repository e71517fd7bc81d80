"""What a question is taken apart into, and the question with its names masked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .question import PERSON, Operation

LIFE = {  # asked for by a verb rather than by the noun
    "place of birth": "Where was {} born?",
    "date of birth": "When was {} born?",
    "place of death": "Where did {} die?",
    "date of death": "When did {} die?",
    "place of burial": "Where was {} buried?",
    "lifespan": "How long did {} live?",
}
_IT = re.compile(r"\bit\b")


@dataclass(frozen=True, slots=True)
class SubQuestion:
    """One step of a plan.

    Attributes:
        subject: a name as it stands in the question, or the index of an earlier step whose answer is the subject.
        words: what is asked of it: a noun phrase ("director", "place of birth"), or a question with "it" for the subject
            ("when did it become part of the United States"). One that begins with an auxiliary asks yes or no.
        kind: expected answer, a type of `question`, "" where the words do not tell.
    """

    subject: str | int
    words: str
    kind: str = ""

    def text(self, subject: str) -> str:
        """The single-hop question about this subject."""
        if self.words in LIFE:
            return LIFE[self.words].format(subject)
        if _IT.search(self.words):
            said = _IT.sub(lambda _: subject, self.words, count=1)
            return said[0].upper() + said[1:] + "?"
        asking = "Who" if self.kind == PERSON else "What"
        return f"{asking} is the {self.words} of {subject}?"


@dataclass(frozen=True, slots=True)
class Plan:
    """Sub-questions in an order in which they can be asked.

    Attributes:
        steps: at least one.
        sides: indices of the last steps, whose answers are compared or are the answer: one of a chain, two of a comparison.
        operation: as in `question`. "compare" asks for one of `names`; "yes-no" of two sides asks whether they agree, or,
            where their steps ask yes or no themselves, whether both hold.
        direction: -1 the side with the earliest or smallest answer, 1 the latest or largest, 0 where order does not matter.
        names: of a comparison, the name of each side.
    """

    steps: tuple[SubQuestion, ...]
    sides: tuple[int, ...]
    operation: Operation
    direction: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Masked:
    """A question in lower case, without its last mark, the i-th name replaced by `§i`."""

    text: str
    names: tuple[str, ...]


_NUMBER = r"(?<!\d)(?!(?:1\d|20)\d\d\b)\d+(?:[Ss]t|[Nn]d|[Rr]d|[Tt]h)?\s+(?=[^\W\d_a-z])"
_CAPITAL = rf"(?:[^\W\d_a-z]|{_NUMBER})(?:[\w&.:!/…–-]|['’](?!s?\s+[^A-Z\d(]|s?\W*$)(?=\w))*"
_JOINERS = r"(?:(?:of|de|la|le|von|van|der|the|du|del|al|bin|ibn|und|et|y|di|da|a|&|\+|=|-|–)\s+)*"
_NAME = re.compile(
    rf"[\"“][^\"“”]+[\"”]|{_CAPITAL}(?:,?\s+{_JOINERS}{_CAPITAL}|\s+['’]?\d+(?![\w’'])|\s*\([^()]*\))*(?:\s?[!?]+(?=\s*\?|\s+(?:or|and)\b))?"
)
_OPENING = re.compile(
    r"\W*(?:(?:which|what|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|has|have|had|in|on|at|of|from|to|for|by|"
    r"both|between|the|if|this|can|could|name|list|among|a|an)(?:\s+|\W*$))+",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\W*(?:which|what|who)\b", re.IGNORECASE)
_ADJECTIVE = re.compile(r"[A-Z][a-z-]+(?:an|ish|ese|French|Dutch|Greek|Swiss|Welsh)(?:(,\s+)|(?=\s+[a-z-]+(?!\S*['’])\b))")


def mask(question: str, names: Sequence[tuple[int, int]] = ()) -> Masked:
    """The names given as `[start, end)`, or else found by their capitals, replaced by signs."""
    question = re.sub(r"[§¶]", " ", question)
    parts, said = list[str](), list[str]()
    end = 0
    for start, stop in sorted(names) or _spelled(question):
        if end <= start < stop:
            parts += [question[end:start].lower(), f"§{len(said)}"]
            said.append(question[start:stop].strip('"“” '))
            end = stop
    text = "".join([*parts, question[end:].lower()]).replace("’", "'")
    apart = re.sub(r"(?=[,;:]|'s?\s)", " ", re.sub(r"[\"“”]", " ", text).rstrip("?. ") + " ")
    return Masked(" ".join(re.sub(r"\s'\s", " 's ", apart).split()), tuple(said))


def _spelled(question: str) -> list[tuple[int, int]]:
    """Names by their capitals; the words that questions begin with and adjectives of countries before a noun are none."""
    opening = _OPENING.match(question)
    begin = opening.end() if opening else 0
    found = []
    for match in _NAME.finditer(question, begin):
        start, end = match.span()
        comma = match[0].find(", ")
        if comma > 0 and " or " in question[end:] and "," not in question[:start] and _WHICH.match(question):
            found.append((start, start + comma))  # "Who was born in Spain, A or B?"
            start += comma + 2
        adjective = _ADJECTIVE.match(question, start)
        while adjective and adjective.end() <= end and adjective[1]:  # "American, Mark King"
            start = adjective.end()
            adjective = _ADJECTIVE.match(question, start)
        if start < end and not (adjective and adjective.end() >= end):
            found.append((start, end))
    return found


__all__ = ["LIFE", "Masked", "Plan", "SubQuestion", "mask"]
