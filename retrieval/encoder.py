"""Sentence vectors on the CPU: MiniLM as int8 ONNX, packaged, loaded only when its bytes match the manifest.

The model is sentence-transformers/all-MiniLM-L6-v2 (Wang et al. 2020, *MiniLM*; Reimers and Gurevych 2019,
*Sentence-BERT*): mean-pooled token states, L2-normalised, so that a dot product is a cosine. Any other
sentence-transformers model can stand in its place (`SentenceTransformerEncoder`); `id` names the model and its bytes
and is part of every vector index and cache key.

>>> vectors = Encoder.default().encode(["Who founded the yard?", "The yard was founded by Orla Vance."])
>>> vectors.shape, bool(vectors[0] @ vectors[1] > 0.5)
((2, 384), True)
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..kg.artefacts import file_hash
from ..kg.errors import ArtefactError, MissingExtraError
from ..kg.quantised import clean, cores, finite
from ..kg.transformer import EMBEDDING, STATES, Transformer, after

LOWER = 3  # layers whose states `lower_states` gives
MAX_TOKENS = 256  # what the model was trained to read; longer texts are cut, as in sentence-transformers

Progress = Callable[[int, int], None]  # (texts done, texts in all)


class TextEncoder(Protocol):
    """What search needs of an encoder.

    Attributes:
        id: the model's name and the first 12 hex digits of the hash of its weights, `name@0123456789ab`.
        dim: length d of a vector.
    """

    id: str
    dim: int

    def encode(self, texts: Sequence[str], *, batch_size: int = 32, progress: Progress | None = None) -> np.ndarray:
        """L2-normalised vectors, float32 [n, d], in the order of `texts`. The empty text has a vector, too.

        Raises:
            ArtefactError: the model gave something that is not finite.
        """

    def token_states(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        """Character offsets and contextual states (float32 [t, h]) of the text's WordPieces, without the special ones."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """WordPieces of each text, uncut and without the special ones: the unit of every evidence budget."""


class Encoder:
    """The packaged encoder: onnxruntime and a WordPiece tokenizer, no torch.

    A text has the same vector alone, in any company and with any number of cores; texts are cut at 256 tokens.
    """

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.id, self.dim = model.id, model.dim

    @classmethod
    @functools.cache
    def default(cls) -> Encoder:
        """The packaged model, loaded once per process."""
        return cls(Transformer.default())

    @classmethod
    def load(cls, folder: Path) -> Encoder:
        """Load a folder made by `retrieval.export_encoder`.

        Raises:
            ArtefactError: a file is missing, changed, or not an encoder.
        """
        return cls(Transformer.load(folder))

    def encode(self, texts: Sequence[str], *, batch_size: int = 32, progress: Progress | None = None) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        with ThreadPoolExecutor(cores()) as pool:
            for first in range(0, len(texts), 8 * batch_size):
                part = [clean(text) for text in texts[first : first + 8 * batch_size]]
                ids = [_cut(encoding.ids) for encoding in self.model.tokenizer.encode_batch(part)]
                side_by_side = pool.map if len(texts) > 1 else map  # a question is done before a thread has started
                vectors[first : first + len(part)] = list(side_by_side(lambda one: self.model.run(one, EMBEDDING), ids))
                if progress:
                    progress(first + len(part), len(texts))
        return vectors

    def token_states(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        encoding = self.model.tokenizer.encode(clean(text))
        ids = _cut(encoding.ids)
        return encoding.offsets[1 : len(ids) - 1], self.model.run(ids, STATES)[1:-1]

    def lower_states(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        """As `token_states`, but after the first `LOWER` layers, and with the special token at either end."""
        encoding = self.model.tokenizer.encode(clean(text))
        return _cut(encoding.offsets), self.model.run(_cut(encoding.ids), after(LOWER))

    @functools.cached_property
    def special(self) -> tuple[int, int]:
        """Ids of the tokens that open and close a text."""
        return self.model.tokenizer.token_to_id("[CLS]"), self.model.tokenizer.token_to_id("[SEP]")

    def pieces(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Ids of each text's WordPieces, uncut and without the special ones, and their characters."""
        cleaned = [clean(text) for text in texts]
        return [(one.ids, one.offsets) for one in self.model.tokenizer.encode_batch(cleaned, add_special_tokens=False)]

    def lower(self, ids: Iterable[int]) -> np.ndarray:
        """States after the first `LOWER` layers, float32 [t, h], of at most 512 ids, special ones included."""
        return self.model.run([*ids], after(LOWER))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        cleaned = [clean(text) for text in texts]
        return [len(encoding.ids) for encoding in self.model.tokenizer.encode_batch(cleaned, add_special_tokens=False)]


class SentenceTransformerEncoder:
    """Any sentence-transformers model, by name or folder. Needs the extra `models`.

    Args:
        name: a folder, or a model name; a name not in the local cache is fetched from the model hub, and this is the
            only place in hoptrace that does so, because the user named it.
        device: a torch device; None lets torch choose.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ArtefactError: there is no such model.
    """

    def __init__(self, name: str, *, device: str | None = None) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise MissingExtraError(f"the encoder {name!r}", "models") from error
        try:
            self._model = SentenceTransformer(name, device=device)
        except (OSError, ValueError) as error:
            raise ArtefactError(f"no sentence-transformers model {name!r}: {_one_line(error)}") from error
        self.id = f"{Path(name).name}@{_weights_hash(name, self._model)[:12]}"
        self.dim: int = int(self._model.encode([""]).shape[1])

    def encode(self, texts: Sequence[str], *, batch_size: int = 32, progress: Progress | None = None) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for first in range(0, len(texts), 16 * batch_size):
            part = [clean(text) for text in texts[first : first + 16 * batch_size]]
            vectors[first : first + len(part)] = self._model.encode(part, batch_size=batch_size, normalize_embeddings=True)
            if progress:
                progress(first + len(part), len(texts))
        return finite(vectors, self.id)

    def token_states(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        encoding = self._model.tokenizer(
            clean(text), return_offsets_mapping=True, truncation=True, max_length=self._model.max_seq_length
        )
        offsets = [(int(start), int(end)) for start, end in encoding["offset_mapping"]]
        states = self._model.encode(clean(text), output_value="token_embeddings").float().cpu().numpy()
        kept = [i for i, (start, end) in enumerate(offsets) if end > start]
        return [offsets[i] for i in kept], finite(states[kept], self.id)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        batch = self._model.tokenizer([clean(text) for text in texts], add_special_tokens=False, truncation=False)
        return [len(ids) for ids in batch["input_ids"]] if texts else []


def _cut(tokens: list[Any]) -> list[Any]:
    return tokens if len(tokens) <= MAX_TOKENS else [*tokens[: MAX_TOKENS - 1], tokens[-1]]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _weights_hash(name: str, model: Any) -> str:
    """Of the weights file of a folder, else of the loaded parameters: the same name may mean other weights tomorrow."""
    weights = Path(name) / "model.safetensors"
    if weights.is_file():
        return file_hash(weights)
    digest = hashlib.sha256()
    parameters: Iterable[tuple[str, Any]] = sorted(model.state_dict().items())
    for key, tensor in parameters:
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).tobytes())
    return digest.hexdigest()
