"""What a question about advice asks for, read without any knowledge of the field: why, what about, what if, what first.

The names in it are those of the guidance; numbers are measurements, by the measure named nearest or, after "I were", of age.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..kg.errors import InputError
from ..kg.model import Entity
from ..retrieval.wordings import stems
from .guidance import Guidance
from .quantities import Quantity

Kind = Literal["why", "if", "first", "missing", "advice", "about"]
Said = tuple[str, str, int, int, bool]  # name, value, start, end, whether it stands; see `Profile.supposing`

_LEAD = r"^(?:(?:and|but|so|then|ok|okay|well|now)\b[\s,]*)*"
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("if", rf"\bif\b|\bsuppos|\bassum|\bimagin|{_LEAD}with(?:out)?\b|\bwould change\b"),
    ("why", rf"{_LEAD}(?:why|how come)\b|\bthe reasons?\b"),
    ("missing", r"\bmissing\b|\bnot (?:been )?(?:measured|assessed)\b|\b(?:need to|should i|else to|should we) measure\b"),
    ("first", r"\bfirst\b|\bmost important\b|\bstart with\b|\bbegin with\b|\bmost urgent\b"),
    ("advice", r"\brecommend|\badvi[cs]e|\b(?:should|can|could) (?:i|we) do\b(?! (?:that|this|it)\b)"),
)
_ADOPT = re.compile(
    rf"{_LEAD}(?:(?:should|shall|can|could|may|must) (?:i|we|it)\b|do (?:i|we) need\b"
    r"|(?:is|are|would) .*\b(?:good|right|ok|okay|safe|suitable|recommended|advisable|fine|sensible|wise|useful|helpful)\b)"
)
_HAVE = re.compile(rf"{_LEAD}(?:(?:do|have|am|are|is|does|has) (?:i|we|it|my|our)\b)")
_AVOID = re.compile(r"\b(?:avoid|stop|skip|quit|drop|not|without|give up|against|refrain|\w+n't)\b")
_OPEN = re.compile(rf"{_LEAD}(?:(?:what|how) about|what if|if|suppos\w*|without|with|why not)\b")
_WHY = re.compile(rf"{_LEAD}(?:why|how come)\b")
_MINE = re.compile(r"\b(?:I|i|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself|[Ww]e|us|[Oo]ur|[Oo]urs)\b")
_THAT = re.compile(r"\b(?:that|this|it|these|those|them)\b", re.IGNORECASE)
_NOT = re.compile(r"(?:\bwithout|\bnot?|n't|\bnever|\bstopped|\bno longer|\bquit)\s+(?:\w+\s+){0,3}$", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_BEING = re.compile(r"(?:\b(?:were|was|am|are|is|turn(?:ed)?|be)|'m|'re)\s+(?:only\s+|already\s+)?$", re.IGNORECASE)
_SHORT, _BARE = 6, 3  # words up to which "why ..." and "... that?" speak of what was just said; of a bare "but why that?"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question about advice, read.

    Attributes:
        kind: what it asks for.
        named: the things of the guidance that it names.
        supposed: the statements that it supposes.
        unread: numbers in it that no measure was found for.
        adopt: it wants yes or no about doing something ("should I ...").
        have: it wants yes or no about how things are ("do I have ...").
        back: it speaks of what was just said ("why that?").
    """

    kind: Kind
    named: tuple[Entity, ...] = ()
    supposed: tuple[Said, ...] = ()
    unread: tuple[str, ...] = ()
    adopt: bool = False
    have: bool = False
    back: bool = False


def refers(question: str, profile: str) -> bool:
    """Whether a question is about the advice at hand: it speaks of me or us, of the profile, or of what was just said."""
    short, text = len(question.split()) <= _SHORT, question.lower()
    if re.search(rf"(?<!\w){re.escape(profile.lower())}(?!\w)", text) or _MINE.search(question) or _OPEN.search(text):
        return True
    return short and bool(_WHY.search(text) or _THAT.search(text))


def read(question: str, guidance: Guidance) -> FollowUp:
    """Read a question about advice."""
    text = question.lower()
    kind: Kind = next((name for name, pattern in _KINDS if re.search(pattern, text)), "about")
    places = list(_named(question, guidance))
    named = tuple(dict.fromkeys(node for node, _, _ in places))
    said, unread = _supposed(question, places, guidance) if kind == "if" else ((), ())
    adopt = bool(_ADOPT.search(text)) and not _AVOID.search(text)
    back = bool(_THAT.search(text)) or len(text.split()) <= _BARE
    return FollowUp(kind, named, said, unread, adopt, bool(_HAVE.search(text)), back)


def _named(question: str, guidance: Guidance) -> Iterator[tuple[Entity, int, int]]:
    """Things of the guidance that a question names, the longest name at each place."""
    names = {key: node for node in guidance.things for name in (*node.aliases, node.label) if (key := stems(name))}
    longest = max(map(len, names), default=0)
    words = list(re.finditer(r"[\w&]+", question))
    i = 0
    while i < len(words):
        for j in range(min(len(words), i + longest), i, -1):
            key = stems(" ".join(word[0] for word in words[i:j]))
            if key in names:
                yield names[key], words[i].start(), words[j - 1].end()
                i = j - 1
                break
        i += 1


def _supposed(
    question: str, places: list[tuple[Entity, int, int]], guidance: Guidance
) -> tuple[tuple[Said, ...], tuple[str, ...]]:
    """The statements that a question supposes, and the numbers that it gives no measure for."""
    measures = {measure.id for measure in guidance.measures}
    said: list[Said] = []
    unread = []
    for number in _NUMBER.finditer(question):
        near = [(node, start, end) for node, start, end in places if node.id in measures]
        if _BEING.search(question[: number.start()]) and not any(end <= number.start() for _, _, end in near):
            age, verb = guidance.find("age"), _BEING.search(question[: number.start()])
            near = [(age, verb.start(), number.start())] if age and verb else near
        if not near:
            unread.append(number[0])
            continue
        node, start, end = _measure_of(number.start(), near, {name for name, *_ in said})
        value, stop = _value(question, number, node, guidance)
        said.append((node.label, value, min(start, number.start()), max(end, stop), True))
    for node, start, end in places:
        if node.id not in measures and node.id in {state.id for state in guidance.states}:
            said.append((node.label, "", start, end, not _NOT.search(question[:start])))
    return tuple(said), tuple(unread)


def _measure_of(at: int, near: list[tuple[Entity, int, int]], taken: set[str]) -> tuple[Entity, int, int]:
    """The measure that a number is of: the last one named before it that has none yet, else the next one, else the last."""
    before = [place for place in near if place[2] <= at]
    return next((place for place in (*before[:-2:-1], *(p for p in near if p[1] >= at)) if place[0].label not in taken), near[-1])


def _value(question: str, number: re.Match[str], measure: Entity, guidance: Guidance) -> tuple[str, int]:
    """A number with the unit that follows it, else with that of the measure; and where it ends."""
    unit = guidance.unit(measure)
    following = re.match(r"\s*(?:%|[^\W\d]+(?:/\w+)?)(?:\s+[^\W\d]+)?", question[number.end() :])
    words = following[0] if following else ""
    while words.strip():
        try:
            Quantity.read(number[0] + words).to(unit)
            return (number[0] + words).strip(), number.end() + len(words)
        except InputError:
            words = words.rpartition(" ")[0]
    return f"{number[0]} {unit}".strip(), number.end()


__all__ = ["FollowUp", "Said", "read", "refers"]
