"""The writer: of the texts that the grammar has for a story, the one that its model likes best and that reads back right."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data import model_folder
from ...kg.artefacts import load_artefact
from ...kg.errors import ArtefactError
from ...kg.quantised import finite, open_session
from ...retrieval.encoder import Encoder
from .check import faults
from .grammar import Variant, variants
from .inputs import arrays
from .source import VOCABULARY, source
from .story import Story

MODEL = "model.onnx"
_TRIED = 8  # texts read back before the realised one is taken


@dataclass(frozen=True, slots=True)
class Written:
    """A text ("" where none was right) and how many were rejected before it."""

    text: str
    rejected: int = 0


class Writer:
    """Writes the sentences of an answer.

    Args:
        session: the model; with None the grammar's first text is taken.
        encoder: the encoder it was trained over.
        id: name and hash of the model.
    """

    def __init__(self, session: Any = None, encoder: Encoder | None = None, id: str = "grammar") -> None:
        self._session, self._encoder, self.id = session, encoder, id

    @classmethod
    @functools.cache
    def default(cls) -> Writer:
        """The packaged writer, loaded once per process."""
        return cls.load(model_folder("writer"))

    @classmethod
    def load(cls, folder: Path, encoder: Encoder | None = None) -> Writer:
        """Load a folder made by `train.package`.

        Raises:
            ArtefactError: a file is missing, changed, or not a writer, or it was made for another encoder.
        """
        artefact, encoder = load_artefact(folder), encoder or Encoder.default()
        if artefact.meta.get("encoder") != encoder.id:
            raise ArtefactError(f"{folder}: made for the encoder {artefact.meta.get('encoder')}, not for {encoder.id}")
        if artefact.meta.get("vocabulary") != VOCABULARY:
            raise ArtefactError(f"{folder}: made for other function words")
        try:
            session = open_session(artefact.path(MODEL))
        except ArtefactError:
            raise
        except Exception as error:  # onnxruntime raises bare Exception classes of its own
            raise ArtefactError(f"{folder}: not a writer: {' '.join(str(error).split())[:200]}") from error
        if [node.name for node in session.get_outputs()] != ["scores", "likely"]:
            raise ArtefactError(f"{folder}: not a writer")
        return cls(session, encoder, f"{artefact.name}@{artefact.files[MODEL][:12]}")

    def write(self, story: Story) -> Written:
        """The best text for a story that states its facts, all of them, and nothing else."""
        rejected = 0
        for variant in self.ranked(story, variants(story))[:_TRIED]:
            text = story.render(variant.text)
            if not faults(story, text):
                return Written(text, rejected)
            rejected += 1
        return Written("", rejected)

    def ranked(self, story: Story, found: Sequence[Variant]) -> list[Variant]:
        """Texts of a story, those of the fewest sentences first, and of these what the model likes best."""
        if self._session is None or self._encoder is None or len(found) < 2:
            return list(found)
        units = source(story, self._encoder)
        given = arrays([units], [[v.text for v in found]], [[v.cost for v in found]])
        scores = finite(self._session.run(["scores"], given)[0], self.id)
        return [found[i] for i in sorted(range(len(found)), key=lambda i: (found[i].text.count(". "), -float(scores[i])))]


__all__ = ["Writer", "Written"]
