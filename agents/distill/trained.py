"""The student distilled for a graph: where it lies, and whether it still fits the graph."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ...kg.artefacts import MANIFEST, load_artefact
from ...kg.errors import ArtefactError, HoptraceError
from .score import Policy
from .students import Reader, loaded

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...retrieval.relations import RelationIndex

RIGHT, ABSTAINS = 0.8, 0.85  # shares of its held-out tasks, about unseen things, below which a student is not asked


def student_folder(kg: KnowledgeGraph) -> Path:
    """Where the student of a graph lies."""
    return kg.path / "models" / "student"


class GraphStudent:
    """The student of a graph, kept in step with its relations.

    Args:
        kg: the graph; its student is read again when `hoptrace distill` has written another.
        relations: its families.
    """

    def __init__(self, kg: KnowledgeGraph, relations: RelationIndex) -> None:
        self.kg, self.relations = kg, relations
        self.fallback = ""  # why there is none
        self._stamp = -1
        self._known: frozenset[str] = frozenset()
        self._student: tuple[Reader, Policy] | None = None

    def get(self) -> tuple[Reader, Policy] | None:
        """The student and how its readings become answers; None where there is none that fits, and `fallback` says why."""
        manifest = student_folder(self.kg) / MANIFEST
        stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
        if stamp != self._stamp:
            self._stamp = stamp
            self._load(stamp)
        if self._student is None:
            return None
        self.relations.refresh()
        unknown = [family.name for family in self.relations.families if family.name not in self._known]
        if unknown:
            self._warn(f"the student was distilled before there was the relation {unknown[0]!r}; distil it again")
            return None
        return self._student

    def _load(self, stamp: int) -> None:
        self._student, self.fallback = None, ""
        if not stamp:
            self.fallback = "no student was distilled for this graph (hoptrace distill)"
            return
        try:
            artefact = load_artefact(student_folder(self.kg))
            self._known = frozenset(artefact.meta["relations"])
            self.fallback = unfit(artefact.meta["held_out"])
            if self.fallback:
                return
            self._student = loaded(artefact.folder, artefact.meta), Policy(**artefact.meta["policy"])
        except (KeyError, TypeError) as error:
            self._warn(f"{student_folder(self.kg)}: not a distilled student ({type(error).__name__} {error})")
        except (ArtefactError, HoptraceError) as error:
            self._warn(str(error))

    def _warn(self, why: str) -> None:
        if why != self.fallback:
            warnings.warn(f"{why}; until then answers are composed from paths alone", stacklevel=2)
        self.fallback = why


def unfit(figures: dict[str, float | None]) -> str:
    """Why a student with these held-out figures is not asked, "" where it is."""
    for name, least in (("accuracy", RIGHT), ("abstained", ABSTAINS)):
        if (figures[name] or 0.0) < least:
            return f"the student is not used: {name} {figures[name] or 0.0:.2f} of held-out tasks, {least:.2f} is needed"
    return ""


__all__ = ["GraphStudent", "student_folder", "unfit"]
