"""The student as it is packaged: int8 ONNX over the packaged encoder's lower layers, no torch."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ...data import model_folder
from ...kg.artefacts import Artefact, load_artefact
from ...kg.errors import ArtefactError
from ...kg.quantised import finite, open_session
from ...retrieval.encoder import Encoder
from .inputs import Inputs, read_task
from .items import OPERATIONS, Reading, Spot, Task

MODEL = "student.onnx"
LONGEST = 32  # tokens of an answer
_ENDS = 16  # first and last tokens that are combined to answers
_USED = 0.5


class Student:
    """Reads tasks.

    Args:
        session: of onnxruntime, `network.exported`.
        encoder: the packaged one; its lower layers are read.
        artefact: where it came from.
    """

    def __init__(self, session: Any, encoder: Encoder, artefact: Artefact) -> None:
        self._session, self.encoder, self.artefact = session, encoder, artefact
        self.id = f"{artefact.name}@{artefact.files[MODEL][:12]}"

    @classmethod
    @functools.cache
    def default(cls) -> Student:
        """The packaged student, loaded once."""
        return cls.load(model_folder("student"))

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> Student:
        """Load what `train.package` wrote.

        Raises:
            ArtefactError: a file is missing or changed, or it is no student of this encoder.
        """
        artefact, encoder = load_artefact(folder), encoder or Encoder.default()
        if artefact.meta.get("encoder") != encoder.id:
            raise ArtefactError(f"{folder}: made for the encoder {artefact.meta.get('encoder')}, not for {encoder.id}")
        try:
            session = open_session(artefact.path(MODEL))
        except ArtefactError:
            raise
        except Exception as error:  # onnxruntime raises bare Exception classes of its own
            raise ArtefactError(f"{folder}: not a student: {' '.join(str(error).split())[:200]}") from error
        if [node.name for node in session.get_outputs()] != ["operation", "steps", "ends"]:
            raise ArtefactError(f"{folder}: not a student")
        return cls(session, encoder, artefact)

    def read(self, task: Task) -> Reading:
        """What the student says of a task.

        Raises:
            InputError: there is no evidence.
        """
        inputs = read_task(task, self.encoder)
        given = {"lower": self.encoder.lower(inputs.ids)[None], "item": inputs.item[None], "entity": inputs.entity[None]}
        operation, steps, ends = (finite(values[0], self.id) for values in self._session.run(None, given))
        answers, absent = _answers(ends, inputs)
        return Reading(OPERATIONS[int(operation.argmax())], _steps(steps[inputs.marks]), answers, absent)


def _steps(logits: np.ndarray) -> tuple[tuple[int, float], ...]:
    """Items used, in the order of the place that each most likely has; logits float32 [k, 1 + places]."""
    odds = _softmax(logits)
    used = 1 - odds[:, 0]
    place = (odds[:, 1:] * np.arange(1, odds.shape[1])).sum(axis=1) / np.maximum(used, 1e-9)
    order = np.argsort(place, kind="stable")
    return tuple((int(i), float(used[i])) for i in order if used[i] > _USED)


def _answers(ends: np.ndarray, inputs: Inputs) -> tuple[tuple[tuple[Spot, float], ...], float]:
    """Spans and the probability that there is none, from logits float32 [t, 2] of first and last tokens.

    A span scores the sum of its ends, "none" that of [CLS]; probabilities are over the candidates, or else over the spans of the
    best ends.
    """
    starts, stops = inputs.candidates.T if len(inputs.candidates) else _spans(ends, inputs)
    odds = _softmax(np.concatenate([[ends[0].sum()], ends[starts, 0] + ends[stops, 1]])[None])[0]
    found: list[tuple[Spot, float]] = []
    taken = np.zeros(len(ends), bool)
    for i in np.argsort(-odds[1:], kind="stable").tolist():
        start, stop = int(starts[i]), int(stops[i])
        if taken[start : stop + 1].any():
            continue
        taken[start : stop + 1] = True
        spot = Spot(int(inputs.item[start]) - 1, int(inputs.offsets[start, 0]), int(inputs.offsets[stop, 1]))
        found.append((spot, float(odds[1 + i])))
    return tuple(found), float(odds[0])


def _spans(ends: np.ndarray, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """First and last tokens of the spans that the best ends make, within an item each."""
    allowed = (inputs.item > 0) & (inputs.offsets[:, 1] > inputs.offsets[:, 0])
    masked = np.where(allowed[:, None], ends, -np.inf)
    first, last = (np.argsort(-masked[:, side], kind="stable")[:_ENDS] for side in (0, 1))
    starts, stops = (grid.ravel() for grid in np.meshgrid(first, last, indexing="ij"))
    whole = (stops >= starts) & (stops - starts < LONGEST) & (inputs.item[starts] == inputs.item[stops])
    whole &= allowed[starts] & allowed[stops]
    return starts[whole], stops[whole]


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
    return shares


__all__ = ["LONGEST", "MODEL", "Student"]
