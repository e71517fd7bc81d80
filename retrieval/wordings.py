"""How people ask for relations: the lexicon of well-known relation families.

A graph says `chief executive of`; a person asks who *runs* a firm. A `Family` groups the labels that mean one thing with
the verbs that ask for it and the nouns that name either end. Verbs do not say a direction (the syntax of the question
does); nouns do: in "the supplier of X" the noun names the subject of `supplies`. A relation outside every family is its
own family, asked for by the words of its label.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..kg.errors import InputError
from ..kg.model import normalize

_SUFFIXES = (
    "ations",
    "ation",
    "itions",
    "ition",
    "ments",
    "ment",
    "ships",
    "ship",
    "ings",
    "ing",
    "iers",
    "ier",
    "ies",
    "ied",
    "ers",
    "er",
    "ors",
    "or",
    "ees",
    "ee",
    "ed",
    "es",
    "s",
    "y",
    "e",
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A light English stem for comparing words, never shown: `suppliers`, `supplies`, `supplied` share one.

    >>> stem("suppliers") == stem("supplied") == stem("supply")
    True
    >>> stem("owner") == stem("owns"), stem("chairmen") == stem("chairman"), stem("heiresses") == stem("heiress")
    (True, True, True)
    """
    word = re.sub(r"(?<=..)men$", "man", word.lower())
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not (suffix == "s" and word.endswith(("ss", "us"))):
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.removesuffix("i").removesuffix("y")


@lru_cache(maxsize=8192)
def stems(phrase: str) -> tuple[str, ...]:
    """The stems of a phrase's words."""
    return tuple(stem(word) for word in re.findall(r"[\w&]+", phrase.lower()))


@dataclass(frozen=True, slots=True)
class Family:
    """Relations that mean one thing, in one direction.

    Attributes:
        name: the label the family goes by.
        labels: labels of relations that say it from subject to object (compared normalised).
        inverse_labels: labels that say it from object to subject ("owned by" for `owns`).
        verbs: words that ask for it in either direction.
        subject_nouns: nouns that name its subject ("supplier").
        object_nouns: nouns that name its object ("customer").
        subject_type, object_type: coarse types of its ends, "" for any.
        event: it happens at a moment, so a date in a question means when, not meanwhile.
        adjectival: its participle describes the subject ("X is based in"), so a passive does not swap its ends.
        weak_verbs: verbs that may ask for it when nothing better is recorded ("who heads" for a director).
        closed: the end that is taken to be recorded in full ("subject": whoever owns a firm is known), so that another
            name there means no; relations that may have more ends than are recorded leave it "".
        two_way: verbs whose subject may be either end ("a film stars an actor", "an actor stars in a film").
        exclusive: "subject" when an object has one subject at a time (a firm's chief executive), "object" the other way.
    """

    name: str
    labels: tuple[str, ...] = ()
    inverse_labels: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    subject_nouns: tuple[str, ...] = ()
    object_nouns: tuple[str, ...] = ()
    subject_type: str = ""
    object_type: str = ""
    event: bool = False
    adjectival: bool = False
    weak_verbs: tuple[str, ...] = ()
    two_way: tuple[str, ...] = ()
    exclusive: str = ""
    closed: str = ""

    @property
    def symmetric(self) -> bool:
        """Whether the same nouns name either end, so that a direction says nothing ("spouse", "sibling")."""
        return bool(self.subject_nouns) and {*self.subject_nouns} == {*self.object_nouns}

    def is_noun(self, phrase: str) -> bool:
        """Whether a phrase names one of its ends; "supplier" does, and "supplies", though of the same stem, does not."""
        nouns, words = (*self.subject_nouns, *self.object_nouns), stems(phrase)
        if words not in {stems(noun) for noun in nouns}:
            return False
        spelled = {phrase, phrase.removesuffix("s")}
        return words not in {stems(verb) for verb in self.verbs} or bool(spelled & {*nouns} and not spelled & {*self.verbs})


Chain = tuple[tuple[str, int], ...]  # (family, 1 from subject to object or -1) of each hop that one word stands for


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """The packaged families, from the files of `wordings/` in the order of their names."""
    return tuple(Family(**_frozen(row)) for row in _packaged("family"))


@lru_cache(maxsize=1)
def chains() -> tuple[tuple[str, Chain], ...]:
    """The packaged wordings of several hops ("grandson") with the hops of each, the likeliest first.

    "Wife's father" is none of them, as the nested phrase itself says its hops.
    """
    rows = ((row["wordings"], tuple((name, way) for name, way in row["hops"])) for row in _packaged("chain"))
    return tuple((wording, hops) for wordings, hops in rows for wording in wordings if "'" not in wording)


