"""Relation labels as English predicates: what a sentence may say for `home port`, `chief executive of` or `supplied by`.

A `Predicate` is one way to say a fact from its subject to its object, or the other way round where `flip` is set. Its words
are those of the label, inflected, or of the question: nothing is said that neither says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal as OneOf

from ..retrieval.phrases import plural, verb
from ..retrieval.wordings import IS_A, Family, lexicon, stem

Kind = OneOf["class", "noun", "verb", "participle"]
_PREPOSITIONS = frozenset("in by at on to from with as for of under after into near against behind between within".split())
_PARTICIPLE = re.compile(
    r"^(?:\w+ly )?\w+(?:ed|en|own|orn|uilt|old|ade|set|ung|ound|un) (?:in|by|at|on|to|from|with|as|for|of|under|after|into)\b"
)
_HAPPENED = frozenset(
    "born founded established released died published dissolved incorporated formed completed named educated buried killed "
    "appointed nominated awarded launched opened discovered".split()
)
_PAST = frozenset("built bought sold made won led wrote held took ran had became left met gave sent grew lent sang drew".split())
_BY_DATE = {  # family: what is said of its subject; "on" a day, "in" a month or year
    "date of birth": "born on", "date of death": "died on", "founded in": "founded on", "dissolved in": "dissolved on",
    "release year": "released on",
}  # fmt: skip
_BY_PLACE = {"born in": "born in", "died in": "died in", "headquartered in": "headquartered in", "located in": "located in"}
_INTRANSITIVE = frozenset({"died"})


@dataclass(frozen=True, slots=True)
class Predicate:
    """One way to say a fact.

    Attributes:
        kind: "class" (X is a port), "noun" (X's mother is Y), "verb" (X supplies Y), "participle" (X is located in Y).
        words: the noun, the verb phrase in the present (or past, for what happened), the participle with its preposition.
        flip: the fact's object is X and its subject is Y.
        one: a noun that one thing at a time answers to, so that "the" may stand before it.
        past: said in the past whatever the question.
    """

    kind: Kind
    words: str
    flip: bool = False
    one: bool = True
    past: bool = False


@lru_cache(maxsize=4096)
def predicates(label: str) -> tuple[Predicate, ...]:
    """The ways to say a relation by its label, the nearest to its own words first."""
    label = label[:1].lower() + label[1:] if label[1:2].islower() else label
    family, way = lexicon().family(label)
    first = _nearest(label, family, way)
    found = [first]
    if first.kind == "noun" and not first.flip:
        said = _BY_DATE.get(family.name) or _BY_PLACE.get(family.name)
        if said and way > 0:
            verbal, *_ = said.split()
            kind: Kind = "verb" if verbal in _INTRANSITIVE else "participle"
            found.append(Predicate(kind, said, past=verbal in _HAPPENED))
    if first.kind == "noun" and (acts := _same_stem(first.words, family)):
        found.append(Predicate("verb", acts, flip=(way < 0), past=_is_past(acts.split()[0])))
    if first.kind == "participle" and first.words.endswith(" by") and (acts := _active(first.words)):
        found.append(Predicate("verb", acts, flip=not first.flip, past=True))
    return tuple(found)


def named(label: str, words: frozenset[str]) -> Iterator[Predicate]:
    """Ways to say a relation by the nouns of its own verb, where the question has them: "supplier" for `supplies to`.

    Args:
        label: the relation.
        words: of the question, in small letters.
    """
    family, way = lexicon().family(label)
    own = {stem(word) for word in label.split()}
    for nouns, subject in ((family.subject_nouns, True), (family.object_nouns, False)):
        for noun in nouns:
            if noun.isalpha() and stem(noun) in own and noun not in label.split() and {noun, plural(noun)} & words:
                yield Predicate("noun", noun, flip=(way > 0) == subject, one=False)
                break


def _nearest(label: str, family: Family, way: int) -> Predicate:
    """The predicate that keeps the label's own words."""
    words = label.removeprefix("is ").split() if label != IS_A else ["a"]
    if family.name == IS_A and label in {IS_A, "instance of", "type", "kind"}:
        return Predicate("class", "a")
    if words[:1] == ["has"] and len(words) > 1 and words[-1] not in _PREPOSITIONS:
        return Predicate("noun", " ".join(words[1:]), one=_one(family, way, flip=False))
    if words[:2] == ["member", "of"]:
        return Predicate("noun", "member", flip=True, one=False)
    if words[:1] == ["was"] and len(words) > 1:
        return Predicate("participle", " ".join(words[1:]), past=True)
    phrase = " ".join(words) or label
    if _PARTICIPLE.match(phrase):
        happened = phrase.endswith(" by") or words[0] in _HAPPENED or words[0].startswith("former")
        return Predicate("verb" if words[0] in _INTRANSITIVE else "participle", phrase, past=happened)
    if len(words) > 1 and words[-1] in _PREPOSITIONS and not _is_verb(words, family):
        if words[-1] == "of":
            return Predicate("noun", " ".join(words[:-1]), flip=True, one=_one(family, way, flip=True))
        return Predicate("participle", phrase)
    if words and (words[0] in _PREPOSITIONS or label.startswith("is ")):
        return Predicate("participle", phrase)
    if words and _is_verb(words, family):
        return Predicate("verb", phrase, past=_is_past(words[0]))
    return Predicate("noun", singular(phrase), one=_one(family, way, flip=False))


def _one(family: Family, way: int, *, flip: bool) -> bool:
    """Whether the noun of a label has one bearer at a time: the object of the triple, or its subject where `flip`."""
    if not flip:
        return True
    return family.exclusive == ("subject" if way > 0 else "object")


def _is_past(word: str) -> bool:
    return word in _PAST or word.endswith("ed")


def _is_verb(words: list[str], family: Family) -> bool:
    """Whether a label begins with a verb in the third person or the past; "sports team" and "languages" do not."""
    word = words[0]
    if word in _PAST or word in {"has", "is", "says"}:
        return True
    made = verb(" ".join(words))
    if made is not None and made.rest and f"{made.base} {made.rest}" in family.verbs:
        return True
    known = bool(lexicon().match([word]))
    if word.rstrip("s") in {noun.rstrip("s") for noun in (*family.subject_nouns, *family.object_nouns)}:
        return False
    if word.endswith("ed"):
        return len(words) == 1 or known or words[1] in _PREPOSITIONS
    if not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return False
    return (known and _known_verb(word)) or (len(words) > 1 and bool({words[1], words[-1]} & _PREPOSITIONS - {"of"}))


def _known_verb(word: str) -> bool:
    """Whether the third person is one of a verb of the lexicon."""
    made = verb(word)
    if made is None:
        return False
    families = (lexicon().families[name] for name in lexicon().match([word]) if name in lexicon().families)
    return any(made.base in {v.split()[0] for v in family.verbs} for family in families)


def _same_stem(noun: str, family: Family) -> str:
    """The family's name where it is a verb that the noun is made of ("director": "directed"), else ""."""
    name = family.name
    if " " in noun or " " in name or stem(noun) != stem(name) or noun == name or not _is_verb([name], family):
        return ""
    return name


def _active(participle: str) -> str:
    """The past of a participle with "by": "written by" gives "wrote"; "" where it is not known."""
    words = participle.split()
    if len(words) != 2:
        return ""
    made = verb(words[0])
    return made.past if made is not None else words[0] if words[0].endswith("ed") else ""


def passive(words: str) -> str:
    """The participle of a verb phrase of one word, "" for any other.

    >>> passive("owns"), passive("wrote"), passive("supplies to")
    ('owned', 'written', '')
    """
    if " " in words:
        return ""
    if words.endswith("ed"):
        return words
    made = verb(words)
    return made.participle if made is not None and made.base not in {"have", "do", "be", "become"} else ""


def inflected(words: str, *, plural: bool, past: bool) -> str:
    """A verb phrase for a plural subject or the past.

    >>> inflected("supplies to", plural=True, past=False), inflected("owns", plural=False, past=True)
    ('supply to', 'owned')
    """
    first, space, rest = words.partition(" ")
    made = None if _is_past(first) else verb(first)
    if made is None:
        return words
    return (made.past if past else made.base if plural else first) + space + rest


def singular(noun: str) -> str:
    """A noun of the lexicon without its plural ending; any other as it is.

    >>> singular("parents"), singular("children"), singular("genus")
    ('parent', 'child', 'genus')
    """
    shorter = (noun.removesuffix("ren"), noun.removesuffix("ies") + "y", noun.removesuffix("es"), noun.removesuffix("s"))
    return next((one for one in shorter if one != noun and one in lexicon().words and plural(one) == noun), noun)


def is_plural(noun: str) -> bool:
    """Whether a noun is a plural, as far as its form says."""
    return noun.endswith("children") or (noun.endswith("s") and not noun.endswith(("ss", "us", "is", "series", "species")))


def article(phrase: str) -> str:
    return "an" if phrase[:1].lower() in {*"aeiou"} else "a"


def possessive(name: str) -> str:
    return name + ("'" if name.endswith("s") else "'s")


def base(word: str) -> str:
    """What the forms of a verb share: "written", "wrote" and "writes" are one."""
    made = verb(word)
    return stem(made.base if made is not None else word)


__all__ = [
    "Kind",
    "Predicate",
    "article",
    "base",
    "inflected",
    "is_plural",
    "named",
    "passive",
    "possessive",
    "predicates",
    "singular",
]
