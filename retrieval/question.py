"""What a question asks for, read from its words alone: operation, answer type, day, and the units a path must explain.

A *unit* is a phrase that carries content: a relation noun ("supplier", "parent company"), a verb ("bought"), or a type
noun ("company"). Mentions of entities are not units; they are masked before reading. No graph is consulted here.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from ..kg.ingest.dates import find_dates
from .nesting import Phrase, apposed, nested
from .wordings import Lexicon, lexicon

Operation = Literal["lookup", "list", "count", "compare", "superlative", "yes-no"]

_WORD = re.compile(r"[^\W_]+(?:[&'’.-][^\W_]+)*[^\W_]*", re.UNICODE)

STOPWORDS = frozenset(
    """
    a an the this that these those of in on at to for from by with about into over under after before during
    between and or but nor so than then as if is are was were be been being am do does did done has have had
    having can could will would shall should may might must i you he she it we they me him her us them my your his
    its our their who whom whose which what when where why how there here not no yes please tell me give name show
    find all any some each every both either other another same also too very just only still ever currently now
    today current present latest between following called named many much long old one ones thing things s t
    according known actually really back since until within across per via ask question know want whether exactly
    company's it's what's who's which's out up off down again once more most less least first last earlier later
    sooner bigger larger smaller higher lower greater longer shorter older younger newer biggest largest smallest
    highest lowest greatest longest shortest oldest youngest newest earliest number total share shares say says
    list different that's get gets got besides except apart main primary whole new own's year years time date day
    month days months describe few
    """.split()
)

PERSON, ORGANIZATION, PLACE, WORK, PRODUCT, DATE, NUMBER = "person", "organization", "place", "work", "product", "date", "number"

TYPE_NOUNS: dict[str, str] = {
    **dict.fromkeys("""
    person people man woman individual executive official politician artist scientist engineer
    """.split(), PERSON),
    **dict.fromkeys(
        """
    company firm business organisation organization enterprise corporation group bank manufacturer agency
    authority institution body university school college club team airline carrier party startup entity maker yard
    shipyard operator regulator watchdog cooperative trust fund
    """.split(),
        ORGANIZATION,
    ),
    **dict.fromkeys(
        """
    place city town village country nation state region province county continent island district port harbour
    river location municipality settlement
    """.split(),
        PLACE,
    ),
    **dict.fromkeys("ship vessel ferry boat tanker car aircraft product model device software".split(), PRODUCT),
    **dict.fromkeys("film movie book novel song album work play series show poem painting opera picture".split(), WORK),
    **dict.fromkeys(["year", "date", "day", "month"], DATE),
    **dict.fromkeys("amount sum percentage percent price cost".split(), NUMBER),
}  # fmt: skip
AGENT_NOUNS = frozenset(
    "supplier customer client owner parent subsidiary shareholder founder competitor partner employer buyer insurer".split()
)
CONTAINMENT_NOUNS = frozenset("city town country nation state region province county continent island district".split())

_COMPARATIVES: dict[str, tuple[str, int]] = {
    # word: (kind of value compared, -1 for the smaller and 1 for the larger)
    "earlier": (DATE, -1), "first": (DATE, -1), "sooner": (DATE, -1), "older": (DATE, -1), "oldest": (DATE, -1),
    "earliest": (DATE, -1), "before": (DATE, -1), "later": (DATE, 1), "last": (DATE, 1), "latest": (DATE, 1),
    "younger": (DATE, 1), "youngest": (DATE, 1), "newer": (DATE, 1), "newest": (DATE, 1), "recently": (DATE, 1),
    "after": (DATE, 1),
    "larger": (NUMBER, 1), "bigger": (NUMBER, 1), "higher": (NUMBER, 1), "greater": (NUMBER, 1), "more": (NUMBER, 1),
    "most": (NUMBER, 1), "largest": (NUMBER, 1), "biggest": (NUMBER, 1), "highest": (NUMBER, 1), "greatest": (NUMBER, 1),
    "longer": (NUMBER, 1), "longest": (NUMBER, 1),
    "smaller": (NUMBER, -1), "lower": (NUMBER, -1), "less": (NUMBER, -1), "fewer": (NUMBER, -1), "smallest": (NUMBER, -1),
    "lowest": (NUMBER, -1), "least": (NUMBER, -1), "fewest": (NUMBER, -1), "shorter": (NUMBER, -1),
}  # fmt: skip
_SUPERLATIVE = frozenset(
    """
    most largest biggest highest greatest longest smallest lowest least fewest oldest youngest newest earliest
    latest
    """.split()
)
_AUXILIARIES = frozenset("is are was were did does do has have had can could will would".split())
_SHARING = frozenset("together share shares shared same also other another common fellow co both".split())
_OPEN_ENDS = (["of"], ["in"], ["on"], ["for"], ["at"])  # prepositions that may stand alone at the end of a question
_SAID_TO_BE = (["listed", "as"], ["credited", "as"], ["named", "as"], ["recorded", "as"])
_PAST = frozenset("was were did had former formerly previously".split())


_PLURAL = re.compile(
    r"\b(which|what)\s+(all\s+)?(?!is\b|was\b|does\b|has\b)[a-z-]+s\b|\b(who|what|which) (are|were)\b", re.IGNORECASE
)
_AFTER_POSSESSIVE = re.compile(r"['’]s?\s+$")
OPEN_WEIGHT = 0.6  # of a word that no relation family is asked for by


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the question. `mention` is the index of the masked mention it belongs to, -1 for none."""

    text: str
    start: int
    end: int
    mention: int = -1

    @property
    def lower(self) -> str:
        return self.text.lower()


