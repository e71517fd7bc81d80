"""What stands on the token states of the extractor: who is named, and what is said of any two of them. Only numpy.

    tags    BIO over `TYPES`, read at the first WordPiece of each word
    mention m = gelu([h_first; h_last] M)                                            [256]
    context c = the states that both mentions attend to, by the product of their attention (Zhou et al., AAAI 2021)
    pair    u = gelu(m_i H + m_j T + near[sentences between them] + c C)  v = u V     [160]
    logit   v . (L label_vector + known_label) + bias, against v . threshold + shift

The relations of two entities are those whose logit, over the best pairs of their mentions (log-sum-exp), is above the threshold
of the pair (adaptive thresholding, same paper). There are two thresholds: of all that a text lets one know, and of what a
sentence says of its subject under a given ontology. A relation is compared by the sentence vector of its label, so
labels that training never saw, of any ontology, can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .examples import TYPES
from .windows import Window

NEAR = 6  # sentences between two mentions that are told apart
IMPLIED, STATED = 0, 1  # thresholds
ARRAYS = (
    *("tag", "tag_bias", "mention", "mention_bias", "head", "tail", "near", "context"),
    *("pair", "label", "known", "bias", "threshold", "shift"),
)
TINY = 1e-9
_GELU = 0.7978845608028654  # sqrt(2 / pi)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A mention in a window: words `[first, last]`, index into `TYPES`, probability of its tags."""

    first: int
    last: int
    type: int
    sure: float


def decode_tags(logits: np.ndarray, sentence: np.ndarray) -> list[Found]:
    """Mentions from tag logits float32 [w, 1 + 2 * types]: outside, then begin and inside per type.

    A run begins at a "begin", or at an "inside" after something else, and ends with its sentence, of which int64 [w] tells;
    its type is the one its words are surest of.
    """
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds = raised / raised.sum(axis=1, keepdims=True)
    named = odds[:, 1:].reshape(len(odds), len(TYPES), 2)
    begin, inside = named[:, :, 0].sum(axis=1), named[:, :, 1].sum(axis=1)
    outside = odds[:, 0]
    found: list[Found] = []
    at = 0
    while at < len(odds):
        if outside[at] >= max(begin[at], inside[at]):
            at += 1
            continue
        end = at + 1
        while end < len(odds) and inside[end] > max(begin[end], outside[end]) and sentence[end] == sentence[at]:
            end += 1
        kinds = named[at:end].sum(axis=(0, 2))
        found.append(Found(at, end - 1, int(kinds.argmax()), float((1 - outside[at:end]).mean())))
        at = end
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Trained arrays, float32; see the module.

    Attributes:
        arrays: by name, `ARRAYS`.
        labels: the relations that `known` has a row for, [r, 160].
    """

    arrays: dict[str, np.ndarray]
    labels: tuple[str, ...]

    def mentions(self, states: np.ndarray, window: Window) -> list[Found]:
        """Mentions in a window with token states float32 [t, h]."""
        return decode_tags(states[window.first] @ self.arrays["tag"] + self.arrays["tag_bias"], window.sentence)

    def relations(self, labels: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        """What pairs are compared with, float32 [2 + labels, 161]: the thresholds first, the bias last in each row.

        Args:
            labels: relations to look for.
            vectors: float32 [labels, d], their sentence vectors.
        """
        a = self.arrays
        rows = vectors @ a["label"]
        bias = np.zeros(len(labels), np.float32)
        index = {label: i for i, label in enumerate(self.labels)}
        for i, label in enumerate(labels):
            if label in index:
                rows[i] += a["known"][index[label]]
                bias[i] = a["bias"][index[label]]
        both = np.vstack([a["threshold"], rows]), np.concatenate([a["shift"], bias])
        return np.column_stack(both).astype(np.float32)

    def score(
        self, states: np.ndarray, attention: np.ndarray, window: Window, found: Sequence[Found], relations: np.ndarray,
        pairs: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Logits of relations for pairs of mentions, float32 [pairs, 2 + labels].

        Args:
            states: token states float32 [t, h].
            attention: of their last layer, float32 [heads, t, t].
            window: what they are of.
            found: mentions.
            relations: of `relations`.
            pairs: int64 [pairs, 2] indices into `found`, subject and object.
        """
        a = self.arrays
        first, last = (window.first[[m.first for m in found]], window.last[[m.last for m in found]])
        mention = _gelu(np.concatenate([states[first], states[last]], axis=1) @ a["mention"] + a["mention_bias"])
        at = window.sentence[[m.first for m in found]]
        near = np.minimum(np.abs(at[pairs[:, 0]] - at[pairs[:, 1]]), NEAR - 1)
        both, which = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
        context = _shared(attention[:, first] + attention[:, last], both) @ (states @ a["context"])
        sides = (mention @ a["head"])[pairs[:, 0]] + (mention @ a["tail"])[pairs[:, 1]]
        u = _gelu(sides + a["near"][near] + context[which.ravel()])
        logits: np.ndarray = (u @ a["pair"]) @ relations[:, :-1].T + relations[:, -1]
        return logits


def _shared(attention: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """How much both mentions of a pair attend to each token, float32 [pairs, t], from that of each, [heads, mentions, t]."""
    weights = np.zeros((len(pairs), attention.shape[2]), np.float32)
    for head in attention:
        weights += head[pairs[:, 0]] * head[pairs[:, 1]]
    shared: np.ndarray = weights / np.maximum(weights.sum(axis=1, keepdims=True), TINY)
    return shared


def _gelu(x: np.ndarray) -> np.ndarray:
    """The tanh form (Hendrycks and Gimpel 2016)."""
    y: np.ndarray = 0.5 * x * (1 + np.tanh(_GELU * (x + 0.044715 * x**3)))
    return y


__all__ = ["ARRAYS", "IMPLIED", "NEAR", "STATED", "TINY", "Found", "Heads", "decode_tags"]
