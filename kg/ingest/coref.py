"""Who "she", "the company" and "Vance" are: the entities of one document, in the order they are named.

Rules, no model: a short form belongs to the one longer name it is part of; a pronoun to the last subject that fits, then
to what the document is about, then to the last entity that fits; "the supplier" to the last entity called a supplier,
then to the last one of the same coarse type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..model import Name, normalize
from . import lexicon as lx

_HE = frozenset("he him his himself".split())
_SHE = frozenset("she her hers herself".split())
_IT = frozenset("it its itself".split())
_THEY = frozenset("they them their themselves".split())


@dataclass(slots=True, eq=False)
class Entry:
    """An entity of the document. `classes` are the nouns it was called by ("supplier")."""

    label: str
    type: str = ""
    gender: str = ""
    classes: set[str] = field(default_factory=set)
    aliases: list[str] = field(default_factory=list)

    def name(self) -> Name:
        return Name(self.label, self.type, aliases=tuple(self.aliases))

    def call(self, noun: str) -> None:
        """Note that the entity was called a `noun`."""
        self.classes.add(noun)
        kind = class_type(noun)
        if kind and (not self.type or self.type == kind):
            self.type = kind

    def alias(self, label: str) -> None:
        if label and label != self.label and label not in self.aliases and len(label) > 1:
            self.aliases.append(label)


def class_type(noun: str) -> str:
    """Coarse type of a class noun; of "singer-songwriter" that of its last part."""
    return lx.CLASS_TYPES.get(noun) or lx.CLASS_TYPES.get(noun.rpartition("-")[2], "")


def guess_type(label: str) -> str:
    """Coarse type of a name from its own words, "" when they do not tell.

    >>> guess_type("Brightwater Labs"), guess_type("Mary Vance"), guess_type("Tarn City"), guess_type("Oslo")
    ('organization', 'person', 'place', '')
    """
    words = [word.strip(".,").lower() for word in label.split()]
    if not words:
        return ""
    if words[-1] in lx.ORGANIZATION_WORDS or words[0] in ("bank", "university", "ministry", "department", "society", "institute"):
        return "organization"
    if words[-1] in lx.PLACE_WORDS or (words[0] in ("port", "lake", "mount", "cape", "fort") and len(words) > 1):
        return "place"
    if words[-1] in lx.EVENT_WORDS or words[0] in ("battle", "treaty", "war", "siege"):
        return "event"
    if words[0] in ("mv", "ms", "ss", "hms"):
        return "product"
    person = words[0] in lx.MALE or words[0] in lx.FEMALE or words[0] in ("sir", "lady", "saint") or "earl" in words
    if len(words) > 1 and (person or re.match(r"[A-Z]\.", label)):
        return "person"
    return ""


def untitled(label: str) -> str:
    """A person's name without the title before it: "Sultan Mehmed II" -> "Mehmed II"."""
    first, _, rest = label.partition(" ")
    titled = first.lower() in lx.NOBILITY or first.lower() in ("sir", "dame")
    return rest if titled and rest and rest[0].isupper() and not rest.startswith(("Of ", "of ")) else label


def guess_gender(label: str) -> str:
    """m, f or "" from given names and titles."""
    words = re.findall(r"[^\W\d_]+", label.lower())
    if any(word in lx.FEMALE_TITLES for word in words) or (words and words[0] in lx.FEMALE):
        return "f"
    return "m" if any(word in lx.MALE_TITLES for word in words) or (words and words[0] in lx.MALE) else ""


