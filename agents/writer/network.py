"""The writer's model as torch trains it: one layer over the units of a story, two of a decoder that copies. Needs `models`.

It stands on the states after the packaged encoder's first layers, which stay as they are. At each place of a text it gives the
probability of each choice: a function word, or a unit of the story. What a choice means to say may be several units (a name that
stands in two facts); their probabilities are added. A text scores the mean log-probability of its choices, weighed against what
the grammar asks for it.
"""

from __future__ import annotations

import math
from typing import Any

from ...kg.quantised import int8
from .inputs import LONGEST
from .source import CLOSED, MOST_FACTS

WIDTH, HEADS, DEEP = 128, 4, 2


def network(torch: Any, states: int = 384) -> Any:
    """The model; `forward(states [s, u, h], roles [s, u], facts [s, u], of [n], said [n, t], means [n, t, c], costs [n])` gives
    scores [n] and log-probabilities [n]. `roles` is -1 where there is no unit, `said` -1 where the text has ended; `means` is 1
    for what a choice may be, of the closed choices and the units; `of` is the story of each text."""
    nn = torch.nn

    class Writer(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.unit = nn.Linear(states, WIDTH)
            self.role, self.fact = nn.Embedding(4, WIDTH), nn.Embedding(1 + MOST_FACTS, WIDTH)
            self.word, self.place = nn.Embedding(CLOSED, WIDTH), nn.Embedding(LONGEST, WIDTH)
            self.reading = _layer(torch, cross=False)
            self.writing = nn.ModuleList(_layer(torch, cross=True) for _ in range(DEEP))
            self.closed, self.copy = nn.Linear(WIDTH, CLOSED), nn.Linear(WIDTH, WIDTH)
            self.blend = nn.Parameter(torch.tensor([4.0, 1.0]))

        def forward(self, states: Any, roles: Any, facts: Any, of: Any, said: Any, means: Any, costs: Any) -> Any:
            units = self.unit(states) + self.role(roles.clamp(min=0)) + self.fact(facts)
            away = (roles < 0).float()[:, None, None, :] * -1e9
            memory = self.reading(units, away)[of]
            away = away[of]
            shown = torch.cat([self.word.weight[None].expand(memory.shape[0], -1, -1), memory], dim=1)
            index = said.clamp(min=0)[:, :, None].expand(-1, -1, WIDTH)
            text = shown.gather(1, index) + self.place.weight[: said.shape[1]]
            later = torch.ones(said.shape[1], said.shape[1]).triu(1) * -1e9
            for layer in self.writing:
                text = layer(text, later, memory, away)
            pointed = self.copy(text) @ memory.transpose(1, 2) / math.sqrt(WIDTH) + away[:, 0]
            odds = torch.cat([self.closed(text), pointed], dim=2).log_softmax(dim=2)
            right = (odds + (1 - means) * -1e9).logsumexp(dim=2)
            there = (said >= 0).float()
            likely = (right * there).sum(dim=1) / there.sum(dim=1)
            return self.blend[0] * likely - self.blend[1] * costs, likely

    return Writer()


def _layer(torch: Any, *, cross: bool) -> Any:
    nn = torch.nn

    class Layer(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.own, self.own_out, self.norm = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
            if cross:
                self.ask, self.tell = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * WIDTH)
                self.told, self.told_norm = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
            self.wide, self.narrow, self.last = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(3 * WIDTH, WIDTH), nn.LayerNorm(WIDTH)
            self.drop = nn.Dropout(0.1)

        def forward(self, text: Any, hidden: Any, memory: Any = None, away: Any = None) -> Any:
            query, key, value = self.own(text).chunk(3, dim=2)
            mixed = _attended(query, key, value, hidden)
            text = self.norm(text + self.drop(self.own_out(mixed)))
            if cross:
                key, value = self.tell(memory).chunk(2, dim=2)
                mixed = _attended(self.ask(text), key, value, away)
                text = self.told_norm(text + self.drop(self.told(mixed)))
            return self.last(text + self.drop(self.narrow(nn.functional.gelu(self.wide(text)))))

    return Layer()


def _attended(query: Any, key: Any, value: Any, hidden: Any) -> Any:
    n, t, _ = query.shape

    def split(values: Any) -> Any:
        return values.reshape(n, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    scores = split(query) @ split(key).transpose(2, 3) / math.sqrt(WIDTH // HEADS) + hidden
    return (scores.softmax(dim=-1) @ split(value)).transpose(1, 2).reshape(n, t, WIDTH)


INPUTS = ("states", "roles", "facts", "of", "said", "means", "costs")


def exported(torch: Any, net: Any) -> bytes:
    """The model as int8 ONNX: the inputs of `forward` by name to `scores` and `likely`."""
    long = {"dtype": torch.long}
    given = (
        torch.randn(1, 7, net.unit.in_features), torch.zeros(1, 7, **long), torch.zeros(1, 7, **long),
        torch.zeros(3, **long), torch.zeros(3, 5, **long), torch.ones(3, 5, CLOSED + 7), torch.zeros(3),
    )  # fmt: skip
    axes = {name: {0: "s", 1: "u"} for name in ("states", "roles", "facts")}
    axes |= {"of": {0: "n"}, "said": {0: "n", 1: "t"}, "means": {0: "n", 1: "t", 2: "c"}, "costs": {0: "n"}}
    axes |= {"scores": {0: "n"}, "likely": {0: "n"}}
    return int8(net.eval(), dict(zip(INPUTS, given, strict=True)), ["scores", "likely"], axes)


__all__ = ["INPUTS", "exported", "network"]
