"""Tasks for the packaged student: questions about marked texts, put into words by the lexicon. No question of a benchmark.

A text whose entities and relations are marked (`kg.extraction.examples`) gives chains of relations; the lexicon says each chain
as a question; its answers are where the chain ends. Sentences that say the hops are the steps, others of the same text or of
other texts distract. A chain goes on in another text where something there is given the name that it has reached. Some
questions are asked of evidence that does not hold the answer, and some names are put in place of others all through a task, so
that the student has to read and cannot remember. `asked` adds questions of people whose answer stands in a passage.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...kg.errors import InputError
from ...kg.extraction.examples import Example
from ...kg.ingest.sentences import sentences
from ...kg.model import normalize
from ...retrieval.decompose import SubQuestion
from ...retrieval.phrases import SLOT, Phraser, Step, say
from ...retrieval.wordings import lexicon
from .candidates import candidates
from .items import Item, Mention, Spot, Target, Task
from .rename import renamed

Lesson = tuple[Task, Target]
Rarity = dict[str, float]  # by name of a family
_HOPS = (1, 1, 1, 1, 2, 2, 3)  # as often as each length is drawn
_ABSENT, _JOINED, _BESIDE = 0.3, 0.3, 0.4  # shares of tasks: without the answer, over two texts, with another text beside
_SENTENCES = 6  # of a text, in one task
_REVERSED, _ABOUT = 0.25, 4.0  # weight of a relation walked from its object, and of what a text is about
_PLANNED = 0.5  # of questions of one step
_ANSWERS = 4
_UNMARKED = 500  # number, within its text, of the first entity that is not marked
_WORDY = 3  # words of a label that the lexicon does not know
_LONGEST = 60  # words of a sentence that is shown without need


@dataclass(frozen=True, slots=True)
class Fact:
    """A marked relation, walked one way.

    Attributes:
        start, end: entities.
        step: of the lexicon.
        near: items that name both, or else the end.
        marked: it is walked as it is marked, not from its object.
    """

    start: int
    end: int
    step: Step
    near: tuple[int, ...]
    marked: bool


class Marked:
    """A marked text as evidence.

    Args:
        example: the text.
        base: number of its first entity.

    Attributes:
        names, types: per entity.
        about: the entity that the title names, -1 for none.
        items: the title, where there is one, then each sentence.
        facts: by the entity they start from, each relation both ways.
    """

    def __init__(self, example: Example, base: int) -> None:
        self.names = {base + i: name for i, name in enumerate(example.names)}
        self.types = {base + i: kind for i, kind in enumerate(example.types)}
        self.complete, self.first = example.complete, 1 if example.title else 0
        title = normalize(example.title)
        own = [Mention(0, len(example.title), entity) for entity, name in self.names.items() if normalize(name) == title]
        self.about = own[0].entity if own else -1
        self.items = [Item(example.title, tuple(own[:1]))] if example.title else []
        where: dict[int, set[int]] = {}
        for low, high in example.sentences:
            text = example.text[low:high].rstrip()
            inside = [Mention(a - low, b - low, base + e) for a, b, e in example.mentions if low <= a and b <= low + len(text)]
            if not example.complete:
                free = candidates(text, [(mention.start, mention.end) for mention in inside])
                inside += [Mention(a, b, base + _UNMARKED + i) for i, (a, b) in enumerate(free)]
            for mention in inside:
                where.setdefault(mention.entity, set()).add(len(self.items))
            self.items.append(Item(text, tuple(inside)))
        self.facts: dict[int, list[Fact]] = {}
        for s, label, o in example.relations:
            family, way = lexicon().family(label)
            if len(family.name.split()) > _WORDY and not family.labels:
                continue  # a label that nobody would say
            for start, end, step, marked in ((base + s, base + o, way, True), (base + o, base + s, -way, False)):
                near = (where.get(start, set()) & where.get(end, set())) or where.get(end, set())
                if near:
                    self.facts.setdefault(start, []).append(Fact(start, end, (family, step), tuple(sorted(near)), marked))

    def walk(self, rng: random.Random, start: int, hops: int, rarity: Rarity) -> list[Fact]:
        """A chain of facts that comes to no entity twice; shorter where it cannot go on. Rare relations are drawn more often."""
        at, walked, seen = start, list[Fact](), {start}
        for _ in range(hops):
            ways = [fact for fact in self.facts.get(at, ()) if fact.end not in seen]
            if not ways:
                break
            walked += rng.choices(ways, [rarity[fact.step[0].name] * (1 if fact.marked else _REVERSED) for fact in ways])
            at = walked[-1].end
            seen.add(at)
        return walked

    def chains(self, start: int, steps: Sequence[Step]) -> list[list[Fact]]:
        """Every chain from an entity along the same steps."""
        found: list[list[Fact]] = [[]]
        for step in steps:
            found = [
                [*chain, fact]
                for chain in found
                for fact in self.facts.get(chain[-1].end if chain else start, ())
                if fact.step == step and fact.end != start
            ]
        return found

    def shown(self, rng: random.Random, needed: Sequence[int], without: set[int]) -> list[int]:
        """Indices of items: the title, those needed, some around them; none of those `without`."""
        at, room = rng.choice([*needed] or [self.first]), rng.randint(1, _SENTENCES)
        around = sorted(range(self.first, len(self.items)), key=lambda i: abs(i - at) + rng.random())
        around = [i for i in around if i not in needed and len(self.items[i].text.split()) <= _LONGEST]
        kept = {*range(self.first), *needed, *around[: max(room - len(needed), 0)]} - without
        return sorted(kept)


class Drawer:
    """Draws tasks from marked texts.

    Args:
        examples: texts; those without a relation are left out.
        rng: the draws.
    """

    def __init__(self, examples: Sequence[Example], rng: random.Random) -> None:
        self.rng, self.phraser = rng, Phraser(rng)
        self.texts = [text for i, one in enumerate(examples) if (text := Marked(one, i * 1000)).facts]
        names = Counter(fact.step[0].name for text in self.texts for facts in text.facts.values() for fact in facts)
        self.rarity = {name: count**-0.5 for name, count in names.items()}
        self._kinds = {entity: kind for text in self.texts for entity, kind in text.types.items()}
        self._by_type: dict[str, list[tuple[Marked, int]]] = {}
        for text in self.texts:
            for entity, kind in text.types.items():
                if entity in text.facts:
                    self._by_type.setdefault(kind, []).append((text, entity))

    def draw(self, count: int) -> Iterator[Lesson]:
        """So many tasks, texts in turn."""
        made, turn = 0, 0
        while made < count:
            text = self.texts[turn % len(self.texts)]
            turn += 1
            found = self._joined(text) if self.rng.random() < _JOINED else self._alone(text)
            if found is not None:
                made += 1
                yield found

    def _alone(self, text: Marked) -> Lesson | None:
        """A chain within a text; None where this draw makes none."""
        rng = self.rng
        start = self._start(text)
        chain = text.walk(rng, start, rng.choice(_HOPS), self.rarity)
        steps, absent = [fact.step for fact in chain], rng.random() < _ABSENT
        if absent and text.complete and rng.random() < 0.5:
            steps = [*steps[:-1], self._alike(text.types[chain[-1].end], rng.choice(self.texts))]
            if text.chains(start, steps):
                return None
            return self._task(start, text.names[start], steps, [(text, text.shown(rng, [f.near[0] for f in chain], set()))], [])
        chains = text.chains(start, steps)
        evidence = [rng.choice(fact.near) for fact in chain]
        ends = {one[-1].end for one in chains}
        hidden = (
            {i for i, item in enumerate(text.items) if any(m.entity in ends for m in item.mentions)} if absent else set[int]()
        )
        shown = [(text, text.shown(rng, list(dict.fromkeys(evidence)), hidden))]
        if rng.random() < _BESIDE or not shown[0][1]:
            other = rng.choice(self.texts)
            if other is not text:
                shown.insert(rng.randrange(2), (other, other.shown(rng, [], set())[:3]))
        return self._task(start, text.names[start], steps, shown, [] if absent else chains)

    def _alike(self, kind: str, other: Marked) -> Step:
        """A step of another text, to something of the same kind where it has one: the composer, where the director is known."""
        facts = [fact for facts in other.facts.values() for fact in facts]
        return self.rng.choice([fact for fact in facts if other.types[fact.end] == kind] or facts).step

    def _start(self, text: Marked) -> int:
        """An entity to ask from: often what the text is about, seldom a day or a number."""
        weights = []
        for entity, facts in text.facts.items():
            kind = 0.05 if text.types[entity] in {"time", "number"} else 1.0
            weights.append(
                kind * (_ABOUT if entity == text.about else 1.0) * (1.0 if any(f.marked for f in facts) else _REVERSED)
            )
        return self.rng.choices([*text.facts], weights)[0]

    def _joined(self, text: Marked) -> Lesson | None:
        """A chain that leaves a text for another one, where something is given the name that the first part leads to."""
        rng = self.rng
        start = self._start(text)
        first = text.walk(rng, start, 1 + (rng.random() < 0.2), self.rarity)
        middle = first[-1].end
        if not text.types[middle] or len({c[-1].end for c in text.chains(start, [f.step for f in first])}) != 1:
            return None
        other, entity = rng.choice(self._by_type.get(text.types[middle]) or [(text, middle)])
        second = other.walk(rng, entity, 1, self.rarity)
        if other is text or not second:
            return None
        chains = [[*first, *rest] for rest in other.chains(entity, [fact.step for fact in second])]
        needed = list(dict.fromkeys(rng.choice(fact.near) for fact in first))
        shown = [
            (text, text.shown(rng, needed, set())[:5]),
            (other, other.shown(rng, [rng.choice(second[-1].near)], set())[:5]),
        ]
        if rng.random() < 0.5:
            shown.reverse()
        made = self._task(start, text.names[start], [fact.step for fact in chains[0]], shown, chains)
        return renamed(*made, {entity: text.names[middle]}) if made else None

    def _task(
        self,
        start: int,
        name: str,
        steps: Sequence[Step],
        shown: Sequence[tuple[Marked, list[int]]],
        chains: Sequence[list[Fact]],
    ) -> Lesson | None:
        """The task over the items shown; None where the lexicon has no words, or the question says the answer."""
        question, answers = self._question(steps), {chain[-1].end for chain in chains}
        names = {entity: other for text, _ in shown for entity, other in text.names.items()}
        place = {(id(text), i): at for at, (text, i) in enumerate((text, i) for text, kept in shown for i in kept)}
        if (
            question is None
            or not place
            or len(answers) > _ANSWERS
            or normalize(name) in {normalize(names[end]) for end in answers}
        ):
            return None
        begin = question.index(SLOT)
        question = question.replace(SLOT, name)
        items = [text.items[i] for text, kept in shown for i in kept]
        used: list[int] = []
        says: set[int] = set()
        for chain in chains:
            for fact in chain:
                text = next(one for one, _ in shown if fact.start in one.names or fact.end in one.names)
                near = [place[id(text), i] for i in fact.near if (id(text), i) in place]
                used += [near[0]] if near and not {*near} & {*used} else []
                says |= {*near} if fact is chain[-1] else set()
        spots = [Spot(at, m.start, m.end) for at in sorted(says) for m in items[at].mentions if m.entity in answers]
        if chains and not spots:
            return None
        task = Task(question, (Mention(begin, begin + len(name), start),), tuple(items))
        target = Target("list" if len(answers) > 1 else "lookup", tuple(used), tuple(spots))
        return renamed(task, target, self._others(names, task))

    def _question(self, steps: Sequence[Step]) -> str | None:
        """A question for a chain; of one step half of the time as a plan asks it."""
        family, way = steps[0]
        nouns = self.phraser.nouns(steps[0])
        if len(steps) == 1 and nouns and self.rng.random() < _PLANNED:
            kind = family.object_type if way > 0 else family.subject_type
            return SubQuestion(SLOT, self.rng.choice(nouns), kind).text(SLOT)
        said = say(steps, self.phraser)
        return said[0] if said else None

    def _others(self, names: dict[int, str], task: Task) -> dict[int, str]:
        """Other names of their kind for some of the entities of a task, in some of the tasks."""
        share = self.rng.choice((0.0, 0.0, 0.0, 0.3, 0.7))
        named = sorted({m.entity for m in task.mentions} | {m.entity for item in task.items for m in item.mentions})
        found, taken = {}, {normalize(name) for name in names.values()}
        for entity in named:
            kind = self._kinds.get(entity, "")
            if kind and self.rng.random() < share:
                other, like = self.rng.choice(self._by_type.get(kind) or [(self.texts[0], 0)])
                name = other.names.get(like, names[entity])
                if normalize(name) not in taken:
                    taken.add(normalize(name))
                    found[entity] = name
        return found


def asked(questions: Path, passages: Path, rng: random.Random) -> list[Lesson]:
    """Questions of people, each over a passage that holds its answer, another beside it now and then.

    Args:
        questions: JSON lines {question, possible_answers, supporting_pids}.
        passages: JSON lines {pid, title, text}.

    Raises:
        InputError: a file cannot be read or has another form.
    """
    try:
        texts = {one["pid"]: _sentences(one["title"], one["text"]) for one in _lines(passages)}
        rows = [(one["question"], one["possible_answers"], one["supporting_pids"]) for one in _lines(questions)]
        others, found = [*texts.values()], []
        for question, answers, pids in rows:
            own = next((texts[pid] for pid in pids if any(_spots(item, 0, answers) for item in texts[pid])), None)
            if own:
                found.append(_over(question, answers, own, rng.choice(others)[:4] if rng.random() < _BESIDE else [], rng))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{questions}: no questions with possible_answers and supporting_pids ({error!r})") from error
    return found


def reports(path: Path, rng: random.Random) -> list[Lesson]:
    """TAT-QA: questions about the paragraphs of annual reports whose answers are spans of them.

    Raises:
        InputError: the file cannot be read or has another form.
    """
    found = []
    try:
        for one in _lines(path):
            paragraphs = {str(p["order"]): _sentences("", p["text"]) for p in one["paragraphs"]}
            for question in one["questions"]:
                own = [item for order in question["rel_paragraphs"] for item in paragraphs[order]]
                if question["answer_from"] == "text" and question["answer_type"] == "span" and own:
                    found.append(_over(question["question"], question["answer"], own, [], rng))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not of the form of TAT-QA ({error!r})") from error
    return found


def _over(question: str, answers: Sequence[str], own: list[Item], beside: list[Item], rng: random.Random) -> Lesson:
    """The task of a question over a text of its own and another one; now and then what holds the answer is taken out."""
    spots = [spot for at, item in enumerate(own) for spot in _spots(item, at, answers)]
    last = spots[0].item + 1 if spots else 1
    own = own[: max(rng.randint(2, 1 + _SENTENCES), last)]
    if rng.random() < _ABSENT:
        holding = {spot.item for spot in spots}
        own, spots = [item for at, item in enumerate(own) if at not in holding] or [Item(question)], []
    before = len(beside) if rng.random() < 0.5 else 0
    items = (*beside, *own) if before else (*own, *beside)
    used = (spots[0].item + before,) if spots else ()
    kept = tuple(Spot(spot.item + before, spot.start, spot.end) for spot in spots if spot.item + before in used)
    return Task(question, (), items), Target("lookup", used, kept)


def _spots(item: Item, at: int, answers: Sequence[str]) -> list[Spot]:
    """Where answers stand in an item, the first place of each."""
    places = [(item.text.find(answer), len(answer)) for answer in answers if answer]
    return [Spot(at, start, start + length) for start, length in places if start >= 0]


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _sentences(title: str, text: str) -> list[Item]:
    return [*([Item(title)] if title else []), *(Item(text[a:b].strip()) for a, b in sentences(text))]
