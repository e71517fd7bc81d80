"""Stories and texts as the arrays that the writer's model takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .source import CLOSED, OPEN, Source, choices

LONGEST = 96  # choices of a text
Arrays = dict[str, np.ndarray]


def arrays(sources: Sequence[Source], texts: Sequence[Sequence[str]], costs: Sequence[Sequence[float]]) -> Arrays:
    """Inputs for some texts of each story, padded; a text is cut at `LONGEST` choices.

    Args:
        sources: units of each story.
        texts: of each story, in marks.
        costs: what the grammar asks for each.
    """
    width = max(len(one.roles) for one in sources)
    states = np.zeros((len(sources), width, sources[0].states.shape[1]), np.float32)
    roles, facts = np.full((len(sources), width), -1, np.int64), np.zeros((len(sources), width), np.int64)
    for at, one in enumerate(sources):
        u = len(one.roles)
        states[at, :u], roles[at, :u], facts[at, :u] = one.states, one.roles, one.facts
    rows = [choices(text, one.copies)[:LONGEST] for at, one in enumerate(sources) for text in texts[at]]
    longest = max(map(len, rows))
    said, means = np.full((len(rows), longest), -1, np.int64), np.zeros((len(rows), longest, CLOSED + width), np.float32)
    for i, row in enumerate(rows):
        said[i, : len(row)] = [OPEN, *(choice[0] for choice in row[:-1])]
        for t, choice in enumerate(row):
            means[i, t, list(choice)] = 1
        means[i, len(row) :, OPEN] = 1
    of = np.array([at for at, some in enumerate(texts) for _ in some], np.int64)
    asked = np.array([cost for some in costs for cost in some], np.float32)
    return {"states": states, "roles": roles, "facts": facts, "of": of, "said": said, "means": means, "costs": asked}


__all__ = ["LONGEST", "Arrays", "arrays"]