@dataclass(frozen=True, slots=True)
class Unit:
    """A phrase a path should explain.

    Attributes:
        text: the words.
        position: index of its first token.
        families: names of lexicon families it is a known wording of; empty for an open word.
        type: the coarse type when the unit is a type noun.
        weight: how much leaving it unexplained hurts.
        passive: it is a passive verb ("was fined", "fined by").
        source: it is a noun that names where a hop comes from and not where it leads ("whose director", "the director of what").
    """

    text: str
    position: int
    families: frozenset[str] = frozenset()
    type: str = ""
    weight: float = 1.0
    passive: bool = False
    source: bool = False

    @property
    def fellow(self) -> bool:
        """Whether it asks for another at the same end of a relation ("co-starred with X", "X's co-founder")."""
        return self.text.startswith("co-")


@dataclass(frozen=True, slots=True)
class Understanding:
    """A question, read. `first`..`last` is the interval of days it names (inclusive), None when it names none.

    `target` is the position of the noun asked for, -1 when a pronoun asks. `nested` are the positions of the units of a nested
    noun phrase around the one name, in the order they are walked ("the *C* of X's *A*'s *B*": A, B, C). `looking_back`: the day
    is one that somebody stands at, and what happened before it counts, not only what happened on it.
    """

    text: str
    operation: Operation
    answer_type: str
    answer_noun: str
    units: tuple[Unit, ...]
    tokens: tuple[Token, ...]
    first: date | None = None
    last: date | None = None
    past: bool = False
    shares: bool = False
    target: int = -1
    value_kind: str = ""
    direction: int = 0
    nested: tuple[int, ...] = ()
    looking_back: bool = False

    def due(self, used: Container[int]) -> int:
        """Index of the unit of the nested phrase that is to be walked next, -1 when all are in `used`."""
        order = (u for position in self.nested for u, unit in enumerate(self.units) if unit.position == position)
        return next((u for u in order if u not in used), -1)

    def mention_positions(self, mention: int) -> tuple[int, ...]:
        """Token indices of a mention."""
        return tuple(i for i, token in enumerate(self.tokens) if token.mention == mention)


