"""A question as a small plan of single-hop questions, from its words alone.

    decompose("Where was the director of film X born?")
    # Plan(steps=(SubQuestion("X", "director", "person"), SubQuestion(0, "place of birth", "place")), sides=(1,), ...)

Names are masked; the innermost phrase that says a thing by another ("X's mother", "the performer of song X", "the state
where X is located") is taken out and becomes a step, until one is left (`clauses`). Words for kinship that take several
steps ("maternal grandfather") become those steps. Two names side by side are compared (`comparisons`). No graph is needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .clauses import AUXILIARY, Reader
from .comparisons import compared
from .plans import Masked, Plan, SubQuestion, mask
from .question import Operation

_ORDER = re.compile(r"(?:please )?(?:list|name|show|give|find|tell|enumerate|identify)(?: (?:me|us|all|of))* it$", re.IGNORECASE)
_COUNT = re.compile(r"how many\b|what is the number of\b")


def decompose(question: str, names: Sequence[tuple[int, int]] = ()) -> Plan | None:
    """The plan of a question in English.

    Args:
        question: the question.
        names: `[start, end)` of the names in it; found by their capitals where none are given.

    Returns:
        None where the words give no plan.
    """
    masked = mask(question, names)
    return compared(masked) or _chain(masked)


def _chain(masked: Masked) -> Plan | None:
    reader = Reader(masked.names)
    last = reader.ask(reader.reduce(masked.text))
    if not last:
        return None
    steps, last_step = reader.steps, int(last[1:])
    subject = steps[last_step].subject
    if isinstance(subject, int) and _ORDER.match(steps[last_step].words):  # "list the firms that ..." asks for the firms
        steps, last_step = steps[:last_step], subject
    yes_no, count = re.match(rf"{AUXILIARY}\b", masked.text), _COUNT.match(masked.text)
    operation: Operation = "yes-no" if yes_no else "count" if count else "lookup"
    return Plan(tuple(steps), (last_step,), operation)


__all__ = ["Plan", "SubQuestion", "decompose"]
