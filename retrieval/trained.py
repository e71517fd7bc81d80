"""The path scorer trained for a graph: where it lies, what its training starts from, and whether it still fits the graph."""

from __future__ import annotations

import shutil
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..kg.artefacts import MANIFEST
from ..kg.errors import ArtefactError
from .encoder import TextEncoder
from .phrases import wordings_of
from .stepwise import Reader, StepScorer
from .wordings import lexicon

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .relations import RelationIndex


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


def general_scorer(reader: Reader, relations: RelationIndex) -> StepScorer:
    """The reader for the relations of a graph: families of the packaged lexicon come encoded, others go by their own words."""
    relations.refresh()
    packaged = lexicon().families
    own: dict[str, np.ndarray] = {}
    for family in relations.families:
        if family.name not in reader.families or family != packaged.get(family.name):
            own[family.name] = np.array([relations.encoded(wordings_of(family, way)).mean(axis=0) for way in (1, -1)])
    return reader.scorer(tuple(family.name for family in relations.families), own)


class TrainedScorer:
    """The scorer for a graph, kept in step with its relations.

    Args:
        kg: the graph; its scorer is read again when `hoptrace train retriever` has written another.
        relations: its families.
        encoder: the one in use.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex, encoder: TextEncoder) -> None:
        self.kg, self.relations, self.encoder = kg, relations, encoder
        self.fallback = ""  # why the scorer trained for the graph is not used
        self._stamp = -1
        self._trained: StepScorer | None = None
        self._families: tuple[str, ...] = ()
        self._columns = np.zeros(0, np.int64)
        self._guard = threading.Lock()

    def guide(self, question: str, mentions: list[tuple[int, int]], seed: int) -> np.ndarray | None:
        """Log-weights of steps by hop, float32 [DEPTHS, 2 * families + 1] in the order of the graph's families.

        None where none was trained for the graph or it cannot be used; `fallback` says why.
        """
        with self._guard:
            self._refresh()
            trained, columns = self._trained, self._columns
            if trained is None or self.fallback:
                return None
        table: np.ndarray = trained.read(self.encoder, question, mentions, seed)[:, columns]
        return table

    def _refresh(self) -> None:
        manifest = scorer_folder(self.kg) / MANIFEST
        stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
        self.relations.refresh()
        families = tuple(family.name for family in self.relations.families)
        if (stamp, families) == (self._stamp, self._families):
            return
        if stamp != self._stamp:
            self._load(stamp)
        self._stamp, self._families = stamp, families
        if self._trained is not None:
            known = {name: i for i, name in enumerate(self._trained.families)}
            unknown = [name for name in families if name not in known]
            if unknown:
                shown = ", ".join(map(repr, unknown[:3])) + (" ..." if len(unknown) > 3 else "")
                self.fallback = f"the path scorer was trained before there was the relation {shown}; train it again"
            else:
                self.fallback = ""
                self._columns = np.array([*(2 * known[name] + way for name in families for way in (0, 1)), 2 * len(known)])
        if stamp and self.fallback:
            warnings.warn(f"{self.fallback}; until then paths are scored by the words of the question alone", stacklevel=2)

    def _load(self, stamp: int) -> None:
        self._trained, self.fallback = None, ""
        if not stamp:
            self.fallback = "no path scorer was trained for this graph (hoptrace train retriever)"
            return
        try:
            scorer = StepScorer.load(scorer_folder(self.kg))
            if scorer.encoder != self.encoder.id:
                raise ArtefactError(f"the path scorer was trained with the encoder {scorer.encoder}, not {self.encoder.id}")
            self._trained = scorer
        except ArtefactError as error:
            self.fallback = str(error)


__all__ = ["TrainedScorer", "general_scorer", "install", "scorer_folder"]