def tokenize(text: str) -> list[Token]:
    """Words with offsets; a possessive `'s` is left out of its word."""
    tokens = []
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        for ending in ("'s", "’s", "'", "’", "."):
            if word.endswith(ending) and len(word) > len(ending):
                word = word[: -len(ending)]
                break
        tokens.append(Token(word, start, start + len(word)))
    return tokens


def understand(text: str, mentions: Sequence[tuple[int, int]] = (), lex: Lexicon | None = None) -> Understanding:
    """Read a question.

    Args:
        text: the question.
        mentions: `[start, end)` of entity mentions in it, which are masked.
        lex: how relations are asked for; the packaged lexicon where None.

    Returns:
        An `Understanding`; every string gives one, an empty string an empty one.
    """
    lex = lex or lexicon()
    dates = [d for d in find_dates(text) if not any(d.start < end and start < d.end for start, end in mentions)]
    masks = [*mentions, *((d.start, d.end) for d in dates)]
    tokens = []
    for token in (part for word in tokenize(text) for part in _unglued(word, text, lex)):
        mention = next((i for i, (start, end) in enumerate(masks) if token.start < end and start < token.end), -1)
        tokens.append(replace(token, mention=mention))
    words = [token.lower if token.mention < 0 else "" for token in tokens]
    operation, value_kind, direction = _operation(text, words, len(mentions))
    answer_type, answer_noun, noun_at = _answer_type(words, lex)
    units = _units(tokens, words, noun_at, lex) + _renamed(words) + _doing(words) or _implied(answer_type, value_kind)
    units, order = _placed(text, mentions, tokens, units, lex)
    said = {i for unit in units if unit.families for i in range(unit.position, unit.position + len(unit.text.split()))}
    unsaid = {word for i, word in enumerate(words) if i not in said}
    first = min((d.first for d in dates), default=None)
    last = max((d.last_exclusive for d in dates), default=None)
    return Understanding(
        text=text,
        operation=operation,
        answer_type=answer_type,
        answer_noun=answer_noun,
        units=units,
        tokens=tuple(tokens),
        first=first,
        last=last - timedelta(days=1) if last else None,
        past=bool(_PAST & set(words)),
        shares=bool(_SHARING & unsaid) or any(word.startswith("co-") for word in words),
        target=_target(words),
        value_kind=value_kind,
        direction=direction,
        nested=order,
    )


def is_sharing(token: Token) -> bool:
    """Whether a word says that something is shared."""
    return token.lower in _SHARING or token.lower.startswith("co-")


def _unglued(token: Token, text: str, lex: Lexicon) -> tuple[Token, ...]:
    """A word, or the two known ones that a lost space has made one of, where a noun is due ("X's fatherdied")."""
    word = token.lower
    if not _AFTER_POSSESSIVE.search(text, 0, token.start) or not word.isalpha() or lex.match([word]) or word in TYPE_NOUNS:
        return (token,)
    for i in range(len(word) - 1, 0, -1):
        if word[:i] in lex.words and word[i:] in lex.words:
            cut = token.start + i
            return Token(token.text[:i], token.start, cut), Token(token.text[i:], cut, token.end)
    return (token,)


def _placed(
    text: str, mentions: Sequence[tuple[int, int]], tokens: Sequence[Token], units: tuple[Unit, ...], lex: Lexicon
) -> tuple[tuple[Unit, ...], tuple[int, ...]]:
    """Units, which of them say where a hop comes from by their place beside the one name, and the nested phrase around it."""
    if len(mentions) != 1:
        return units, ()
    said = sorted(units, key=lambda unit: unit.position)
    phrases = [_phrase(unit, tokens, lex) for unit in said]
    order = nested(text, mentions[0], phrases)
    source = {said[i].position for i, phrase in enumerate(phrases) if apposed(text, mentions[0], phrase)}
    nouns = {said[i].position for i in order}
    placed = (replace(u, source=u.position in source or (u.source and u.position not in nouns)) for u in units)
    return tuple(placed), tuple(said[i].position for i in order)


