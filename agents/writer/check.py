"""Reading a text back: which facts it states, with which citations, and whether it has a word that it may not have.

This knows nothing of how the text came about. Names and tails are found in it again, it is cut into clauses, and each clause is
read as a predicate with its ends. A text passes when what it states are the facts of the story, all of them, each with its own
citations and dates, and its words are those of the question, the relations, the quotes, or function words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ...retrieval.phrases import plural
from ...retrieval.wordings import stem
from ..predicates import Predicate, base, named, predicates
from .story import NAME, TAIL, Story, Told

_N = f"[{chr(NAME)}-{chr(TAIL - 1)}]"
_T = f"[{chr(TAIL)}-{chr(TAIL + 0x3FF)}]"
_ITEM = f"{_N}{_T}?"
_LIST = f"({_ITEM}(?:, {_ITEM})*(?: and {_ITEM})?)"
_BE = "(?:is|are|was|were)"
_WORDS = f"(?P<words>[^{chr(NAME)}-{chr(TAIL + 0x3FF)}]+)"
_RELATIVE = re.compile(rf"({_N}){_T}?, (who|which|whose|of which|of whom) ")
_APPOSED = re.compile(rf"({_N})(?:'s|') ([^,]+), ({_N})({_T}?), (?=(?:{_BE}|\w+) )")
_READINGS = (  # form, kind, whether X stands first
    (re.compile(rf"{_LIST}(?:'s|') {_WORDS} {_BE} {_LIST}"), "noun", True),
    (re.compile(rf"[Tt]he {_WORDS} of {_LIST} {_BE} {_LIST}"), "noun", True),
    (re.compile(rf"{_LIST} {_BE} (?:(?:the|an|a) )?{_WORDS} of {_LIST}"), "noun", False),
    (re.compile(rf"{_LIST} {_BE} (?P<words>an?) {_LIST}"), "class", True),
    (re.compile(rf"{_LIST} {_BE} {_WORDS} by {_LIST}"), "passive", False),
    (re.compile(rf"{_LIST} {_BE} {_WORDS} {_LIST}"), "participle", True),
    (re.compile(rf"{_LIST} {_WORDS} {_LIST}"), "verb", True),
)


class Clause(NamedTuple):
    """What a clause says: a kind of predicate, its words, and what stands as X and as Y, in marks."""

    kind: str
    words: str
    x: str
    y: str


def faults(story: Story, text: str) -> list[str]:
    """What is wrong with a text, nothing for one that says the story."""
    lead = f"{story.lead}: " if story.lead else ""
    if not text.startswith(lead) or not text.endswith("."):
        return ["it does not begin with the answer or end with a full stop"]
    tails = list(dict.fromkeys(fact.tail for fact in story.facts))
    marked = _marked(text[len(lead) : -1], story, tails)
    found = [f"the word {word!r} is in no source" for word in _words(marked) if not _may_say(word, story)]
    told: set[int] = set()
    for sentence in _resumed(marked, story).split(". "):
        facts = _sentence(sentence, story, tails)
        if facts is None:
            return [*found, f"it cannot be read: {_plain(sentence)}"]
        told |= facts
    missing = {*range(len(story.facts))} - told
    return [*found, *(f"it leaves out {story.facts[i].label}" for i in sorted(missing))]


def _marked(text: str, story: Story, tails: Sequence[str]) -> str:
    """The text with names and tails as marks, the longest first."""
    marks = {name: chr(NAME + i) for i, name in reversed(list(enumerate(story.names)))}
    marks |= {tail: chr(TAIL + i) for i, tail in enumerate(tails) if tail}
    forms = sorted(marks, key=len, reverse=True)
    some = [re.escape(form) + (r"(?!\w)" if form[-1:].isalnum() else "") for form in forms]
    lead = [r"(?<!\w)" + one if form[:1].isalnum() else one for form, one in zip(forms, some, strict=True)]
    return re.sub("|".join(lead), lambda match: marks[match[0]], text)


def _resumed(marked: str, story: Story) -> str:
    """ "It" and "its" at the beginning as the name that the lead has said."""
    if story.lead not in story.names:
        return marked
    name = chr(NAME + story.names.index(story.lead))
    return re.sub(r"^its ", f"{name}'s ", re.sub(r"^it ", f"{name} ", marked))


def _sentence(text: str, story: Story, tails: Sequence[str]) -> set[int] | None:
    """Facts that a sentence states; None where it cannot be read as some of them."""
    told: set[int] = set()
    if match := _APPOSED.match(text):
        owner, noun, name, tail = match.groups()
        stated = _stated([Clause("noun", noun, owner, name + tail)], story, tails)
        if stated is None:
            return None
        told, text = stated, f"{name} {text[match.end() :]}"
    if match := _RELATIVE.search(text):
        name, word = match.groups()
        head = text[: match.end() - len(f", {word} ")]
        opened = {"whose": f"{name}'s "}.get(word, f"{name} ")
        rest = text[match.end() :]
        if word.startswith("of "):
            opened, (rest, comma, after) = "", rest.partition(", ")
            rest = f"{rest} of {name}{comma}{after}"
        parts = [_sentence(head, story, tails), _sentence(opened + rest, story, tails)]
        return None if None in parts else told.union(*(part for part in parts if part))
    if (stated := _stated(_clauses(text), story, tails)) is not None:
        return told | stated
    for joint in re.finditer(" and ", text):
        parts = [_stated(_clauses(part), story, tails) for part in (text[: joint.start()], text[joint.end() :])]
        if None not in parts:
            return told.union(*(part for part in parts if part))
    return None


def _clauses(text: str) -> Iterator[Clause]:
    """The ways to read a clause."""
    for form, kind, x_first in _READINGS:
        if match := form.fullmatch(text):
            first, second = (group for i, group in enumerate(match.groups(), 1) if i != form.groupindex["words"])
            yield Clause(kind, match["words"], *((first, second) if x_first else (second, first)))


def _stated(clauses: Iterator[Clause] | Sequence[Clause], story: Story, tails: Sequence[str]) -> set[int] | None:
    """The facts of the first reading that states nothing but facts."""
    for clause in clauses:
        pairs = [(x, y) for x in re.findall(_ITEM, clause.x) for y in re.findall(_ITEM, clause.y)]
        facts = [_fact(clause, x, y, story, tails) for x, y in pairs]
        if all(fact is not None for fact in facts):
            return {fact for fact in facts if fact is not None}
    return None


def _fact(clause: Clause, x: str, y: str, story: Story, tails: Sequence[str]) -> int | None:
    """The fact that a clause states of one X and one Y, with its own tail on one of them."""
    said = [tails[ord(item[1]) - TAIL] for item in (x, y) if len(item) > 1]
    ends = (ord(x[0]) - NAME, ord(y[0]) - NAME)
    for i, fact in enumerate(story.facts):
        own = said == [fact.tail] or (not said and not fact.tail)
        if own and any(ends == _ends(fact, p) and _says(p, clause) for p in _known(fact, story)):
            return i
    return None


def _known(fact: Told, story: Story) -> tuple[Predicate, ...]:
    return (*predicates(fact.label), *named(fact.label, story.asked))


def _ends(fact: Told, p: Predicate) -> tuple[int, int]:
    return (fact.object, fact.subject) if p.flip else (fact.subject, fact.object)


def _says(p: Predicate, clause: Clause) -> bool:
    """Whether a clause's words are a form of a predicate."""
    if clause.kind == "passive":
        return p.kind == "verb" and " " not in p.words and base(clause.words) == base(p.words)
    if clause.kind != p.kind:
        return False
    if p.kind == "noun":
        return clause.words in {p.words, plural(p.words)}
    if p.kind == "class":
        return True
    if p.words.endswith(" on") and clause.words == f"{p.words[:-2]}in":
        return True
    if p.kind == "participle":
        return clause.words == p.words
    mine, theirs = p.words.partition(" "), clause.words.partition(" ")
    return base(mine[0]) == base(theirs[0]) and mine[2] == theirs[2]


@lru_cache(maxsize=1)
def function_words() -> tuple[str, ...]:
    """Words that any text may have, from the file beside this one."""
    lines = Path(__file__).with_name("function_words.txt").read_text("utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def _words(marked: str) -> list[str]:
    return re.findall(r"\w+", re.sub(f"{_N}|{_T}", " ", marked).replace("'s ", " ").lower())


def _may_say(word: str, story: Story) -> bool:
    return word in _FUNCTION or stem(word) in story.known or base(word) in {base(known) for known in story.known}


def _plain(text: str) -> str:
    return re.sub(f"{_N}|{_T}", "_", text)


_FUNCTION = frozenset(function_words())

__all__ = ["Clause", "faults", "function_words"]