def _packaged(table: str) -> list[dict[str, Any]]:
    files = sorted(Path(__file__).with_name("wordings").glob("*.toml"))
    return [row for file in files for row in tomllib.loads(file.read_text("utf-8")).get(table, [])]


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


IS_A = "is a"


class Lexicon:
    """Look-ups over families: label to family, phrase to families.

    Args:
        known: the families; the first that claims a label has it.
    """

    def __init__(self, known: Iterable[Family]) -> None:
        self.families = {family.name: family for family in known}
        self._by_label: dict[str, tuple[Family, int]] = {}
        self.phrases: dict[tuple[str, ...], set[str]] = {}
        self._heads: dict[tuple[str, ...], set[str]] = {}  # last words of phrases that are nouns only
        for family in self.families.values():
            for label in (family.name, *family.labels):
                self._by_label.setdefault(normalize(label), (family, 1))
            for phrase in (*family.verbs, *family.weak_verbs, *family.subject_nouns, *family.object_nouns):
                self.phrases.setdefault(stems(phrase), set()).add(family.name)
            for noun in (*family.subject_nouns, *family.object_nouns):
                self._heads.setdefault(stems(noun), set()).add(noun.split()[-1])
        for family in self.families.values():
            for phrase in (*family.verbs, *family.weak_verbs):
                self._heads.pop(stems(phrase), None)
        for family in self.families.values():
            for label in family.inverse_labels:
                self._by_label.setdefault(normalize(label), (family, -1))
        self.words = {word for f in self.families.values() for word in (*f.verbs, *f.subject_nouns, *f.object_nouns)}
        self._chains: dict[tuple[str, ...], list[Chain]] = {}
        for phrase, hops in chains():
            self._chains.setdefault(stems(phrase), []).append(hops)
        self.longest = max(map(len, [*self.phrases, *self._chains]), default=0)

    def match(self, words: Sequence[str]) -> frozenset[str]:
        """Names of the families that these words are a wording of; none where they are not.

        Words are compared by stem, except that a noun of several words must end in its own last word: "movies directed" is
        no "movie director".
        """
        key = stems(" ".join(words))
        found = self.phrases.get(key)
        if found is None or (len(words) > 1 and key in self._heads and not _ends_in(words[-1], self._heads[key])):
            return frozenset()
        return frozenset(found)

    def chains(self, phrase: str) -> list[Chain]:
        """The ways to walk a wording of several hops, the likeliest first; none where it is no such wording."""
        return self._chains.get(stems(phrase), [])

    def is_noun(self, phrase: str, names: Iterable[str]) -> bool:
        """Whether a wording of the families named is a noun for an end of one of them, and no verb."""
        spelled = {phrase, phrase.removesuffix("s"), phrase.removesuffix("ies") + "y", phrase.removesuffix("es")}
        known = [self.families[name] for name in names if name in self.families]
        return any(f.is_noun(phrase) and spelled & {*f.subject_nouns, *f.object_nouns} for f in known)

    def family(self, label: str) -> tuple[Family, int]:
        """The family of a relation label and 1, or -1 when the label says it from object to subject.

        A label outside the lexicon is a family of its own.
        """
        normal = normalize(label)
        found = self._by_label.get(normal) or self._by_label.get(normal.removeprefix("has "))
        return found if found is not None else (Family(name=normal), 1)

    def settles(self, label: str, direction: int, *, functional: bool = False) -> bool:
        """Whether walking a relation to one thing denies others at that end.

        Args:
            label: the relation.
            direction: 1 from subject to object of the triple, -1 back.
            functional: a person said that it has one object at a time.
        """
        if functional and direction > 0:
            return True
        family, flip = self.family(label)
        return (family.closed or family.exclusive) == ("object" if direction * flip > 0 else "subject")


def _ends_in(word: str, heads: set[str]) -> bool:
    return any(word in {head, head + "s", head + "es", head[:-1] + "ies"} or word + "s" == head for head in heads)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The packaged lexicon, built on first use."""
    return Lexicon(families())


def read_lexicon(path: Path) -> Lexicon:
    """The packaged lexicon with the wordings of a file beside it, in the form of `wordings.toml`.

    A family of a known name adds to its wordings and overrides its other fields; any other is new.

    Raises:
        InputError: the file is not of that form.
    """
    known = dict(lexicon().families)
    try:
        rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["family"]
        for row in map(_frozen, rows):
            name = normalize(row["name"])
            base = known.get(name, Family(name))
            joined: dict[str, Any] = {
                key: (*getattr(base, key), *value) if isinstance(value, tuple) else value for key, value in row.items()
            }
            known[name] = replace(base, **(joined | {"name": name}))
        return Lexicon(known.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a file of wordings ({type(error).__name__}: {' '.join(str(error).split())})") from error