def _phrase(unit: Unit, tokens: Sequence[Token], lex: Lexicon) -> Phrase:
    words = unit.text.split()
    last = min(unit.position + len(words), len(tokens)) - 1
    noun = not unit.type and lex.is_noun(unit.text, unit.families)
    return Phrase(tokens[unit.position].start, tokens[last].end, bool(unit.type), noun)


def _operation(text: str, words: list[str], mentions: int) -> tuple[Operation, str, int]:
    present = [w for w in words if w]
    comparative = next((w for w in present if w in _COMPARATIVES), "")
    kind, direction = _COMPARATIVES.get(comparative, ("", 0))
    polite = 2 if words[:1] and words[0] in _AUXILIARIES and words[1:2] == ["you"] else 0  # "can you list the ..."
    first = words[polite] if len(words) > polite else ""
    if kind and mentions >= 2 and (" or " in text or first in {"which", "who", "what", "did", "was", "is", "does", "of"}):
        if first in _AUXILIARIES and " or " not in text:
            return "yes-no", kind, direction
        return "compare", kind, direction
    if re.search(r"\bhow many\b|\bnumber of\b|\bcount\b", text, re.IGNORECASE):
        return "count", "", 0
    if kind and comparative in _SUPERLATIVE and mentions < 2:
        return "superlative", kind, direction
    if first in _AUXILIARIES:
        return "lookup" if mentions == 1 and " or " in text else "yes-no", "", 0  # "is X a man or a woman"
    if first in {"list", "name", "show", "give"} or _PLURAL.search(text):
        return "list", "", 0
    return "lookup", "", 0


def _singular(word: str) -> str:
    if word.removesuffix("s") in TYPE_NOUNS:
        return word.removesuffix("s")
    if word.endswith("ies") and len(word) > 4 and word != "series":
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _answer_type(words: list[str], lex: Lexicon) -> tuple[str, str, int]:
    """(coarse type, noun asked for, its token index or -1)."""
    for i, word in enumerate(words):
        if word in {"which", "what", "list", "name"} or (word == "many" and i and words[i - 1] == "how"):
            for j in range(i + 1, min(i + 5, len(words))):
                noun = _singular(words[j])
                if words[j] in _AUXILIARIES or words[j] in {"of", "that", "who"}:
                    if words[j] == "of" or word == "what":
                        continue
                    break
                if noun in TYPE_NOUNS:
                    return TYPE_NOUNS[noun], noun, j
                if noun in AGENT_NOUNS:
                    return "agent", "", j
                if lex.match(words[j : j + 1]) or _phrase_length(words, j, lex) > 1:
                    return "", "", j  # "what genres do the films ..." asks for genres, not films
            continue
        if word in {"who", "whom", "whose"}:
            return ("person" if word == "whose" else "agent"), "", -1
        if word == "where":
            return PLACE, "", -1
        if word == "when":
            return DATE, "", -1
        if word == "much" and i and words[i - 1] == "how":
            return NUMBER, "", -1
    return "", "", -1


def _units(tokens: list[Token], words: list[str], noun_at: int, lex: Lexicon) -> tuple[Unit, ...]:
    units: list[Unit] = []
    i = 0
    while i < len(words):
        if not words[i]:
            i += 1
            continue
        if words[i : i + 2] in _SAID_TO_BE:
            i += 2
            continue
        length = _phrase_length(words, i, lex)
        if length:
            phrase = " ".join(words[i : i + length])
            families = lex.match(words[i : i + length])
            noun = _singular(words[i + length - 1])
            kind = TYPE_NOUNS.get(noun, "") if length == 1 and not _ends_as_verb(words, i) else ""
            weight = 0.3 if kind and i == noun_at else 0.5 if kind else 1.0 if families else OPEN_WEIGHT
            passive, source = _passive(words, i + length - 1), _names_source(words, i, i + length)
            units.append(Unit(phrase, i, families, kind, weight, passive, source))
            i += length
            continue
        noun = _singular(words[i])
        if noun in TYPE_NOUNS:
            units.append(Unit(words[i], i, frozenset(), TYPE_NOUNS[noun], 0.15 if i == noun_at else 0.2))
        elif words[i] not in STOPWORDS | _SHARING and not words[i].isdigit():
            units.append(Unit(words[i], i, frozenset(), "", OPEN_WEIGHT, _passive(words, i)))
        i += 1
    return tuple(units)


