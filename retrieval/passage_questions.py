"""Questions mined from a graph to train the passage scorer: two to four passages that must be read together.

Nobody writes or answers them. A chain follows names from passage to passage (`links`) and asks for its last one, either
in nouns of its relations ("the birthplace of the director of film X") or in the words that stand beside the names, most
of them dropped so that no passage is found by copying it. A comparison names two passages, with what each leads to where
four are wanted. The English is rough; the scorer sees no words, only how well they fit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kg.ingest.sentences import sentences
from ..kg.model import Triple, normalize
from .wordings import lexicon
from .words import STOPWORDS, word_key, word_keys

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .links import Links

KINDS = {"relations": 0.4, "words": 0.3, "comparison": 0.12, "comparison of ends": 0.18}
_TRIES = 150  # chains begun for one question
_ASKING = (
    "Who is",
    "What is",
    "What was",
    "Where is",
    "When is",
    "Who",
    "Which",
    "Where was",
    "When was",
    "In which",
    "How many",
)
_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")
_WORD = re.compile(r"[\w'’-]+")


@dataclass(frozen=True, slots=True)
class MinedQuestion:
    """A question, the places (in the word table) of the passages that it needs, and how it was made."""

    question: str
    places: tuple[int, ...]
    kind: str


class PassageMiner:
    """Mines one graph.

    Args:
        kg: the graph.
        links: its names.
        seed: of every choice; the same graph and seed give the same questions.
    """

    def __init__(self, kg: KnowledgeGraph, links: Links, seed: int = 0) -> None:
        self.links, self.rng = links, random.Random(seed)  # noqa: S311
        table = links.table
        titles = {source.id: _QUALIFIER.sub("", source.title) for source in kg.store.sources()}
        chunks = dict(kg.store.chunks())
        places = {chunks[row].id: place for place, row in enumerate(table.rows.tolist())}
        self.texts = [chunks[row].text for row in table.rows.tolist()]
        self.titles = [titles[chunks[row].source_id] for row in table.rows.tolist()]
        self.facts: dict[int, list[Triple]] = {}
        self.by_relation: dict[str, list[tuple[int, Triple]]] = {}
        for triple in kg.store.triples():
            place = places.get(triple.spans[0].chunk_id) if triple.spans else None
            if place is None or not _worded(triple.relation.label):
                continue
            self.facts.setdefault(place, []).append(triple)
            if normalize(triple.subject.label) == normalize(self.titles[place]):
                self.by_relation.setdefault(triple.relation.label, []).append((place, triple))
        self.compared = sorted(label for label, facts in self.by_relation.items() if len(facts) >= 5)

    def mine(self, count: int) -> Iterator[MinedQuestion]:
        """At most `count` questions; fewer where the graph has no more chains."""
        failures = 0
        while count > 0 and failures < 40:
            kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
            made = (self._made(kind) for _ in range(_TRIES))
            question = next((q for q in made if q and len(set(q.places)) == len(q.places) and len(q.question) > 20), None)
            if question is None:
                failures += 1
            else:
                count -= 1
                yield question

    def _made(self, kind: str) -> MinedQuestion | None:
        return self._comparison(kind) if kind.startswith("comparison") else self._chain(kind)

    # ---- chains

    def _chain(self, kind: str) -> MinedQuestion | None:
        places, names = [self.rng.randrange(len(self.texts))], []
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            step = self._step(places)
            if step is None or not self.titles[places[0]]:
                return None
            names.append(step[0])
            places.append(step[1])
        question = self._of_relations(places, names) if kind == "relations" else self._of_words(places, names)
        return MinedQuestion(question, tuple(places), kind) if question else None

    def _step(self, places: list[int]) -> tuple[str, int] | None:
        """A name that stands in the last passage and another passage that holds it, most often the one about it."""
        here, rng = places[-1], self.rng
        found = list(self.links.names(here).items())
        rng.shuffle(found)
        for words, (key, holders) in found:
            name = _spelling(self.texts[here], words)
            if not name or normalize(name) == normalize(self.titles[here]):
                continue
            about = [place for place in self.links.table.about(key).tolist() if place not in places]
            if about and rng.random() < 0.8:
                return name, rng.choice(about)
            others = [place for place in holders.tolist() if place not in places]
            if 0 < len(others) <= 60 and rng.random() < 0.25:
                return name, rng.choice(others)
        return None

    def _of_relations(self, places: list[int], names: list[str]) -> str:
        chosen = []
        for i, place in enumerate(places):
            facts = self.facts.get(place, [])
            if i < len(names):
                name = normalize(names[i])
                facts = [f for f in facts if name in (normalize(f.subject.label), normalize(f.object.label))]
            if not facts:
                return ""
            chosen.append(self.rng.choice(facts).relation.label)
        topic, kinds = self.titles[places[0]], self._kinds(places[0])
        if kinds and self.rng.random() < 0.4:
            topic = f"{self.rng.choice(kinds)} {topic}"
        middle = "".join(f"the {self._noun(label)} of " for label in chosen[-2::-1]) + topic
        noun, verb = self._noun(chosen[-1]), self._verb(chosen[-1])
        return self.rng.choice([
            f"{self.rng.choice(_ASKING[:5])} the {noun} of {middle}?",
            f"What {noun} does {middle} have?",
            f"{self.rng.choice(['When was', 'Where was', 'When did', 'Where did', 'Why did', 'Which'])} {middle} {verb}?",
            f"{self.rng.choice(_ASKING)} {noun} {middle}?",
        ])  # fmt: skip

    def _of_words(self, places: list[int], names: list[str]) -> str:
        parts = []
        for i, place in enumerate(places):
            words = self._around(place, names[i] if i < len(names) else "")
            if i > 0:
                words = _without(words, names[i - 1])
            title = self.titles[place]
            words = _without(words, title)
            parts.append(self.rng.choice([f"{words} {title}", f"{title} {words}", f"{words} of {title}"]) if i == 0 else words)
        joint = self.rng.choice([" the ", " of the ", " that "])
        return " ".join(f"{self.rng.choice(_ASKING)} {joint.join(parts[::-1])}?".split())

    def _around(self, place: int, name: str) -> str:
        """A few of the words beside a name, beside any word where none is given."""
        rng, text = self.rng, self.texts[place]
        pieces = [text[start:end] for start, end in sentences(text)] or [text]
        pieces = [piece for piece in pieces if name and name.lower() in piece.lower()] or pieces[:3]
        words = re.sub(re.escape(name), " \0 ", rng.choice(pieces), flags=re.I).split() if name else rng.choice(pieces).split()
        if not words:
            return ""
        at, reach = words.index("\0") if "\0" in words else rng.randrange(len(words)), rng.randint(6, 14)
        words = [word for word in words[max(0, at - reach) : at + reach] if word != "\0"]
        share = min(0.9, max(rng.uniform(0.12, 0.5), rng.uniform(2, 6) / max(len(words), 1)))
        kept = [word.strip('.,;:()"') for word in words if rng.random() < (0.75 if word.lower() in STOPWORDS else share)]
        return " ".join(kept)

    # ---- comparisons

    def _comparison(self, kind: str) -> MinedQuestion | None:
        if not self.compared:
            return None
        rng, label = self.rng, self.rng.choice(self.compared)
        (first, one), (second, other) = rng.sample(self.by_relation[label], 2)
        x, y, noun, verb = self.titles[first], self.titles[second], self._noun(label), self._verb(label)
        if kind == "comparison":
            question = rng.choice([
                f"Do {x} and {y} have the same {noun}?", f"Which was {verb} first, {x} or {y}?", f"Who is older, {x} or {y}?",
                f"Are both {x} and {y} {one.object.label}?", f"Were {x} and {y} {verb} in the same place?",
            ])  # fmt: skip
            return MinedQuestion(question, (first, second), kind)
        ends = [self._pages(one.object.label, first), self._pages(other.object.label, second)]
        if not all(ends):
            return None
        third, fourth = (rng.choice(pages) for pages in ends)
        facts = self.facts.get(third)
        if not facts:
            return None
        further = rng.choice(facts).relation.label
        noun2, verb2, thing = self._noun(further), self._verb(further), rng.choice(self._kinds(first) or ["one"])
        question = rng.choice([
            f"Do {x} and {y} have {noun}s with the same {noun2}?",
            f"Which {thing} has the {noun} who was {verb2} first, {x} or {y}?",
            f"Which {thing} has the {noun} with the later {noun2}, {x} or {y}?",
            f"Which {thing} whose {noun} is {rng.choice(['younger', 'older'])}, {x} or {y}?",
            f"Are the {noun} of {x} and the {noun} of {y} from the same {noun2}?",
        ])  # fmt: skip
        return MinedQuestion(question, (first, second, third, fourth), kind)

    def _pages(self, name: str, but: int) -> list[int]:
        """Passages about a name, else the few that hold all of its words."""
        about: list[int] = self.links.table.about_name(name).tolist()
        words = word_keys(name)
        if about or len(words) < 2:
            return about
        holders = [place for place in self.links.table.holding_all(words).tolist() if place != but]
        return holders if len(holders) <= 4 else []

    # ---- words

    def _noun(self, label: str) -> str:
        family, way = lexicon().family(label)
        return self.rng.choice([*(family.object_nouns if way > 0 else family.subject_nouns), label])

    def _verb(self, label: str) -> str:
        return self.rng.choice([*lexicon().family(label)[0].verbs, label])

    def _kinds(self, place: int) -> list[str]:
        return [
            f.object.label.split()[-1] for f in self.facts.get(place, ()) if f.relation.label == "is a" and f.object.label.split()
        ]


def _worded(label: str) -> bool:
    """Whether the lexicon knows how people ask for a relation."""
    family, _ = lexicon().family(label)
    return bool(family.object_nouns or family.subject_nouns or family.verbs) or family.name == "is a"


def _spelling(text: str, words: tuple[int, ...]) -> str:
    """How a name (word keys) is spelled in a text, "" where its words do not stand in a row."""
    matches = list(_WORD.finditer(text))
    keys = [tuple(word_key(word) for word in normalize(match[0]).split()) for match in matches]
    for i in range(len(matches)):
        read: tuple[int, ...] = ()
        for j in range(i, min(len(matches), i + 6)):
            read += keys[j]
            if read == words:
                return text[matches[i].start() : matches[j].end()]
    return ""


def _without(text: str, name: str) -> str:
    return " ".join(re.sub(re.escape(name), " ", text, flags=re.I).split()) if name else text


__all__ = ["KINDS", "MinedQuestion", "PassageMiner"]
