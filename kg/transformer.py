"""The packaged transformer (MiniLM as int8 ONNX, WordPieces): loaded once for all that stand on it.

`retrieval.encoder` takes vectors of texts from it; readers with top layers of their own (`kg.extraction`, `retrieval.top`)
take the states after its lower layers.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import model_folder
from .artefacts import load_artefact
from .errors import ArtefactError
from .quantised import finite, open_session

EMBEDDING, STATES = "embedding", "token_states"
_TAPS = (2, 3)  # layers after which other top layers stand


def after(layers: int) -> str:
    """The output that gives the states after so many layers, of those that it has an output after."""
    return f"/model/encoder/layer.{layers - 1}/output/LayerNorm/LayerNormalization_output_0"


class Transformer:
    """Ids of WordPieces in, one of the outputs `EMBEDDING`, `STATES` and `after(2)` or `after(3)` out.

    Attributes:
        tokenizer: of the `tokenizers` package, without truncation and padding.
        id: name and first 12 hex digits of the hash of the weights, `name@0123456789ab`.
        dim: length d of a state.
    """

    def __init__(self, session: Any, tokenizer: Any, name: str, digest: str) -> None:
        self._session, self.tokenizer = session, tokenizer
        self.id = f"{name}@{digest[:12]}"
        self.dim: int = session.get_outputs()[0].shape[1]

    @classmethod
    @functools.cache
    def default(cls) -> Transformer:
        """The packaged model, loaded once per process."""
        return cls.load(model_folder("encoder"))

    @classmethod
    def load(cls, folder: Path) -> Transformer:
        """Load a folder made by `retrieval.export_encoder`.

        Raises:
            ArtefactError: a file is missing, changed, or not an encoder.
        """
        import tokenizers

        artefact, taps = load_artefact(folder), [after(layers) for layers in _TAPS]
        try:
            session = open_session(artefact.path("model.onnx").read_bytes() + b"".join(map(_output, taps)))
            tokenizer = tokenizers.Tokenizer.from_file(str(artefact.path("tokenizer.json")))
        except ArtefactError:
            raise
        except Exception as error:  # both libraries raise their own bare Exception classes
            raise ArtefactError(f"{folder}: not an encoder: {' '.join(str(error).split())[:200]}") from error
        inputs, outputs = ([node.name for node in nodes] for nodes in (session.get_inputs(), session.get_outputs()))
        if (inputs, outputs) != (["input_ids", "attention_mask"], [EMBEDDING, STATES, *taps]):
            raise ArtefactError(f"{folder}: not an encoder: inputs {inputs}, outputs {outputs}")
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(session, tokenizer, artefact.name, artefact.files["model.onnx"])

    def run(self, ids: Sequence[int] | np.ndarray, output: str) -> np.ndarray:
        """An output for one text: float32 [d], or [t, d] for states.

        One text at a time. Dynamic int8 takes its scale from the whole input, so a neighbour in the batch would move
        the vector by up to .01 in cosine; alone, a text has one vector. One thread per text is also faster than padded
        batches (115 against 75 passages/s on 2 cores).

        Raises:
            ArtefactError: the model gave something that is not finite.
        """
        row = np.array([ids], dtype=np.int64)
        inputs = {"input_ids": row, "attention_mask": np.ones_like(row)}
        given: np.ndarray = finite(self._session.run([output], inputs, _only_what_is_asked())[0], self.id)[0]
        return given


def _output(name: str) -> bytes:
    """What makes a tensor an output of a model when it is appended to the model's bytes: protobuf merges what is joined."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    return field(7, field(12, field(1, name.encode()) + field(2, field(1, b"\x08\x01"))))  # graph, output, name and type: float


@functools.cache
def _only_what_is_asked() -> Any:
    """Run no node that the outputs asked for do not need."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True
    return options


__all__ = ["EMBEDDING", "STATES", "Transformer", "after"]
