"""A learned reader of questions: for each hop, which relation the question asks for next, or to stop.

At hop t an attention over the question's token states picks the words that say this hop, and their mean is compared with a
vector per step, a relation family in one direction:

    key_i   = block(h U)_i                             query_t = q A_t + c_(t-1) B + k_(t-1) D
    a_t     = softmax_i(key_i . query_t + place_t[i] - used_t * sum_(s<t) a_s)
    c_t     = sum_i a_t,i h_i, k_t likewise of keys    P_t = softmax(scale * (c_t + c_t L M) . R + bias_t)
    stop_t  = stop_t + k_t . halt - rest * sum_i sigmoid(h_i . content) * exp(-sharp * sum_(s<t) a_s,i)

The last sum is over words that nothing has read yet. The block is one small layer of self-attention with relative places:
where words stand to each other ("of", "whose", "that") says which hop comes next. Only the keys see it. The token states
come from top layers of the encoder that were trained with the reader (`top`), the vectors of wordings from the encoder.

Step attention follows NSM (He et al., WSDM 2021) and TransferNet (Shi et al., EMNLP 2021). The rows of R come from the
encoder's vectors of a relation's wordings, through a residual of low rank: the packaged `Reader`, trained on questions about
relations in general, so reads questions about a graph it has never seen, and `train_paths` goes on from there on questions
mined from the graph. Here is only numpy.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..data import model_folder
from ..kg.artefacts import load_artefact, write_manifest
from ..kg.errors import ArtefactError
from .encoder import TextEncoder
from .top import TopLayers

DEPTHS = 4  # hops with parameters of their own; a fourth hop and later ones share the last
PLACES = 12  # farthest distance from the mention that is told apart, to either side
HEADS = 4  # of the block
NEAR = 8  # farthest distance between two words that is told apart there
PLACEHOLDER = "X"
WEIGHTS = "weights.safetensors"
TOP = "top.onnx"
BLOCK = ("mix_query", "mix_key", "mix_value", "mix_out", "near", "wide", "narrow")
SHARED = (
    *BLOCK, "keys", "query", "carry", "onward", "halt", "place", "used", "down", "up", "scale", "content", "content_bias", "rest",
    "sharp",
)  # fmt: skip
SHAPES = (*SHARED, "steps", "bias")
READER = (*SHARED, "ways", "lift_down", "lift_up", "stop", "stop_bias", "wordings")


@dataclass(frozen=True, slots=True, eq=False)
class StepScorer:
    """What `train_paths` learned for one set of relations.

    Attributes:
        families: family names; step `2 * i` walks family i from subject to object, `2 * i + 1` back; the last step is stop.
        weights: arrays by name, see `SHAPES` and the module.
        encoder: id of the encoder whose token states it reads.
        meta: how it was trained, with its figures.
        top: the layers that give these states in place of the encoder's own, if they were trained as well.
    """

    families: tuple[str, ...]
    weights: dict[str, np.ndarray]
    encoder: str
    meta: dict[str, object]
    top: TopLayers | None = None

    def read(self, encoder: TextEncoder, question: str, mentions: list[tuple[int, int]], seed: int = 0) -> np.ndarray:
        """Log-probability of each step at each hop, were the hops before it those the question asks for.

        Args:
            encoder: the one it was trained with.
            question: any text.
            mentions: `[start, end)` of the entities named; they are masked.
            seed: the mention where the path starts.

        Returns:
            float32 [DEPTHS, 2 * families + 1].

        Raises:
            ArtefactError: another encoder.
        """
        if encoder.id != self.encoder:
            raise ArtefactError(f"the path scorer was trained with the encoder {self.encoder}, not {encoder.id}")
        states, places = token_inputs(
            self.reading(encoder), question, sorted(mentions), sorted(mentions).index(mentions[seed]) if mentions else 0
        )
        if not len(states):
            return np.zeros((DEPTHS, len(self.weights["steps"])), np.float32)
        return self.log_probabilities(states, places)

    def reading(self, encoder: TextEncoder) -> TextEncoder:
        """The encoder with the token states that this scorer reads."""
        return self.top.over(encoder) if self.top else encoder

    def log_probabilities(self, states: np.ndarray, places: np.ndarray) -> np.ndarray:
        """As `read`, from token states float32 [t, h] and places int [t]."""
        w = self.weights
        whole, keys = states.mean(axis=0), _block(states @ w["keys"], w)
        context, spot, covered = np.zeros_like(whole), np.zeros_like(keys[0]), np.zeros(len(states), np.float32)
        content = 1 / (1 + np.exp(-(states @ w["content"] + w["content_bias"])))
        rows = []
        for t in range(DEPTHS):
            query = whole @ w["query"][t] + context @ w["carry"] + spot @ w["onward"]
            unread = float(content @ np.exp(-w["sharp"] * covered))
            attention = _softmax(keys @ query / np.sqrt(len(query)) + w["place"][t][places] - w["used"][t] * covered)
            covered = covered + attention
            context, spot = attention @ states, attention @ keys
            value = context + context @ w["down"] @ w["up"]
            logits = w["scale"] * (w["steps"] @ (value / (np.linalg.norm(value) + 1e-6))) + w["bias"][t]
            logits[-1] += spot @ w["halt"] - w["rest"].item() * unread
            rows.append(logits - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
        return np.array(rows, np.float32)

    def save(self, folder: Path) -> None:
        """Write weights and manifest."""
        _save(
            folder,
            "path-scorer",
            {n: self.weights[n] for n in SHAPES},
            {"families": list(self.families)} | self._meta(),
            self.top,
        )

    def _meta(self) -> dict[str, object]:
        return {"encoder": self.encoder, **self.meta}

    @classmethod
    def load(cls, folder: Path) -> StepScorer:
        """Read what `save` wrote.

        Raises:
            ArtefactError: missing, changed or of another form.
        """
        weights, meta, top = _load(folder, SHAPES)
        families = tuple(meta.pop("families", ()))
        if weights["steps"].shape != (2 * len(families) + 1, weights["keys"].shape[0]):
            raise ArtefactError(f"{folder}: not a path scorer (its steps are not those of its families)")
        return cls(families, weights, str(meta.pop("encoder")), meta, top)


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """What a `StepScorer` knows of relations in general: everything but their rows, and how these are made from wordings.

    Attributes:
        families: names of the families of the lexicon, whose wordings it brings along encoded.
        weights: arrays by name, see `READER`; `wordings` [2 * families, d] holds the means of the vectors of each step's
            wordings.
        encoder: id of the encoder whose states it reads.
        meta: how it was trained, with its figures.
        top: see `StepScorer`.
    """

    families: tuple[str, ...]
    weights: dict[str, np.ndarray]
    encoder: str
    meta: dict[str, object]
    top: TopLayers | None = None

    def scorer(self, families: tuple[str, ...], wordings: dict[str, np.ndarray]) -> StepScorer:
        """A scorer for the relations of a graph.

        Args:
            families: their names.
            wordings: means of the vectors of the wordings of both steps, float32 [2, d], of families that are not those of
                the lexicon.
        """
        w, known = self.weights, self.means() | wordings
        rows = np.array([known[name] + w["ways"] for name in families], np.float32).reshape(2 * len(families), -1)
        rows = rows + rows @ w["lift_down"] @ w["lift_up"]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6
        steps = np.concatenate([rows, w["stop"][None]]).astype(np.float32)
        bias = np.zeros((DEPTHS, len(steps)), np.float32)
        bias[:, -1] = w["stop_bias"]
        return StepScorer(
            families, {name: w[name] for name in SHARED} | {"steps": steps, "bias": bias}, self.encoder, self.meta, self.top
        )

    def means(self) -> dict[str, np.ndarray]:
        """Means of the vectors of the wordings of both steps of each family it brings along, float32 [2, d]."""
        return dict(zip(self.families, self.weights["wordings"].reshape(len(self.families), 2, -1), strict=True))

    def save(self, folder: Path) -> None:
        """Write weights and manifest."""
        meta = {"encoder": self.encoder, "families": list(self.families), **self.meta}
        _save(folder, "path-reader", {n: self.weights[n] for n in READER}, meta, self.top)

    @classmethod
    @functools.cache
    def default(cls) -> Reader:
        """The packaged reader, loaded once per process."""
        return cls.load(model_folder("reader"))

    @classmethod
    def load(cls, folder: Path) -> Reader:
        """Read what `save` wrote.

        Raises:
            ArtefactError: missing, changed or of another form.
        """
        weights, meta, top = _load(folder, READER)
        families = tuple(meta.pop("families", ()))
        if weights["wordings"].shape != (2 * len(families), weights["keys"].shape[0]):
            raise ArtefactError(f"{folder}: not a reader (its wordings are not those of its families)")
        return cls(families, weights, str(meta.pop("encoder")), meta, top)


def _save(folder: Path, name: str, weights: dict[str, np.ndarray], meta: dict[str, object], top: TopLayers | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: np.array(value, order="C") for key, value in weights.items()}, folder / WEIGHTS)
    if top:
        (folder / TOP).write_bytes(top.model)
    write_manifest(folder, name, [WEIGHTS, TOP] if top else [WEIGHTS], meta)


def _load(folder: Path, names: tuple[str, ...]) -> tuple[dict[str, np.ndarray], dict[str, Any], TopLayers | None]:
    artefact = load_artefact(folder)
    try:
        weights = load_file(artefact.path(WEIGHTS))
    except SafetensorError as error:
        raise ArtefactError(f"{folder}: not a model of paths ({error})") from error
    if sorted(weights) != sorted(names) or not isinstance(artefact.meta.get("encoder"), str):
        raise ArtefactError(f"{folder}: not a model of paths (its arrays have other names)")
    top = TopLayers(artefact.path(TOP).read_bytes()) if TOP in artefact.files else None
    return weights, dict(artefact.meta), top


def token_inputs(
    encoder: TextEncoder, question: str, mentions: list[tuple[int, int]], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Token states float32 [t, h] of the question with its mentions masked, and the place of each token beside the seed.

    Places are distances in tokens, 0 to 2 * PLACES, PLACES at the seed itself.
    """
    text, start, end = _masked(question, mentions, seed)
    offsets, states = encoder.token_states(text)
    first = next((i for i, (a, b) in enumerate(offsets) if a < end and start < b), 0)
    places = np.clip(np.arange(len(offsets)) - first, -PLACES, PLACES) + PLACES
    return states.astype(np.float32), places


