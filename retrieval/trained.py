"""The path scorer that was trained for a graph, or the reason why there is none to use."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..kg.errors import ArtefactError
from .artefacts import MANIFEST
from .encoder import TextEncoder
from .stepwise import StepScorer

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex

UNTRAINED = "no path scorer was trained for this graph (hoptrace train retriever)"


def scorer_folder(kg: KnowledgeGraph) -> Path:
    """Where the path scorer of a graph lies."""
    return kg.path / "models" / "retriever"


def install(kg: KnowledgeGraph, scorer: StepScorer) -> Path:
    """Write a scorer where questions to this graph look for it, in place of the last one."""
    folder = scorer_folder(kg)
    new, old = folder.with_name("retriever.new"), folder.with_name("retriever.old")
    for rest in (new, old):
        shutil.rmtree(rest, ignore_errors=True)
    scorer.save(new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder


class TrainedScorer:
    """The trained scorer of a graph, loaded when first asked and checked against the graph's relations as they change.

    Args:
        kg: the graph; its scorer is read again when `hoptrace train retriever` has written another.
        relations: its families.
        encoder: the one in use.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex, encoder: TextEncoder) -> None:
        self.kg, self.relations, self.encoder = kg, relations, encoder
        self._stamp = -1
        self._scorer: StepScorer | None = None
        self._fault = UNTRAINED
        self._checked: tuple[str, ...] = ()
        self._columns = np.zeros(0, np.int64)

    @property
    def fallback(self) -> str:
        """Why the hand-set scorer is used; empty when the trained one is."""
        self._load()
        if self._scorer is None:
            return self._fault
        self.relations.refresh()
        names = tuple(family.name for family in self.relations.families)
        if names != self._checked:
            self._checked = names
            known = {name: i for i, name in enumerate(self._scorer.families)}
            unknown = [name for name in names if name not in known]
            shown = ", ".join(repr(name) for name in unknown[:3]) + (" ..." if len(unknown) > 3 else "")
            self._fault = f"the path scorer was trained before the relation {shown} came; train it again" if unknown else ""
            steps = [2 * known[name] + way for name in names if not unknown for way in (0, 1)]
            self._columns = np.array([*steps, 2 * len(known)], np.int64)
        return self._fault

    def guide(self, question: str, mentions: list[tuple[int, int]], seed: int) -> np.ndarray | None:
        """Log-weights of steps by hop, float32 [DEPTHS, 2 * families + 1] in the order of the graph's families.

        None where there is no scorer for this graph; `fallback` says why.
        """
        if self.fallback or self._scorer is None:
            return None
        table: np.ndarray = self._scorer.read(self.encoder, question, mentions, seed)[:, self._columns]
        return table

    def _load(self) -> None:
        folder = scorer_folder(self.kg)
        manifest = folder / MANIFEST
        stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
        if stamp == self._stamp:
            return
        self._stamp, self._checked, self._scorer = stamp, (), None
        if not stamp:
            self._fault = UNTRAINED
            return
        try:
            scorer = StepScorer.load(folder)
            if scorer.encoder != self.encoder.id:
                raise ArtefactError(f"the path scorer was trained with the encoder {scorer.encoder}, not {self.encoder.id}")
            self._scorer = scorer
        except ArtefactError as error:
            self._fault = str(error)


__all__ = ["TrainedScorer", "install", "scorer_folder"]
