"""The trained scorer of passage search: two rows of weights over `passage_features.FEATURES`, a few hundred bytes.

`first` chooses the passages from which a question sets out; `joint` scores every way to a passage, directly or over a
shared name, on one scale. Both are linear, so a feature's part in a score is its value times its weight. They know no
corpus: nothing in them is a word, a name or a vector.
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
from ..kg.errors import ArtefactError
from ..kg.artefacts import load_artefact, write_manifest
from .passage_features import FEATURES

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class PassageScorer:
    """Weights float64 [f] in the order of `FEATURES`; scores are log-odds up to a constant of the question."""

    first: np.ndarray
    joint: np.ndarray
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
            weights = load_file(artefact.path(WEIGHTS))
            first, joint = (weights[name].astype(np.float64) for name in ("first", "joint"))
        except (SafetensorError, KeyError) as error:
            raise ArtefactError(f"{folder}: not a passage scorer ({type(error).__name__})") from error
        if artefact.meta.get("features") != list(FEATURES) or {first.shape, joint.shape} != {(len(FEATURES),)}:
            raise ArtefactError(f"{folder}: a passage scorer for other features than this version computes")
        if not (np.isfinite(first).all() and np.isfinite(joint).all()):
            raise ArtefactError(f"{folder}: weights that are not finite")
        return cls(first, joint, {key: value for key, value in artefact.meta.items() if key != "features"})

    def save(self, folder: Path) -> None:
        """Write weights and manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({"first": self.first.astype(np.float32), "joint": self.joint.astype(np.float32)}, folder / WEIGHTS)
        (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only their owner may read
        write_manifest(folder, "passage-scorer", [WEIGHTS], {"features": list(FEATURES), **self.meta})


__all__ = ["WEIGHTS", "PassageScorer"]