def _masked(question: str, mentions: list[tuple[int, int]], seed: int) -> tuple[str, int, int]:
    """The question in lower case with every mention replaced, and where the seed stands in it; (0, 0) where none is named."""
    pieces, at, where = [], 0, (0, 0)
    size = 0
    for i, (start, end) in enumerate(mentions):
        before = question[at:start].lower().replace("[", "").replace("]", "")
        pieces += [before, PLACEHOLDER]
        size += len(before)
        if i == seed:
            where = (size, size + len(PLACEHOLDER))
        size += len(PLACEHOLDER)
        at = end
    pieces.append(question[at:].lower().replace("]", "").replace("[", "").rstrip(" ?."))
    return "".join(pieces), *where


def _block(keys: np.ndarray, w: dict[str, np.ndarray]) -> np.ndarray:
    """Keys float32 [t, k] that have seen each other."""
    t, k = keys.shape
    seen = keys / np.sqrt((keys**2).mean(axis=1, keepdims=True) + 1e-6)
    query, key, value = (
        (seen @ w[name]).reshape(t, HEADS, -1).transpose(1, 0, 2) for name in ("mix_query", "mix_key", "mix_value")
    )
    apart = np.clip(np.arange(t) - np.arange(t)[:, None], -NEAR, NEAR) + NEAR
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(k // HEADS) + w["near"][:, apart]
    raised = np.exp(scores - scores.max(axis=2, keepdims=True))
    mixed = (raised / raised.sum(axis=2, keepdims=True)) @ value
    keys = keys + mixed.transpose(1, 0, 2).reshape(t, k) @ w["mix_out"]
    together: np.ndarray = keys + np.maximum(keys @ w["wide"], 0) @ w["narrow"]
    return together


def _softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max())
    result: np.ndarray = (raised / raised.sum()).astype(np.float32)
    return result


__all__ = ["DEPTHS", "PLACES", "Reader", "StepScorer", "token_inputs"]
