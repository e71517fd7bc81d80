"""Students that can be distilled: each learns from tasks with targets, reads tasks, and is written as a checked folder.

`PackagedLearner` trains the packaged architecture (`agents.student`); `causal.CausalLearner` any causal language model on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from ...data import model_folder
from ...kg.artefacts import MANIFEST, file_hash
from ...retrieval.encoder import Encoder
from ..student import Reading, Student, Target, Task

Pair = tuple[Task, Target]
Report = Callable[[str], None]
_TOKENS = 1200  # of a batch: small ones, for many steps within few minutes
EPOCHS = 8  # most passes over the tasks, however large the budget


class Reader(Protocol):
    """Reads tasks."""

    def read(self, task: Task) -> Reading: ...


class Learner(Protocol):
    """A kind of student.

    Attributes:
        name: for people, and in the artefact.
        origin: hash of what training starts from.
        meta: what the artefact's manifest says of it, for `loaded`.
    """

    name: str
    origin: str
    meta: dict[str, str]

    def affordable(self, pairs: Sequence[Pair], folder: Path, minutes: float) -> int:
        """Steps of training that a budget pays for; it is asked once, and what it says is written down."""

    def train(self, pairs: Sequence[Pair], folder: Path, steps: int, seed: int, report: Report) -> list[str]:
        """Train exactly so many steps, going on from what is in `folder`; returns the files written there.

        The same call gives the same files, however often it was interrupted.
        """

    def load(self, folder: Path) -> Reader:
        """The student whose files lie in a folder."""


class PackagedLearner:
    """The packaged architecture, from the packaged student where there is one, else from the layers of the encoder."""

    name = "packaged"

    def __init__(self) -> None:
        folder = model_folder("student")
        self._start = folder if (folder / MANIFEST).is_file() else None
        self.origin = file_hash(folder / MANIFEST)[:16] if self._start else Encoder.default().id
        self.meta: dict[str, str] = {}

    def affordable(self, pairs: Sequence[Pair], folder: Path, minutes: float) -> int:
        from ..student.train import affordable

        return affordable(pairs, folder, minutes, epochs=EPOCHS, tokens=_TOKENS, start=self._start)

    def train(self, pairs: Sequence[Pair], folder: Path, steps: int, seed: int, report: Report) -> list[str]:
        from ..student.student import MODEL
        from ..student.train import package, train

        net = train(pairs, folder, start=self._start, steps=steps, tokens=_TOKENS, seed=seed, report=report)
        package(net, folder, Encoder.default(), {})
        return [MODEL]

    def load(self, folder: Path) -> Reader:
        return Student.load(folder)


def learner(student: str, adapter: str = "lora") -> Learner:
    """The learner that a word names: "packaged", or the folder of a causal language model."""
    if student == "packaged":
        return PackagedLearner()
    from .causal import CausalLearner

    return CausalLearner(Path(student), adapter)


def loaded(folder: Path, meta: dict[str, Any]) -> Reader:
    """The student in an artefact's folder, by what its manifest says of it.

    Raises:
        ArtefactError: it is no student of this version, encoder or base model.
    """
    return learner(str(meta.get("base", "packaged")), str(meta.get("adapter", "lora"))).load(folder)


__all__ = ["EPOCHS", "Learner", "PackagedLearner", "Pair", "Reader", "Report", "learner", "loaded"]
