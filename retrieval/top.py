"""Top layers of the encoder that belong to the reader: trained to read relations, over the lower layers of the packaged encoder.

The encoder itself stays as it is, and so does every vector of it; only the states of a question's tokens come from here. The
layers are int8 ONNX like the encoder, and a question runs through as many layers as before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kg.errors import ArtefactError
from ..kg.quantised import finite, open_session
from .encoder import Encoder, TextEncoder

TokenStates = tuple[list[tuple[int, int]], np.ndarray]


class WithStates:
    """An encoder with other token states; its vectors stay."""

    def __init__(self, encoder: TextEncoder, states: Callable[[str], TokenStates]) -> None:
        self.id, self.dim, self._states = encoder.id, encoder.dim, states
        self.encode, self.count_tokens = encoder.encode, encoder.count_tokens

    def token_states(self, text: str) -> TokenStates:
        return self._states(text)


class TopLayers:
    """The layers after the first `LOWER`.

    Args:
        model: int8 ONNX, `lower` (float32 [n, t, d], with the special tokens) to `states` of the same shape.
    """

    def __init__(self, model: bytes) -> None:
        self.model = model

    def over(self, encoder: TextEncoder) -> TextEncoder:
        """The packaged encoder with these layers in place of its own.

        Raises:
            ArtefactError: it is another encoder, of which the lower layers cannot be had.
        """
        if not isinstance(encoder, Encoder):
            raise ArtefactError(f"top layers of the packaged encoder cannot stand on {encoder.id}")

        def states(text: str) -> TokenStates:
            offsets, lower = encoder.lower_states(text)
            return offsets[1:-1], finite(self._session.run(["states"], {"lower": lower[None]})[0][0, 1:-1], encoder.id)

        return WithStates(encoder, states)

    @functools.cached_property
    def _session(self) -> Any:
        try:
            return open_session(self.model)
        except Exception as error:  # onnxruntime raises bare Exception classes of its own
            raise ArtefactError(f"not the top layers of an encoder: {' '.join(str(error).split())[:200]}") from error


__all__ = ["TopLayers", "WithStates"]
