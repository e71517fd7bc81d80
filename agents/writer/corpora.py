"""Stories that people have told: sentences with the facts they state, names as marks. No text of a benchmark's test set.

A question about one of its facts, put into words by the lexicon, stands before some of them.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...kg.extraction.examples import Example, read_documents, read_sentences
from ...retrieval.phrases import SLOT, Phraser, say
from ...retrieval.wordings import lexicon
from ..predicates import base
from .check import function_words
from .story import NAME, Step, Story, Told

_SAYABLE, _ASKED = 0.5, 0.5  # share of words that must be sayable, and of stories with a question
_SHORTEST, _LONGEST, _FACTS = 4, 40, 3  # words and facts of a sentence
_FUNCTION = frozenset(word.lower() for word in function_words())


@dataclass(frozen=True, slots=True)
class Lesson:
    """A story, the sentence that a person told it in (in marks), and whether most of its words could be said from the story."""

    story: Story
    text: str
    sayable: bool


def lessons(sentences: Path | None, documents: Path | None, rng: random.Random) -> list[Lesson]:
    """Stories with the sentence that tells each.

    Args:
        sentences: Text2KGBench, sentences with triples.
        documents: Re-DocRED as one document a line.
        rng: for the questions.

    Raises:
        ParseError: a file of another form.
    """
    examples = read_sentences(sentences) if sentences else []
    texts = read_documents(documents) if documents else []
    phraser = Phraser(rng)
    found = [_told(example, 0, len(example.text), phraser) for example in examples]
    found += [_told(text, low, high, phraser) for text in texts for low, high in text.sentences]
    return [one for one in found if one is not None]


def _told(example: Example, low: int, high: int, phraser: Phraser) -> Lesson | None:
    """The story of a sentence; None where it states nothing known, or too much."""
    mentions = [m for m in example.mentions if low <= m[0] and m[1] <= high]
    inside = {entity for _, _, entity in mentions}
    relations = [r for r in example.relations if r[0] in inside and r[2] in inside]
    pairs: dict[frozenset[int], tuple[int, str, int]] = {}
    for relation in relations:
        pairs.setdefault(frozenset({relation[0], relation[2]}), relation)
    if not 0 < len(pairs) <= _FACTS:
        return None
    used = [entity for relation in pairs.values() for entity in (relation[0], relation[2])]
    place = {entity: i for i, entity in enumerate(dict.fromkeys(used))}
    facts = tuple(Told(place[s], label, place[o], "") for s, label, o in pairs.values())
    text, at = "", low
    for start, end, entity in mentions:
        if entity in place and start >= at:
            text += example.text[at:start] + chr(NAME + place[entity])
            at = end
    text = (text + example.text[at:high]).strip()
    names = tuple(example.names[entity] for entity in place)
    people = tuple(None if not example.types[e] else example.types[e] == "person" for e in place)
    words = re.findall(f"[{chr(NAME)}-{chr(NAME + 0x3FF)}]|\\w+", text)
    if not _SHORTEST <= len(words) <= _LONGEST or {*range(len(names))} - {ord(word[0]) - NAME for word in words}:
        return None
    first = [text.index(chr(NAME + i)) for i in range(len(names))]
    story = Story(_question(facts, names, phraser), "", names, people, facts, _chains(facts, first))
    return Lesson(story, text, _share(story, words) >= _SAYABLE)


def _chains(facts: Sequence[Told], first: Sequence[int]) -> tuple[tuple[Step, ...], ...]:
    """The facts as one walk where they make one, else each by itself, from the end that the sentence names first.

    Args:
        facts: of the sentence.
        first: per name, where it stands first.
    """
    walks = []
    for order in itertools.permutations(range(len(facts))):
        for ways in itertools.product((1, -1), repeat=len(facts)):
            walk = tuple(Step(i, way) for i, way in zip(order, ways, strict=True))
            ends = [step.ends(facts) for step in walk]
            names = {name for pair in ends for name in pair}
            if all(a[1] == b[0] for a, b in itertools.pairwise(ends)) and len(names) > len(ends):
                walks.append(walk)
    if walks:
        return (min(walks, key=lambda walk: first[walk[0].ends(facts)[0]]),)
    return tuple((Step(i, 1 if first[fact.subject] < first[fact.object] else -1),) for i, fact in enumerate(facts))


def _question(facts: Sequence[Told], names: Sequence[str], phraser: Phraser) -> str:
    if phraser.rng.random() > _ASKED:
        return ""
    fact, way = phraser.rng.choice(facts), phraser.rng.choice((1, -1))
    family, flip = lexicon().family(fact.label)
    said = say([(family, way * flip)], phraser)
    return said[0].replace(SLOT, names[fact.subject if way > 0 else fact.object]) if said else ""


def _share(story: Story, words: Sequence[str]) -> float:
    """Of the words of a sentence, how many are names, function words or words of its relations."""
    known = {base(word) for fact in story.facts for word in re.findall(r"\w+", fact.label.lower())}
    good = [NAME <= ord(word[0]) < NAME + 0x400 or word.lower() in _FUNCTION or base(word.lower()) in known for word in words]
    return sum(good) / len(good)


def likeness(text: str, other: str) -> float:
    """How much of two texts in marks is the same: F1 of their words and of their pairs of words."""
    one, two = ([*_grams(t)] for t in (text, other))
    same = sum((Counter(one) & Counter(two)).values())
    return 2 * same / (len(one) + len(two)) if one and two else 0.0


def _grams(text: str) -> Iterator[str]:
    words = re.findall(f"[{chr(NAME)}-{chr(NAME + 0x3FF)}]|\\w+|[^\\w\\s]", text.lower())
    yield from words
    yield from (f"{a} {b}" for a, b in itertools.pairwise(words))


def batches(lengths: Sequence[int], most: int, rng: random.Random) -> Iterator[list[int]]:
    """Positions in batches of like length, at most `most` tokens in each, in random order."""
    made: list[list[int]] = [[]]
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i] * rng.uniform(0.85, 1.15)):
        if made[-1] and (len(made[-1]) + 1) * lengths[i] > most:
            made.append([])
        made[-1].append(i)
    rng.shuffle(made)
    yield from made


__all__ = ["Lesson", "batches", "lessons", "likeness"]