class Discourse:
    """The entities named so far.

    Attributes:
        main: what the document is about, if that is clear.
        titled: whether its title says so, or only its headline names it first.
        subject: the subject of the last clause read.
        recent: entities in the order they were last named.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.recent: list[Entry] = []
        self.main: Entry | None = None
        self.subject: Entry | None = None
        self.titled = False
        self._by_word: dict[str, list[Entry]] = {}

    def add(self, label: str, kind: str = "") -> Entry:
        """The entity a name stands for, new if no earlier one fits."""
        key = normalize(label)
        entry = self.entries.get(key) or self._short_form(label, key)
        if entry is None:
            entry = Entry(label, kind or guess_type(label), guess_gender(label))
            entry.alias(untitled(label))
            if entry.type != "place" and " " in (short := label.partition(", ")[0]):
                entry.alias(short)  # Bernhard III, Prince of Anhalt
            for word in key.split():
                self._by_word.setdefault(word, []).append(entry)
        self.entries[key] = entry
        if kind and not entry.type:
            entry.type = kind
        self.touch(entry)
        return entry

    def current(self, name: Name) -> Name:
        """The name with what has been learnt about it since."""
        entry = self.entries.get(normalize(name.label))
        return entry.name() if entry and entry.label == name.label else name

    def same(self, label: str, entry: Entry) -> None:
        """Note that `label` is another name of `entry`."""
        entry.alias(label)
        entry.gender = entry.gender or guess_gender(label)
        self.entries[normalize(label)] = entry
        for word in normalize(label).split():
            self._by_word.setdefault(word, []).append(entry)

    def _short_form(self, label: str, key: str) -> Entry | None:
        """The only entity whose name begins or ends with this shorter one, or that this one lengthens by a legal form."""
        words = key.split()
        fits = [entry for entry in dict.fromkeys(self._by_word.get(words[0], [])) if _is_form_of(words, entry)]
        if len(fits) != 1 or (len(words) == 1 and guess_type(label)):
            return None
        if len(words) > 1 or fits[0].type != "person":
            fits[0].alias(label)
        return fits[0]

    def pronoun(self, word: str, prefer: Entry | None = None) -> Entry | None:
        """The entity a pronoun stands for; `prefer` is the subject of the sentence it stands in."""
        if word in _HE or word in _SHE:
            gender = "m" if word in _HE else "f"
            found = self._find(
                lambda e: e.type in ("person", "") and e.gender in (gender, "") and (e is self.main or _may_be_person(e)), prefer
            )
            if found:
                found.gender, found.type = gender, "person"
            return found
        if word in _IT or word in _THEY:
            known = ("organization", "work", "place", "product", "event")
            titled = self.titled and self.main is not None and self.main.type == "organization"
            if prefer is None and not titled and self.subject and self.subject.type == "" and " " in self.subject.label:
                return self.subject
            return self._find(lambda e: e.type in known, prefer) or self._find(lambda e: e.type == "", prefer)
        return None

    def touch(self, entry: Entry) -> None:
        """Note that the entity was just spoken of."""
        if entry in self.recent:
            self.recent.remove(entry)
        self.recent.append(entry)

    def common(self, noun: str, phrase: str = "") -> Entry | None:
        """The entity that "the <noun>" stands for; "the paint maker" only one that was called just that."""
        kind = lx.CLASS_TYPES.get(noun, "")
        if phrase and phrase != noun:
            exact = [e for e in self.recent if phrase in e.classes]
            return exact[-1] if exact else None
        called = [e for e in self.recent if noun in e.classes]
        if self.main and self.main in called:
            return self.main
        if called:
            return called[-1]
        if noun in _AUTHORITIES:
            return self._find(lambda e: _is_authority(e) and (noun in _ANY_AUTHORITY or noun in e.label.lower().split()))
        named = [e for e in self.recent if noun in e.label.lower().split() or f"ship{noun}" in e.label.lower().split()]
        if named and noun in lx.ANAPHORS:
            return self.main if self.main in named else named[-1]
        if noun not in lx.ANAPHORS and noun not in ("actor", "actress", "director", "singer"):
            return None
        if noun in ("company", "firm", "group", "film", "song", "album", "movie", "organisation", "organization", "business"):
            if self.main and (self.main.type == kind or (not self.main.type and len(self.main.label.split()) > 1)):
                self.main.type = kind
                return self.main
            return self._find(lambda e: e.type == kind and not _is_authority(e)) or self._find(
                lambda e: e is self.main and not e.type
            )
        return self._find(lambda e: e.type == kind and not e.classes) if kind in ("work", "place", "product") else None

    def organization(self) -> Entry | None:
        """The organisation spoken of."""
        if self.main and self.main.type == "organization":
            return self.main
        return self._find(lambda e: e.type == "organization" and not _is_authority(e))

    def _find(self, fits: Callable[[Entry], bool], prefer: Entry | None = None) -> Entry | None:
        recent = reversed(self.recent)
        for entry in (prefer, self.subject, *((self.main, *recent) if self.titled else (*recent, self.main))):
            if entry is not None and fits(entry):
                return entry
        return None


def _is_form_of(words: list[str], entry: Entry) -> bool:
    """Whether these words are a shorter name of the entity, or its name with a legal form added."""
    other = normalize(entry.label).split()
    if len(other) <= len(words):
        return words[: len(other)] == other and set(words[len(other) :]) <= lx.LEGAL_FORMS and entry.type in ("organization", "")
    if other[: len(words)] == words:
        if entry.type == "person":
            return len(words) > 1 or "of" not in other
        return entry.type == "organization" or (entry.type == "" and len(words) > 1)
    return other[-1:] == words and entry.type in ("person", "")


_ANY_AUTHORITY = frozenset("authority regulator agency watchdog".split())
_AUTHORITIES = _ANY_AUTHORITY | frozenset("inspectorate board office ministry commission council bureau court".split())


def _is_authority(entry: Entry) -> bool:
    """A public body: never "the company"."""
    return bool(_AUTHORITIES & set(entry.label.lower().split()))


def _may_be_person(entry: Entry) -> bool:
    return entry.type == "person" or (
        entry.type == "" and len(entry.label.split()) >= 2 and not any(c.isdigit() for c in entry.label)
    )
