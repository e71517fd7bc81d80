"""The student as torch trains it: the encoder's top layers with structural attention biases, and four small heads.

It stands on the states after the packaged encoder's first `LOWER` layers, which stay as they are. In every layer each head
favours keys of the same item, of the same entity, or of the question (learned, some heads begin with one of them): with words
alone such a reader hardly learns to follow a name from one fact to the next. Tokens of the question, and of entities that it
names, are marked. Needs the extra `models`.
"""

from __future__ import annotations

import math
from typing import Any

from ...kg.errors import ArtefactError
from ...kg.quantised import int8
from ...kg.top_layers import original
from ...retrieval.encoder import LOWER
from .items import OPERATIONS

STEPS = 4  # the longest rationale that is told apart; column 0 of the head is "not used"
_FAVOURED = (
    (0, 4, 1.5),
    (4, 7, 4.0),
    (7, 10, 1.5),
)  # heads, first and end, that begin by favouring each kind of key, and how much
EXTRA = 1  # layers added on top, which begin as copies of the last


def network(torch: Any, layers: int = 3 + EXTRA) -> Any:
    """The student; `forward(lower [n, t, d], item [n, t], entity [n, t])` gives logits (operation [n, 6], steps [n, t, 5],
    ends [n, t, 2] of the first and last token of an answer). `item` is -1 where there is no token."""
    from transformers import AutoModel

    def biased(layer: Any) -> Any:
        return _layer(torch, layer)

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            encoder = AutoModel.from_pretrained(original(), attn_implementation="eager").encoder
            tops = list(encoder.layer[LOWER:])
            tops += [tops[-1]] * (layers - len(tops))
            self.layers = torch.nn.ModuleList(biased(layer) for layer in tops[:layers])
            width = self.layers[0].width
            self.asked = torch.nn.Parameter(0.02 * torch.randn(width))
            self.named = torch.nn.Parameter(0.02 * torch.randn(width))
            self.operation = torch.nn.Linear(width, len(OPERATIONS))
            self.steps = torch.nn.Linear(width, 1 + STEPS)
            self.ends = torch.nn.Linear(width, 2)

        def forward(self, lower: Any, item: Any, entity: Any) -> Any:
            same = (item[:, :, None] == item[:, None, :]).float()
            one = ((entity[:, :, None] == entity[:, None, :]) & (entity[:, :, None] > 0)).float()
            asked = (item == 0).float()[:, None, :].expand_as(same)
            named = (one * asked).amax(dim=2, keepdim=True)
            hidden = (item < 0).float()[:, None, None, :] * -1e9
            shape = torch.stack([same, one, asked], dim=1).flatten(2)
            states = lower + asked[:, 0, :, None] * self.asked + named * self.named
            for layer in self.layers:
                states = layer(states, shape, hidden)
            return self.operation(states[:, 0]), self.steps(states), self.ends(states)

    return Network()


def _layer(torch: Any, origin: Any) -> Any:
    """A transformer layer with the weights of the original's, and biases of its attention."""

    class Layer(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            attention = origin.attention.self
            self.heads, self.width = attention.num_attention_heads, attention.query.in_features

            def copied(module: Any) -> Any:
                made = torch.nn.Linear(module.in_features, module.out_features)
                made.load_state_dict(module.state_dict())
                return made

            def normed(module: Any) -> Any:
                made = torch.nn.LayerNorm(self.width, eps=module.eps)
                made.load_state_dict(module.state_dict())
                return made

            self.query, self.key, self.value = (copied(m) for m in (attention.query, attention.key, attention.value))
            self.out, self.out_norm = copied(origin.attention.output.dense), normed(origin.attention.output.LayerNorm)
            self.wide, self.narrow = copied(origin.intermediate.dense), copied(origin.output.dense)
            self.norm = normed(origin.output.LayerNorm)
            start = torch.zeros(self.heads, 3)
            for kind, (first, last, weight) in enumerate(_FAVOURED):
                start[first:last, kind] = weight
            self.favour = torch.nn.Parameter(start)
            self.drop = torch.nn.Dropout(0.1)

        def forward(self, states: Any, shape: Any, hidden: Any) -> Any:
            n, t, _ = states.shape

            def split(values: Any) -> Any:
                return values.reshape(n, t, self.heads, -1).transpose(1, 2).reshape(n * self.heads, t, -1)

            query, key, value = split(self.query(states)), split(self.key(states)), split(self.value(states))
            bias = (self.favour @ shape).reshape(n, self.heads, t, t) + hidden
            scores = torch.baddbmm(
                bias.reshape(-1, t, t), query, key.transpose(1, 2), alpha=1 / math.sqrt(self.width // self.heads)
            )
            mixed = (scores.softmax(dim=-1) @ value).reshape(n, self.heads, t, -1).transpose(1, 2).reshape(n, t, self.width)
            states = self.out_norm(states + self.drop(self.out(mixed)))
            return self.norm(states + self.drop(self.narrow(torch.nn.functional.gelu(self.wide(states)))))

    return Layer()


def exported(torch: Any, net: Any) -> bytes:
    """The network as int8 ONNX: lower, item, entity to operation, steps, ends."""
    width = net.layers[0].width
    row = torch.zeros(2, 7, dtype=torch.long)
    names = ("lower", "item", "entity", "steps", "ends")
    axes = {name: {0: "n", 1: "t"} for name in names} | {"operation": {0: "n"}}
    inputs = {"lower": torch.randn(2, 7, width), "item": row, "entity": row}
    return int8(net.eval(), inputs, ["operation", "steps", "ends"], axes)


def restore(torch: Any, net: Any, model: bytes) -> None:
    """Load the weights of an `exported` model, as it has them, into a network of the same form.

    Raises:
        ArtefactError: it is no such model.
    """
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load_from_string(model).graph
    except Exception as error:  # protobuf raises classes of its own
        raise ArtefactError(f"not a student: {error}") from error
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    matrices = {  # "/layers.0/query/MatMul_quant" multiplies by the weight of layers.0.query
        ".".join(node.name.split("/")[1:-1]): name
        for node in graph.node
        for name in node.input
        if name.endswith("_quantized") and name in values
    }
    state = net.state_dict()
    for name, value in state.items():
        matrix = matrices.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        plain = values.get(name)
        if matrix is not None:
            plain = (values[matrix].astype("float32") * values[matrix.removesuffix("_quantized") + "_scale"]).T
        if plain is None or plain.shape != tuple(value.shape):
            raise ArtefactError(f"not a student of this form: its {name} is missing or of another shape")
        state[name] = torch.tensor(plain.copy())
    net.load_state_dict(state)


__all__ = ["STEPS", "exported", "network", "restore"]
