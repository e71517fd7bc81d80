"""What noun phrases say about entities: classes, nationalities, offices, kin.

Confidence by rule: 0.9 for dates in brackets and nationalities, 0.85 for known relations between names, 0.7 for other verbs,
0.15 less where an end is a pronoun or "the company", and then 0.55 at least, so that what is kept can be used as evidence.
"""

from __future__ import annotations

import re
from datetime import date

from ..model import Fact, Literal
from . import lexicon as lx
from .clauses import Clause
from .coref import Discourse, Entry, class_type
from .dates import DateSpan
from .phrases import NounPhrase
from .relations import KINSHIP, PARENT_WORDS, ROLES, WORK_ROLES

Period = tuple[date | None, date | None]
_FILLERS = frozenset("former late current new old first second only eldest younger elder youngest own largest main".split())
_COMPANY_ROLES = frozenset(
    (
        "chief executive of", "chief financial officer of", "chief operating officer of", "chief technology officer of",
        "chair of", "director of", "general manager of", "president of", "vice president of", "head of", "customer of",
        "subsidiary of", "<audited by", "<regulated by", "<makes",
    )
)  # fmt: skip


class Descriptions:
    """The facts of one document so far, and how noun phrases add to them."""

    def __init__(self, text: str, discourse: Discourse, dates: dict[int, DateSpan], extractor: str) -> None:
        self.text, self.discourse, self.dates, self.extractor = text, discourse, dates, extractor
        self.facts: list[Fact] = []
        self.span = (0, 0)
        self.said: dict[int, Entry] = {}  # phrases that describe an entity: "a firm" in "X is a firm founded by Y"
        self.shared: Entry | None = None  # the firm whose shares the sentence deals out
        self.goods: Entry | None = None  # the last named object of a verb
        self.nouns: list[NounPhrase] = []
        self.topic: tuple[int, Entry] | None = None  # the named subject of the sentence and where it stands
        self.current: Clause | None = None  # the clause being read
        self.former = False  # the clause says "previously"
        self.weak = False  # an end of the current fact was resolved by coreference

    # ---- facts
    def add(self, subject: Entry, label: str, other: Entry | Literal, confidence: float, when: Period = (None, None)) -> None:
        """One fact; the same entity on both ends is none."""
        if other is subject or not label:
            return
        target = other if isinstance(other, Literal) else other.name()
        if isinstance(other, Literal) and (not other.value or len(other.value.split()) > 12):
            return
        if self.weak:
            confidence = max(0.55, confidence - 0.15)
        self.facts.append(Fact(subject.name(), label, target, *self.span, self.extractor, round(confidence, 2), *when))

    def relate(self, subject: Entry, label: str, other: Entry | Literal, confidence: float, when: Period) -> None:
        """A fact whose label may start with "<": then the ends are swapped."""
        if not label.startswith("<"):
            self.add(subject, label, other, confidence, when)
        elif isinstance(other, Entry):
            self.add(other, label[1:], subject, confidence, when)

    # ---- noun phrases
    def entity(self, noun: NounPhrase) -> Entry | None:
        """The entity of a noun phrase: by name, pronoun, or "the company"."""
        self.weak = False
        if noun.name:
            return self.named_entry(noun)
        if id(noun) in self.said:
            return self.said[id(noun)]
        self.weak = True
        if noun.pronoun:
            prefer = self.topic[1] if self.topic and self.topic[0] < noun.start else None
            return self.discourse.pronoun(noun.pronoun, prefer)
        if noun.head and noun.det in ("the", "this", "that") and not noun.of and not noun.owner:
            entry = self.discourse.common(noun.head, " ".join(noun.words))
            if entry:
                self.discourse.touch(entry)
            return entry
        return None

    def named_entry(self, noun: NounPhrase) -> Entry:
        head = noun.words[-1] if noun.words and not noun.owner else ""
        kind = lx.CLASS_TYPES.get(head, "")
        if head in lx.CIVIL_TITLES:
            kind = "person"
        entry = self.discourse.add(noun.name, kind)
        if head in lx.CLASS_TYPES:
            entry.call(head)
        return entry

    def _named(self, noun: NounPhrase) -> None:
        """What a name's own phrase says: "French director X", "Y's mother X", "Montreal, Quebec"."""
        entry = self.named_entry(noun)
        if noun.owner or noun.words or noun.nationalities:
            self.weak = False
            self.describe(entry, noun, premodifier=True)
        place = entry
        for outer in noun.inside:
            entry.alias(f"{noun.name}, {outer.name}")
            self.weak = False
            holder = self.discourse.add(outer.name, "place")
            place.type = place.type or "place"
            self.add(place, "located in", holder, 0.8)
            place = holder

    def describe(self, entry: Entry, noun: NounPhrase, *, premodifier: bool = False, when: Period = (None, None)) -> None:
        """Facts that `noun` states about `entry`: class, nationality, roles with their "of" or owner."""
        weak = self.weak
        if not noun.name:
            self.said[id(noun)] = entry
        if noun.words[-1:] in (("one",), ("part",)) or (not noun.words and noun.of):
            noun = noun.of[0] if noun.det == "one" and noun.of else noun
        for text, _, _ in noun.nationalities:
            country = lx.DEMONYMS[text].replace("_", " ")
            label = "nationality" if entry.type == "person" or noun_type(noun) == "person" else "country"
            self.add(entry, label, Entry(text, "nationality", aliases=[country]), 0.9)
        targets = self._other_parent(entry, noun) or self._targets(noun)
        for segment in _segments(noun.words):
            self.weak = weak
            self._role(entry, segment, noun, targets, when, premodifier)
        if noun.year and (dated := self._date_in(noun)) and lx.CLASS_TYPES.get(noun.head) == "work":
            self.add(entry, "released in", Literal(dated.value, dated.datatype), 0.9)

    def _other_parent(self, entry: Entry, noun: NounPhrase) -> list[Entry]:
        """In "the son of A and his wife B" it is A's wife and the son's mother; returns A."""
        if not noun.owner or not noun.owner.pronoun or not {"wife", "husband", "consort"} & set(noun.words):
            return []
        before = self.text[self.span[0] : noun.owner.start]
        if not re.search(r"\b(?:son|daughter|child|children|sons|daughters) of\b[^.;]*(?:\bby|\band|,)\s*$", before):
            return []
        named = [other for other in self.nouns if other.name and other.end <= noun.owner.start]
        if not named:
            return []
        parent = self.named_entry(named[-1])
        entry.gender = "f" if "wife" in noun.words or "consort" in noun.words else "m"
        if self.topic or self.discourse.main:
            child = self.topic[1] if self.topic else self.discourse.main
            if child and child not in (entry, parent):
                self.add(child, "mother" if entry.gender == "f" else "father", entry, 0.75)
        return [parent]

    def _targets(self, noun: NounPhrase) -> list[Entry]:
        """Entities behind "of", or the owner."""
        nouns = list(noun.of)
        if noun.owner and noun.owner is not noun:
            nouns.append(noun.owner)
        for part in noun.of:
            if part.name and part.owner is None and part.of:
                nouns += part.of
        return [entry for part in nouns if (entry := self.entity(part))]

    def _role(
        self, entry: Entry, words: tuple[str, ...], noun: NounPhrase, targets: list[Entry], when: Period, premodifier: bool
    ) -> None:
        former = self.former or bool({"former", "ex", "then"} & set(words))
        role, label = role_of(words)
        noble = next((word for word in words if word in lx.NOBILITY), "")
        if class_type(words[-1]) or noble:
            entry.call(words[-1] if class_type(words[-1]) else noble)
            entry.classes.add(" ".join(words))
        if class_type(words[-1]) or (not premodifier and noun.det in ("a", "an", "another") and words[-1] == noun.head):
            text = " ".join(word for word in words if word not in _FILLERS)
            text = text.replace("- ", "-")
            if text and len(text.split()) <= 6 and words[-1] not in lx.CIVIL_TITLES and (label not in KINSHIP or not targets):
                self.add(entry, "is a", Literal(text), 0.8 if not premodifier else 0.7)
        if not label or (not targets and premodifier and noun.names):
            targets = targets or [self.discourse.add(name) for name, _, _ in noun.names] if label else []
        board = [part.head for part in noun.of] == ["board"]
        if (
            label
            and not targets
            and (board or not (noun.of or noun.owner))
            and label in _COMPANY_ROLES
            and (noun.det in ("the", "its", "") or former)
        ):
            target = self.discourse.main if premodifier else self.discourse.organization()
            target = target if target and target.type == "organization" else None
            targets, self.weak = ([target] if target and target is not entry else []), True
        for n, target in enumerate(targets if label else []):
            self._role_fact(entry, role, label, target, n, len(noun.of), former, when)

    def _role_fact(self, entry: Entry, role: str, label: str, target: Entry, n: int, of: int, former: bool, when: Period) -> None:
        if label in WORK_ROLES and target.type == "work":
            label = WORK_ROLES[label]
        if label in ("child of", "<child of") and role in PARENT_WORDS:
            entry.type = entry.type or "person"
            entry.gender = entry.gender or {"son": "m", "daughter": "f"}.get(role, "")
            self._parent(entry, target, n, of)
            return
        if label in KINSHIP:
            entry.type, target.type = entry.type or "person", target.type or "person"
        if former and when[1] is None:
            self.relate(entry, f"{'<' if label[0] == '<' else ''}former {label.lstrip('<')}", target, 0.75, when)
        else:
            self.relate(entry, label, target, 0.85, when)

    def _parent(self, child: Entry, parent: Entry, n: int, of: int) -> None:
        """Father or mother: by the parent's name, else by the order of "the son of A and B"."""
        parent.type = parent.type or "person"
        gender = parent.gender or ("" if of < 2 else "mf"[n % 2])
        label = {"m": "father", "f": "mother"}.get(gender, "child of")
        self.add(child, label, parent, 0.85 if parent.gender else 0.65)

    def _date_in(self, noun: NounPhrase) -> DateSpan | None:
        return next((d for at, d in self.dates.items() if noun.start <= at < noun.end), None)


def amount_literal(amount: str) -> Literal:
    """A figure as a literal: plain numbers typed, sums with units as strings.

    >>> amount_literal("1,231"), amount_literal("EUR 3 million").datatype
    (Literal(value='1231', datatype='integer', language=''), 'string')
    """
    plain = amount.replace(",", "")
    if plain.isdigit():
        return Literal(plain, "integer")
    if re.fullmatch(r"\d+\.\d+", plain):
        return Literal(plain, "decimal")
    return Literal(amount)


def _segments(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The parts of "founder and chief executive"."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in ("and", "&"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [tuple(part) for part in parts if part]


def role_of(words: tuple[str, ...]) -> tuple[str, str]:
    """The longest role noun that ends the words, and its relation label."""
    words = tuple(word for word in words if word != "deputy") if "deputy" not in words else words
    for n in (4, 3, 2, 1):
        role = " ".join(words[-n:])
        if len(words) >= n and role in ROLES:
            return role, ROLES[role]
    return "", ""


def noun_type(noun: NounPhrase) -> str:
    return next((kind for word in reversed(noun.words) if (kind := class_type(word))), "")
