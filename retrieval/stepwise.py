"""A learned reader of questions: for each hop, which relation the question asks for next, or to stop.

At hop t an attention over the question's token states (frozen encoder) picks the words that say this hop, and their mean is
compared with a vector per step, a relation family in one direction:

    key_i   = h_i U                                    query_t = q A_t + c_(t-1) B
    a_t     = softmax_i(key_i . query_t + place_t[i] - used_t * sum_(s<t) a_s)
    c_t     = sum_i a_t,i h_i                          P_t = softmax(scale * (c_t + c_t L M) . R + bias_t)

Step attention follows NSM (He et al., WSDM 2021) and TransferNet (Shi et al., EMNLP 2021); the identity-residual projection
and rows of R that start at the encoder's vectors of the wordings keep what the encoder knows of words never trained on.
Trained by `train_paths` on questions mined from the graph; here is only numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..kg.errors import ArtefactError
from .artefacts import load_artefact, write_manifest
from .encoder import TextEncoder

DEPTHS = 4  # hops with parameters of their own; a fourth hop and later ones share the last
PLACES = 12  # farthest distance from the mention that is told apart, to either side
PLACEHOLDER = "X"
WEIGHTS = "weights.safetensors"
SHAPES = ("keys", "query", "carry", "place", "used", "down", "up", "steps", "bias", "scale")


@dataclass(frozen=True, slots=True, eq=False)
class StepScorer:
    """What `train_paths` learned for one set of relations.

    Attributes:
        families: family names; step `2 * i` walks family i from subject to object, `2 * i + 1` back; the last step is stop.
        weights: arrays by name, see `SHAPES` and the module.
        encoder: id of the encoder whose token states it reads.
        meta: how it was trained, with its figures.
    """

    families: tuple[str, ...]
    weights: dict[str, np.ndarray]
    encoder: str
    meta: dict[str, object]

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
        states, places = token_inputs(encoder, question, mentions, seed)
        return self.log_probabilities(states, places)

    def log_probabilities(self, states: np.ndarray, places: np.ndarray) -> np.ndarray:
        """As `read`, from token states float32 [t, h] and places int [t]."""
        w = self.weights
        whole, keys = states.mean(axis=0), states @ w["keys"]
        context, covered = np.zeros_like(whole), np.zeros(len(states), np.float32)
        rows = []
        for t in range(DEPTHS):
            query = whole @ w["query"][t] + context @ w["carry"]
            attention = _softmax(keys @ query / np.sqrt(len(query)) + w["place"][t][places] - w["used"][t] * covered)
            covered = covered + attention
            context = attention @ states
            value = context + context @ w["down"] @ w["up"]
            logits = w["scale"] * (w["steps"] @ (value / (np.linalg.norm(value) + 1e-6))) + w["bias"][t]
            rows.append(logits - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
        return np.array(rows, np.float32)

    def save(self, folder: Path) -> None:
        """Write weights and manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: np.ascontiguousarray(self.weights[name]) for name in SHAPES}, folder / WEIGHTS)
        write_manifest(folder, "path-scorer", [WEIGHTS], {"families": list(self.families), "encoder": self.encoder, **self.meta})

    @classmethod
    def load(cls, folder: Path) -> StepScorer:
        """Read what `save` wrote.

        Raises:
            ArtefactError: missing, changed or of another form.
        """
        artefact = load_artefact(folder)
        try:
            weights = load_file(artefact.path(WEIGHTS))
            families, encoder = tuple(artefact.meta["families"]), str(artefact.meta["encoder"])
        except (SafetensorError, KeyError, TypeError) as error:
            raise ArtefactError(f"{folder}: not a path scorer ({type(error).__name__})") from error
        if sorted(weights) != sorted(SHAPES) or weights["steps"].shape[0] != 2 * len(families) + 1:
            raise ArtefactError(f"{folder}: not a path scorer (its arrays have other names or shapes)")
        return cls(families, weights, encoder, {k: v for k, v in artefact.meta.items() if k not in {"families", "encoder"}})


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


def _softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max())
    result: np.ndarray = (raised / raised.sum()).astype(np.float32)
    return result


__all__ = ["DEPTHS", "PLACES", "StepScorer", "token_inputs"]
