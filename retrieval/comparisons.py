"""Questions about two things side by side: which of them is first, larger, of some kind; whether both are alike.

The two are taken out of the question; what stands around them says what is asked of either: a noun on the way ("has the
*director* who"), and what is compared ("was born later", "the same country").
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .clauses import AUXILIARY, CONTENT, DETERMINER, REF, Reader, is_noun, kind_of, noun_at, singular
from .plans import Masked, Plan
from .question import DATE, NUMBER, ORGANIZATION, PERSON, WORK, Operation, understand

_VALUES = {**dict.fromkeys(["longer", "shorter"], "length"), **dict.fromkeys(["higher", "highest", "taller", "lower"], "height")}
_GRADED = re.compile(r".*(?:er|est)|more|most|less|least")
_SIZES = "larger largest bigger biggest greater greatest smaller smallest less least fewer fewest longest shortest".split()
_ORDER = frozenset(
    "first last earlier earliest later latest sooner before after older oldest younger youngest newer newest more most recently "
    "recent than other one both of the two out which who what is was were are did do does has have had".split()
)
_WORD = rf"(?!(?:{'|'.join([*_ORDER, *_VALUES, *_SIZES])})\b){CONTENT}"
_PHRASE = rf"(?:(?:{DETERMINER}\s+)*(?:{CONTENT}\s+){{1,3}}of\s+)*(?:both\s+{_WORD}\s+,\s+)?(?:{DETERMINER}\s+)*(?:{_WORD}\s+)?"
_OWNED = rf"(?:\s+'s(?:\s+{CONTENT}){{1,2}})?"
_ONE, _OTHER = rf"(?<!\S)(?P<one>{_PHRASE}{REF}{_OWNED})", rf"(?P<other>{_PHRASE}{REF}{_OWNED})"
_PAIR = re.compile(rf"{_ONE}(?:\s+,)?\s+(?P<said>)(?P<join>or|and)\s+{_OTHER}")
_THAN = re.compile(rf"{_ONE}\s+(?P<said>(?:[a-z'-]+\s+){{1,6}})(?P<join>than|before|after|as)\s+{_OTHER}")
_OF_BOTH = re.compile(r"(?:out of|between|among|of)\s*$")
_ALIKE = re.compile(rf"\b(?:same|similar|shared?|shares|common)\b\s*(?:the |a |an )?(?:same |common )?((?:{CONTENT}(?:\s+|$))*)")
_BRIDGE = re.compile(r"(?:\b(?:has|have|had|whose|with)|'s)\s+(?:the\s+|a\s+|an\s+)?((?:[a-z-]+(?:\s+|$))+)")
_LIFE = (("born", "birth"), ("birth", "birth"), ("died", "death"), ("die", "death"), ("buried", "burial"), ("lived", ""))


class Asked(NamedTuple):
    """What is asked of either side: nouns on the way, then a noun or a question with "it"."""

    bridge: list[str]
    words: str


def compared(masked: Masked) -> Plan | None:
    """The plan of a question about two names side by side, None for others."""
    masked = _whole(masked)
    text = masked.text
    pair = next((pair for pair in _PAIR.finditer(text) if pair["join"] == "or" or " or " not in text), None) or _THAN.search(text)
    if not pair:
        return None
    frame = _frame(text[: pair.start()], f"{pair['said'] or ''} {text[pair.end() :]}")
    reading = understand(text, [match.span() for match in re.finditer(REF, text)])
    recent = re.search(r"\bm(?:ore|ost) recent(?:ly)?\b", text)
    value_kind, direction = (DATE, 1) if recent else (reading.value_kind, reading.direction)
    operation: Operation = "compare" if pair["join"] == "or" or direction else "lookup"
    if re.match(rf"{AUXILIARY}\b", text) and pair["join"] != "or":
        operation = "yes-no"
    elif pair["join"] not in ("or", "and") or (
        operation == "lookup" and not re.search(r"\b(?:both|same|similar|shared?|common)\b", text)
    ):
        return None
    asked = _asked(frame, value_kind, operation)
    if asked is None:
        return None
    reader = Reader(masked.names)
    sides = tuple(_side(reader, phrase, asked) for phrase in _phrases(pair))
    names = tuple(masked.names[int(re.findall(r"§(\d+)", pair[side])[0])] for side in ("one", "other"))
    return Plan(tuple(reader.steps), sides, operation, direction, names)


def _whole(masked: Masked) -> Masked:
    """Where two are joined by "or", an "and" between names stands inside of one."""
    text, names = masked.text, list(masked.names)
    while " or " in text and (found := re.search(r"§(\d+) and §(\d+)(?=(?: ,)? or |$)", text)):
        text = f"{text[: found.start()]}§{len(names)}{text[found.end() :]}"
        names.append(f"{names[int(found[1])]} and {names[int(found[2])]}")
    return Masked(text, tuple(names))


def _frame(before: str, after: str) -> str:
    """What stands around the two."""
    joined = f"{_OF_BOTH.sub('', before.strip(' ,'))} {after}".replace(",", " ")
    return " ".join(re.sub(r"\bboth\b", " ", joined).split())


def _phrases(pair: re.Match[str]) -> list[str]:
    """The phrases of the two; an "of" before the first or a possessive after the second goes for both."""
    one, other = (re.sub(rf"(?:\bboth\b|,)(?=.*{REF})", " ", pair[side]) for side in ("one", "other"))
    owned = re.search(r"'s .*$", other)
    if " of " in one and " of " not in other:
        other = one[: one.rindex(" of ") + 4] + other
    if owned and "'s" not in one:
        one = f"{one} {owned[0]}"
    return [" ".join(one.split()), " ".join(other.split())]


def _side(reader: Reader, phrase: str, asked: Asked) -> int:
    """Ask of one of the two; returns the index of the last step."""
    ref = re.findall(REF, reader.reduce(phrase))[-1]
    for noun in asked.bridge:
        ref = reader.step(ref, noun)
    return int(reader.put(ref, asked.words)[1:])


def _asked(frame: str, value_kind: str, operation: Operation) -> Asked | None:
    bridge, rest = _bridged(frame)
    alike = _ALIKE.search(rest)
    if alike:
        return Asked(bridge, _shared(rest, alike))
    if value_kind == DATE:
        return Asked(bridge, _dated(rest, bool(bridge) or frame.startswith("who"), frame))
    if value_kind == NUMBER:
        return Asked(bridge, _measured(rest))
    return Asked(bridge, _held(rest, operation)) if rest else None


def _bridged(frame: str) -> tuple[list[str], str]:
    """Nouns between the two and what is asked ("has the *director* who"), and the frame without them."""
    for match in _BRIDGE.finditer(frame):
        words = match[1].split()
        size = noun_at(words)
        noun = singular(" ".join(words[:size]))
        rest = " ".join(words[size:])
        if size and kind_of(noun) in (PERSON, ORGANIZATION) and frame[match.end(1) :].strip() + rest:
            return [noun], f"{frame[: match.start()]} {rest} {frame[match.end(1) :]}".strip()
    return [], frame


def _shared(frame: str, alike: re.Match[str]) -> str:
    """ "Born in the same place": place of birth; "from the same country": country."""
    noun = " ".join(singular(word) for word in alike[1].split())
    if not noun:
        before = re.match(rf"(?:what|which) ((?:{CONTENT} )+?){AUXILIARY}\b", frame)
        noun = before[1].strip() if before else "what is it"
    event = next((event for verb, event in _LIFE if re.search(rf"\b{verb}\b", frame)), "")
    if not event or event in noun:
        return noun
    return f"{'date' if noun in ('day', 'date') else 'place' if noun in ('location', 'spot') else noun} of {event}"


def _dated(rest: str, person: bool, frame: str) -> str:
    """ "Was born later": date of birth; "was released first": when was it released."""
    words = rest.split()
    event = next((event for verb, event in _LIFE if verb in words), None)
    if event is not None:
        return f"date of {event}" if event else "lifespan"
    head = frame.split()[1] if re.match(r"(?:which|what) ", frame) else ""
    verbs = [word for word in words if word not in _ORDER and singular(word) != singular(head) and not is_noun(word)]
    if verbs and not {"came", "come"} & {*verbs}:
        return f"when was it {' '.join(verbs)}"
    kind = PERSON if person or "younger" in words else WORK if "out" in words else kind_of(head)
    return {PERSON: "date of birth", WORK: "release date", "": "when was it born or founded"}.get(kind, "when was it founded")


def _measured(rest: str) -> str:
    words = rest.split()
    if "lived" in words or "live" in words:
        return "lifespan"
    at = next((i for i, word in enumerate(words) if word in _VALUES or _GRADED.fullmatch(word)), 0)
    noun = " ".join(word for word in words[at + 1 :] if word not in _ORDER)
    if noun:
        return f"number of {noun}" if words[at] in ("more", "most", "fewer", "fewest", "less", "least") else noun
    return _VALUES.get(words[at] if words else "", "size")


def _held(rest: str, operation: Operation) -> str:
    """What a side is asked to hold: "are both directors" is "is it a director"; "by what label" stays a question."""
    if operation == "lookup":
        asking = re.match(rf"(?:what|which|who|where|when)\b.*?\b({AUXILIARY})\b", rest)
        return f"{rest[: asking.end()]} it{rest[asking.end() :]}" if asking else f"it {rest}"
    words = rest.split()
    at = next((i for i, word in enumerate(words) if re.fullmatch(AUXILIARY, word)), -1)
    said = words[at + 1 :]
    if said and words[at] in ("are", "were") and re.search(r"[^su]s$", said[-1]) and re.match(CONTENT, said[0]):
        noun = re.sub(r"ies$", "y", said[-1]).removesuffix("s")
        said = ["an" if said[0][0] in "aeio" else "a", *said[:-1], noun]
    first = words[at] if at >= 0 else "does"
    said = ["have", *said] if first in ("has", "have", "had") else said
    verb = {"are": "is", "were": "was", "do": "does", "has": "does", "have": "does", "had": "did"}.get(first, first)
    return f"{verb} it {' '.join(said)}"


__all__ = ["compared"]