def _ends_as_verb(words: list[str], i: int) -> bool:
    """Whether a word at the end is the verb that an auxiliary before it waits for ("where does X *work*", "*work* for")."""
    return {*words[i + 1 :]} <= {"for", "at", "in", "with"} and bool({"do", "does", "did"} & {*words[:i]})


def _target(words: list[str]) -> int:
    """Index of the noun asked for ("which *customers*", "what is the *nationality* of"), -1 for none."""
    for i, word in enumerate(words[:3]):
        if word == "who" and words[i + 1 : i + 2] and words[i + 1] not in _AUXILIARIES:
            return -1
        if word in {"which", "what", "many", "list", "name", "who"}:
            skipped = {*_AUXILIARIES, "the", "a", "all", "some", "any"}
            return next((j for j in range(i + 1, min(i + 5, len(words))) if words[j] not in skipped), -1)
    return -1


def _renamed(words: list[str]) -> tuple[Unit, ...]:
    """ "What was X called before?" asks for a name, unlike "the firm called X"."""
    said = next((i for i, word in enumerate(words) if word in {"called", "named", "known"}), -1)
    if said < 0 or not {"before", "formerly", "previously", "originally", "earlier", "once"} & set(words):
        return ()
    return (Unit("former name", said, frozenset({"formerly known as"})),)


def _doing(words: list[str]) -> tuple[Unit, ...]:
    """ "What does X do?" asks for an occupation."""
    if words[:1] != ["what"] or words[1:2] not in (["does"], ["did"], ["do"]) or words[-1] not in {"do", "doing"}:
        return ()
    return (Unit("do", len(words) - 1, frozenset({"occupation"})),)


def _implied(answer_type: str, value_kind: str) -> tuple[Unit, ...]:
    """What a question without content words asks for: "Where is X?", "Who is X?", "Is A older than B?"."""
    if value_kind == DATE:
        return (Unit("born or founded", 0, frozenset({"date of birth", "founded in"})),)
    if answer_type == PLACE:
        return (Unit("located", 0, frozenset({"located in", "headquartered in"})),)
    return ()


def _phrase_length(words: list[str], i: int, lex: Lexicon) -> int:
    """Length of the longest lexicon wording that starts at token `i`, 0 for none."""
    for length in range(min(lex.longest, len(words) - i), 0, -1):
        piece = words[i : i + length]
        if not all(piece) or (length == 1 and piece[0] in STOPWORDS and piece[0] != "own"):
            continue
        if lex.match(piece) or lex.chains(" ".join(piece)):
            return length
    return 0


def _names_source(words: list[str], i: int, end: int) -> bool:
    """Whether the noun in `words[i:end]` is said of where a hop starts: "whose director is", "the director of which film"."""
    after = words[end + 1 : end + 2]
    return (i > 0 and words[i - 1] == "whose") or (
        words[end : end + 1] in _OPEN_ENDS and (not after or after[0] in {"what", "which", "whom"})
    )


def _passive(words: list[str], i: int) -> bool:
    if not words[i].endswith(("ed", "en", "t", "wn", "ght", "und", "un", "old", "ade")):
        return False
    if i + 1 < len(words) and words[i + 1] == "by":
        return True
    before = words[max(0, i - 4) : i]
    return bool({"is", "are", "was", "were", "been", "being"} & set(before)) and not {"who", "that"} & set(before[-1:])
