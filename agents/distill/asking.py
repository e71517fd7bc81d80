"""Operations beside plain look-ups, put into words: how many, is it so, which of two, which of all.

The walk itself is said by `retrieval.phrases`; here its noun phrase ("the products of Acme") is put into a longer question.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ...retrieval.phrases import SLOT, Phraser, Step, plural, verb

Said = tuple[str, tuple[str, ...]]  # words with `SLOT` for the name they start from, and the wordings of relations in them
_COUNT = (
    "how many are {np}?", "what is the number of {np}?", "count {np}", "how many {np} are there?", "number of {np}?",
)  # fmt: skip
_YES_NO = ("is {it} {np}?", "is it true that {it} is {np}?", "is {it} among {np}?", "{it} is {np}, right?", "was {it} {np}?")
_WORDS = {
    ("date", -1): (("earlier", "older"), ("earliest", "first", "oldest")),
    ("date", 1): (("later", "more recent"), ("latest", "last", "most recent")),
    ("number", -1): (("lower", "smaller"), ("lowest", "smallest")),
    ("number", 1): (("higher", "larger", "greater"), ("highest", "largest", "greatest")),
}
_COMPARE = (
    "which has the {more} {noun}, {a} or {b}?", "{a} or {b}: which has the {more} {noun}?",
    "whose {noun} is {more}, {a}'s or {b}'s?",
    "of {a} and {b}, which has the {more} {noun}?", "comparing {a} with {b}, which one has the {more} {noun}?",
)  # fmt: skip
_SUPERLATIVE = (
    "which of {np} has the {most} {noun}?", "of {np}, which has the {most} {noun}?", "{np}: which has the {most} {noun}?",
    "among {np}, whose {noun} is the {most}?", "which one of {np} has the {most} {noun}?",
)  # fmt: skip


def described(steps: Sequence[Step], phraser: Phraser) -> Said | None:
    """A noun phrase for where the steps lead, None where words are missing."""
    np, wordings = phraser.named(steps[0], SLOT), list[str]()
    for step in steps:
        made = phraser.described(step, np)
        if made is None:
            return None
        np, wordings = made[0], [*wordings, made[1]]
    return (np, tuple(wordings)) if np.count(SLOT) == 1 else None


def counted(steps: Sequence[Step], phraser: Phraser) -> Said | None:
    """How many there are at the end of the steps."""
    rng = phraser.rng
    before = described(steps[:-1], phraser) if len(steps) > 1 else (phraser.named(steps[0], SLOT), ())
    if before is None:
        return None
    nouns, verbs = phraser.nouns(steps[-1]), phraser.verbs(steps[-1])
    if nouns and rng.random() < 0.6:
        noun, np = rng.choice(nouns), before[0]
        form = rng.choice(("how many {s} does {np} have?", "how many {s} has {np}?", "how many {s} of {np} are there?"))
        forms = verb(rng.choice(verbs)) if verbs and steps[-1][1] > 0 and rng.random() < 0.5 else None
        text = form.format(s=plural(noun), np=np)
        if forms is not None:
            text = f"how many {plural(noun)} {rng.choice(('did', 'does'))} {np} {forms.base} {forms.rest}".rstrip() + "?"
        return _cased(text, rng), (*before[1], noun)
    whole = described(steps, phraser)
    return None if whole is None else (_cased(rng.choice(_COUNT).format(np=whole[0]), rng), whole[1])


def doubted(np: str, it: str, rng: random.Random) -> str:
    """Whether `it` is what the noun phrase says."""
    return _cased(rng.choice(_YES_NO).format(np=np, it=it), rng)


def compared(a: str, b: str, noun: str, kind: str, way: int, rng: random.Random) -> str:
    """Which of two has more or less of something."""
    more = rng.choice(_WORDS[kind, way][0])
    return _cased(rng.choice(_COMPARE).format(a=a, b=b, noun=noun, more=more), rng)


def ranked(np: str, noun: str, kind: str, way: int, rng: random.Random) -> str:
    """Which of several has most or least of something."""
    most = rng.choice(_WORDS[kind, way][1])
    return _cased(rng.choice(_SUPERLATIVE).format(np=np, noun=noun, most=most), rng)


def _cased(text: str, rng: random.Random) -> str:
    """The question with a capital, mostly, unless it begins with a name; some people leave out the question mark."""
    text = text.removesuffix("?") if rng.random() < 0.2 else text
    return text[0].upper() + text[1:] if rng.random() < 0.7 and not text.startswith(SLOT) else text


__all__ = ["compared", "counted", "described", "doubted", "ranked"]
