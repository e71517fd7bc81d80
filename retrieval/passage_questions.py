"""Questions mined from a graph to train the passage scorer: two to four passages that must be read together.

Nobody writes or answers them. A chain follows names from passage to passage (`links`) and asks for its last one, in
nouns of its relations ("the birthplace of the director of film X"), in the words that stand beside the names, most of
them dropped so that no passage is found by copying it, or in both. A comparison names two passages, with what each leads
to where four are wanted. The sentence that each passage gave is kept. The English is rough; the scorers see no words, only
how well they fit.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..kg.ingest.dates import find_dates
from ..kg.ingest.sentences import sentences
from ..kg.model import Literal, Triple, normalize
from .wordings import lexicon
from .words import STOPWORDS, word_key, word_keys

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .links import Links

KINDS = {"relations": 0.3, "words": 0.25, "both": 0.15, "comparison": 0.12, "comparison of ends": 0.18}
_TRIES = 150  # chains begun for one question
_ASKING = {  # by the kind of thing told
    "date": ("When", "In what year", "What year", "On what date"),
    "number": ("How many", "What number"),
    "person": ("Who", "Who", "Which person"),
    "place": ("Where", "In which city", "What country", "In which place"),
    "": ("What", "Which", "Who", "What", "Where", "How"),
}
_QUALIFIER = re.compile(r"\s*\([^()]*\)\s*$")
_NAME = re.compile(r"(?<=[\w,] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")  # does not open its sentence
_WORD = re.compile(r"[\w'’-]+")


@dataclass(frozen=True, slots=True)
class MinedQuestion:
    """A question that needs some passages.

    Attributes:
        question: the text.
        places: of the passages, in the word table.
        kind: how it was made.
        sentences: one of each passage: what it says for the question. Empty where that is not known.
        answers: accepted ones, empty where they are not known.
    """

    question: str
    places: tuple[int, ...]
    kind: str
    sentences: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


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
        for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3])):
            step = self._step(places)
            if step is None or not self.titles[places[0]]:
                return None
            names.append(step[0])
            places.append(step[1])
        if kind == "relations":
            return self._of_relations(places, names)
        return self._of_words(places, names, 0.5 if kind == "both" else 0.0)

    def _step(self, places: list[int]) -> tuple[str, int] | None:
        """A name that stands in the last passage and another passage that holds it, most often the one about it."""
        here, rng = places[-1], self.rng
        found = sorted(self.links.names(here).items(), key=lambda one: one[0])
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

    def _relation(self, places: list[int], names: list[str], i: int) -> Triple | None:
        """A fact of the chain's i-th passage that leads to the next name, best one about what the passage was reached for."""
        facts, about = self.facts.get(places[i], []), normalize(names[i - 1] if i else self.titles[places[i]])
        if i < len(names):
            wanted = normalize(names[i])
            facts = [f for f in facts if wanted in (normalize(f.subject.label), normalize(f.object.label))]
        facts = [fact for fact in facts if normalize(fact.subject.label) == about] or facts
        return self.rng.choice(facts) if facts else None

    def _of_relations(self, places: list[int], names: list[str]) -> MinedQuestion | None:
        facts = [self._relation(places, names, i) for i in range(len(places))]
        chosen = [fact for fact in facts if fact]
        if len(chosen) < len(places):
            return None
        labels = [fact.relation.label for fact in chosen]
        topic, kinds = self.titles[places[0]], self._kinds(places[0])
        if kinds and self.rng.random() < 0.4:
            topic = f"{self.rng.choice(kinds)} {topic}"
        middle = "".join(f"the {self._noun(label)} of " for label in labels[-2::-1]) + topic
        noun, verb, asking = self._noun(labels[-1]), self._verb(labels[-1]), self._asking(_kind(chosen[-1]))
        question = self.rng.choice([
            f"{asking} is the {noun} of {middle}?", f"What {noun} does {middle} have?",
            f"{asking} {self.rng.choice(['was', 'did'])} {middle} {verb}?", f"{asking} {noun} {middle}?",
        ])  # fmt: skip
        said = tuple(self._sentence(place, fact) for place, fact in zip(places, chosen, strict=True))
        return MinedQuestion(question, tuple(places), "relations", said)

    def _of_words(self, places: list[int], names: list[str], relations: float) -> MinedQuestion:
        """Asks for each step in words beside its name, or, with a chance of `relations`, in the noun of a relation."""
        parts, said, kind = [], [], ""
        for i, place in enumerate(places):
            fact = self._relation(places, names, i) if self.rng.random() < relations else None
            words, sentence = self._around(place, names[i] if i < len(names) else "")
            if fact:
                words, sentence, kind = self._noun(fact.relation.label), self._sentence(place, fact), _kind(fact)
            elif i == len(places) - 1:
                told, kind = self._told(_without(sentence, self.titles[place]))
                words = _without(words, told)
            said.append(sentence)
            if i > 0:
                words = _without(words, names[i - 1])
            title = self.titles[place]
            words = _without(words, title)
            parts.append(self.rng.choice([f"{words} {title}", f"{title} {words}", f"{words} of {title}"]) if i == 0 else words)
        joint = self.rng.choice([" the ", " of the ", " that "])
        question = " ".join(f"{self._asking(kind)} {joint.join(parts[::-1])}?".split())
        return MinedQuestion(question, tuple(places), "both" if relations else "words", tuple(said))

    def _around(self, place: int, name: str) -> tuple[str, str]:
        """A few of the words beside a name, beside any word where none is given, and the sentence they stand in."""
        rng, text = self.rng, self.texts[place]
        pieces = [text[start:end] for start, end in sentences(text)]
        pieces = [piece for piece in pieces if piece != self.titles[place]] or [text]
        piece = rng.choice([piece for piece in pieces if name and name.lower() in piece.lower()] or pieces)
        words = re.sub(re.escape(name), " \0 ", piece, flags=re.I).split() if name else piece.split()
        if not words:
            return "", piece
        at, reach = words.index("\0") if "\0" in words else rng.randrange(len(words)), rng.randint(6, 14)
        words = [word for word in words[max(0, at - reach) : at + reach] if word != "\0"]
        share = min(0.9, max(rng.uniform(0.12, 0.5), rng.uniform(2, 6) / max(len(words), 1)))
        kept = [word.strip('.,;:()"') for word in words if rng.random() < (0.75 if word.lower() in STOPWORDS else share)]
        return " ".join(kept), piece

    def _told(self, sentence: str) -> tuple[str, str]:
        """Something that a sentence tells, to be asked for, and its kind: a date, else a name."""
        dates = find_dates(sentence)
        if dates:
            return sentence[dates[0].start : dates[0].end], "date"
        names = list(_NAME.finditer(sentence))
        if not names:
            return "", ""
        name = self.rng.choice(names)
        return name[0], "place" if re.search(r"\b(?:in|at|near) (?:the )?$", sentence[: name.start()]) else ""

    def _asking(self, kind: str) -> str:
        return self.rng.choice(_ASKING[kind])

    def _sentence(self, place: int, fact: Triple) -> str:
        """The sentence of a passage that states a fact, "" where it is not in one."""
        text, quote = self.texts[place], fact.spans[0].quote
        return next((text[start:end] for start, end in sentences(text) if quote in text[start:end]), "")

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
            said = self._sentence(first, one), self._sentence(second, other)
            return MinedQuestion(question, (first, second), kind, said)
        ends = [self._pages(one.object.label, first), self._pages(other.object.label, second)]
        if not all(ends):
            return None
        third, fourth = (rng.choice(pages) for pages in ends)
        facts = self.facts.get(third)
        if not facts:
            return None
        fact = rng.choice(facts)
        further = fact.relation.label
        noun2, verb2, thing = self._noun(further), self._verb(further), rng.choice(self._kinds(first) or ["one"])
        question = rng.choice([
            f"Do {x} and {y} have {noun}s with the same {noun2}?",
            f"Which {thing} has the {noun} who was {verb2} first, {x} or {y}?",
            f"Which {thing} has the {noun} with the later {noun2}, {x} or {y}?",
            f"Which {thing} whose {noun} is {rng.choice(['younger', 'older'])}, {x} or {y}?",
            f"Are the {noun} of {x} and the {noun} of {y} from the same {noun2}?",
        ])  # fmt: skip
        told = self._sentence(first, one), self._sentence(second, other), self._sentence(third, fact), ""
        return MinedQuestion(question, (first, second, third, fourth), kind, told)

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


def _kind(fact: Triple) -> str:
    """What kind of thing the object of a fact is, a key of `_ASKING`."""
    if isinstance(fact.object, Literal):
        return {"integer": "number", "decimal": "number", "string": ""}.get(fact.object.datatype, "date")
    kind = lexicon().family(fact.relation.label)[0].object_type
    return kind if kind in _ASKING else ""


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
