"""What a system says of a task, and how well: answers, steps, and saying nothing where the evidence does not hold the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...kg.model import normalize
from ...retrieval.question import STOPWORDS
from ...retrieval.wordings import stems
from ..student import Reading, Spot, Task
from .evidence import Example
from .teachers import Chain

_ONE = ("compare", "superlative", "yes-no")  # operations with one answer
_GRID = {"absent": (0.3, 0.4, 0.5, 0.6, 0.7), "share": (0.1, 0.2, 0.35, 0.5), "used": (0.0, 0.3, 0.5)}
_FALSE = 0.1  # most false abstentions that a policy may have where another does with fewer


@dataclass(frozen=True, slots=True)
class Policy:
    """How a reading becomes an answer.

    Attributes:
        absent: from this probability that the evidence does not hold the answer on, nothing is said.
        share: an answer of a list has at least this share of the probability of the best one.
        used: answers stand in facts that are used with at least this probability, where there are such facts.
    """

    absent: float = 0.5
    share: float = 0.2
    used: float = 0.3


@dataclass(frozen=True, slots=True)
class Said:
    """What a system says of a task: the answers in words (none: it abstains), and the facts that it used."""

    answers: tuple[str, ...]
    steps: tuple[int, ...]
    spots: tuple[Spot, ...] = ()


def decide(reading: Reading, task: Task, policy: Policy) -> Said:
    """The answer in a reading."""
    steps = tuple(item for item, _ in reading.steps)
    if reading.absent >= policy.absent or not reading.answers:
        return Said((), steps)
    used = {item for item, probability in reading.steps if probability >= policy.used}
    allowed = [one for one in reading.answers if _fits(one[0], task, reading.operation)]
    likely = [one for one in allowed if one[0].item in used] or allowed
    if not likely:
        return Said((), steps)
    weights: dict[str, float] = {}
    places: dict[str, list[Spot]] = {}
    for spot, probability in likely:
        text = task.items[spot.item].text[spot.start : spot.end]
        weights[normalize(text)] = weights.get(normalize(text), 0.0) + probability
        places.setdefault(normalize(text), []).append(spot)
    best = max(weights.values())
    chosen = [name for name, weight in weights.items() if weight >= policy.share * best]
    if reading.operation in _ONE:
        chosen = [max(weights, key=lambda name: weights[name])]
    spots = [places[name][0] for name in chosen]
    if reading.operation == "count":
        return Said((str(len(chosen)),), steps, tuple(spots))
    if reading.operation == "yes-no":
        return Said(("yes" if _named(spots[0], task) else "no",), steps, tuple(spots))
    return Said(tuple(task.items[s.item].text[s.start : s.end] for s in spots), steps, tuple(spots))


def _fits(spot: Spot, task: Task, operation: str) -> bool:
    """Whether a spot can be an answer: a comparison asks for one of the things it names, other questions for something else."""
    return operation == "yes-no" or _named(spot, task) == (operation == "compare")


def _named(spot: Spot, task: Task) -> bool:
    """Whether what a spot names is named in the question as well."""
    asked = {mention.entity for mention in task.mentions}
    return any(m.entity in asked for m in task.items[spot.item].mentions if m.start < spot.end and spot.start < m.end)


def overlap(example: Example) -> Said:
    """The extractive baseline: the fact that shares most words with the question, and the name in it that the question lacks."""
    task = example.task
    asked = {*stems(task.question)} - {stem for word in STOPWORDS for stem in stems(word)}
    scores = [len(asked & {*stems(item.text)}) for item in task.items]
    best = max(range(len(scores)), key=lambda i: (scores[i], -i))
    named = {mention.entity for mention in task.mentions}
    item = task.items[best]
    other = [m for m in item.mentions if m.entity not in named] or list(item.mentions[-1:])
    return Said(tuple(item.text[m.start : m.end] for m in other[:1]), (best,))


def taught(chains: Sequence[Chain]) -> Said:
    """What a teacher says first, unchecked; it abstains where it says nothing."""
    return Said(chains[0].answers, chains[0].steps) if chains else Said((), ())


@dataclass(frozen=True, slots=True)
class Figures:
    """How a system did; shares of the tasks of each kind, None where there are none.

    Attributes:
        n: tasks.
        accuracy: right answers; saying nothing is right where the evidence does not hold the answer.
        answered: right answers where it does.
        step_f1: mean F1 of the facts used, where there is an answer.
        abstained: nothing said where there is no answer.
        false_abstained: nothing said where there is one.
        followed: right answers where a name was swapped in the evidence.
        hops, rarity, operations: accuracy by number of hops, at rare and frequent things, and by operation.
    """

    n: int
    accuracy: float | None
    answered: float | None
    step_f1: float | None
    abstained: float | None
    false_abstained: float | None
    followed: float | None
    hops: dict[str, float | None]
    rarity: dict[str, float | None]
    operations: dict[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def right(example: Example, said: Said) -> bool:
    """Whether all answers are given and nothing else."""
    return sorted({*map(normalize, said.answers)}) == sorted({*map(normalize, example.answers)})


def figures(examples: Sequence[Example], said: Sequence[Said]) -> Figures:
    """Score what a system said of each example."""
    rows = [(example, right(example, one), one) for example, one in zip(examples, said, strict=True)]
    held = [row for row in rows if row[0].answers]
    empty = [row for row in rows if not row[0].answers]

    def share(keep: Callable[[Example], bool]) -> float | None:
        return _mean(good for example, good, _ in rows if keep(example))

    return Figures(
        len(rows),
        share(lambda _: True),
        _mean(good for _, good, _ in held),
        _mean(_f1({*example.gold.steps}, {*one.steps}) for example, _, one in held),
        _mean(not one.answers for _, _, one in empty),
        _mean(not one.answers for _, _, one in held),
        share(lambda example: example.kind == "swapped"),
        {str(hops): share(lambda e, hops=hops: e.query.hops == hops) for hops in sorted({e.query.hops for e in examples})},  # type: ignore[misc]
        {name: share(lambda e, rare=rare: e.rare == rare) for name, rare in (("tail", True), ("head", False))},  # type: ignore[misc]
        {name: share(lambda e, name=name: e.query.operation == name) for name in sorted({e.query.operation for e in examples})},  # type: ignore[misc]
    )


def choose(examples: Sequence[Example], readings: Sequence[Reading]) -> Policy:
    """The policy that is right most often on examples kept for choosing, of those with few false abstentions if there are any."""
    best, top = Policy(), (False, -1.0)
    for absent in _GRID["absent"]:
        for share in _GRID["share"]:
            for used in _GRID["used"]:
                policy = Policy(absent, share, used)
                said = [decide(reading, example.task, policy) for example, reading in zip(examples, readings, strict=True)]
                found = figures(examples, said)
                key = ((found.false_abstained or 0.0) <= _FALSE, found.accuracy or 0.0)
                if key > top:
                    best, top = policy, key
    return best


def _f1(gold: set[int], found: set[int]) -> float:
    return 2 * len(gold & found) / (len(gold) + len(found)) if gold or found else 1.0


def _mean(values: Iterable[float]) -> float | None:
    rows = list(values)
    return round(sum(rows) / len(rows), 4) if rows else None


__all__ = ["Figures", "Policy", "Said", "choose", "decide", "figures", "overlap", "right", "taught"]
