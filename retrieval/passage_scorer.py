"""The trained scorer of passage search: three rows of weights, a few hundred bytes.

`first` chooses the passages from which a question sets out; `joint` scores every way to a passage, directly or over a
shared name, on one scale; `sentence` weighs the sentences of what was found (`excerpts`). All are linear, so a feature's
part in a score is its value times its weight. They know no corpus: nothing in them is a word, a name or a vector.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..data import model_folder
from ..kg.artefacts import load_artefact, write_manifest
from ..kg.errors import ArtefactError
from .excerpts import SENTENCE
from .passage_features import FEATURES

WEIGHTS = "weights.safetensors"
_ARRAYS = ("first", "joint", "sentence")
_NAMES = {"features": list(FEATURES), "sentence features": list(SENTENCE)}


@dataclass(frozen=True, slots=True, eq=False)
class PassageScorer:
    """Scores are log-odds up to a constant of the question.

    Attributes:
        first, joint: float64 [f] in the order of `FEATURES`.
        sentence: float64 [s] in the order of `SENTENCE`; without training, all sentences are alike.
        meta: anything that the manifest should say.
    """

    first: np.ndarray
    joint: np.ndarray
    sentence: np.ndarray = field(default_factory=lambda: np.zeros(len(SENTENCE)))
    meta: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @functools.cache
    def default(cls) -> PassageScorer:
        """The packaged scorer, loaded once per process."""
        return cls.load(model_folder("passages"))

    @classmethod
    def load(cls, folder: Path) -> PassageScorer:
        """Read what `save` wrote.

        Raises:
            ArtefactError: missing, changed, or trained for other features.
        """
        artefact = load_artefact(folder)
        try:
            weights = {name: array.astype(np.float64) for name, array in load_file(artefact.path(WEIGHTS)).items()}
            meta = {key: value for key, value in artefact.meta.items() if key not in _NAMES}
            scorer = cls(weights["first"], weights["joint"], weights["sentence"], meta)
        except (SafetensorError, KeyError) as error:
            raise ArtefactError(f"{folder}: not a passage scorer ({type(error).__name__})") from error
        shapes = [(len(FEATURES),), (len(FEATURES),), (len(SENTENCE),)]
        if any(artefact.meta.get(key) != names for key, names in _NAMES.items()) or shapes != [a.shape for a in scorer.arrays()]:
            raise ArtefactError(f"{folder}: a passage scorer for other features than this version computes")
        if not all(np.isfinite(array).all() for array in scorer.arrays()):
            raise ArtefactError(f"{folder}: weights that are not finite")
        return scorer

    def arrays(self) -> list[np.ndarray]:
        """The weights, in the order of the attributes."""
        return [getattr(self, name) for name in _ARRAYS]

    def save(self, folder: Path) -> None:
        """Write weights and manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: array.astype(np.float32) for name, array in zip(_ARRAYS, self.arrays(), strict=True)}
        save_file(weights, folder / WEIGHTS)
        (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only their owner may read
        write_manifest(folder, "passage-scorer", [WEIGHTS], {**_NAMES, **self.meta})


__all__ = ["WEIGHTS", "PassageScorer"]
