"""A tiny student that knows by heart: a causal transformer, really trained on a `TinyWorld`. Needs the extra `models`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kg.synth import TinyWorld
from ...retrieval.train_reader import import_torch

WIDTH, HEADS, LAYERS, BATCH, RATE, PASSES = 48, 4, 2, 256, 6e-3, 3
_WARM_UP = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class CausalStudent:
    """A student after training.

    Attributes:
        net: of torch.
        parameters: how many it has.
    """

    net: Any
    parameters: int

    def next(self, prompts: np.ndarray) -> np.ndarray:
        """Probabilities of the next token, float32 [n, tokens].

        Args:
            prompts: int64 [n, 3].
        """
        torch = import_torch()
        with torch.no_grad():
            logits = torch.cat([self.net(part)[:, -1] for part in torch.from_numpy(prompts).split(4096)])
            p: np.ndarray = torch.softmax(logits, -1).numpy()
        return p


def train_student(world: TinyWorld, passes: int = PASSES, seed: int = 0) -> CausalStudent:
    """Tell a new student all lines of a world, so many times over; the same seed gives the same student.

    Raises:
        MissingExtraError: torch is not installed.
    """
    torch = import_torch()
    torch.manual_seed(seed)
    net = _network(torch, world.tokens)
    lines = torch.from_numpy(world.lines())
    steps = passes * -(-len(lines) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=_WARM_UP)
    order = torch.Generator().manual_seed(seed)
    for _ in range(passes):
        for batch in torch.randperm(len(lines), generator=order).split(BATCH):
            told = lines[batch]
            loss = torch.nn.functional.cross_entropy(net(told[:, :-1])[:, -1], told[:, -1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return CausalStudent(net.eval(), sum(p.numel() for p in net.parameters()))


def _network(torch: Any, tokens: int) -> Any:
    """Embeddings of tokens and places, causal layers with the norm first, and the embeddings again as the way out."""
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.token, self.place = nn.Embedding(tokens, WIDTH), nn.Embedding(3, WIDTH)
            layer = [nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)]
            self.layers = nn.TransformerEncoder(layer[0], LAYERS, enable_nested_tensor=False)
            self.norm = nn.LayerNorm(WIDTH)
            nn.init.normal_(self.token.weight, std=0.05)
            nn.init.normal_(self.place.weight, std=0.05)

        def forward(self, prompts: Any) -> Any:
            mask = nn.Transformer.generate_square_subsequent_mask(prompts.shape[1])
            states = self.token(prompts) + self.place.weight[: prompts.shape[1]]
            states = self.layers(states, mask=mask, is_causal=True)
            return self.norm(states) @ self.token.weight.T

    return Net()


__all__ = ["CausalStudent", "train_student"]
