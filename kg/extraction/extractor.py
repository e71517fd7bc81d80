"""The distilled extractor: one small encoder that marks who is named and says how any two of them are related.

    text -> windows of sentences -> token states (ONNX, int8) -> mentions -> entities of the document -> relations of pairs

It was trained on public documents whose facts people marked (see data/models/extractor/card.md); every fact it gives has the
offsets of the sentence that says it. No token of any language model is spent. Relations are compared by the vectors of their
labels, so that an ontology it was never trained on can be asked for.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...data import model_folder
from ..artefacts import load_artefact
from ..errors import ArtefactError
from ..ingest.coref import Discourse, Entry
from ..ingest.dates import find_dates
from ..ingest.extract import Extraction, unique
from ..ingest.sentences import sentences
from ..ingest.values import value_of
from ..model import Document, Fact, Literal, Mention, Name
from ..quantised import clean, finite, open_session
from .examples import TYPES
from .heads import ARRAYS, Found, Heads
from .windows import Window, windows

MODEL, WEIGHTS, TOKENIZER = "model.onnx", "heads.safetensors", "tokenizer.json"
_PAIRS = 3000  # pairs of mentions scored at once; of a window with more, the nearest
_VALUES = (TYPES.index("time"), TYPES.index("number"))


class LabelEncoder(Protocol):
    """Sentence vectors of relation labels; the packaged encoder is one."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """L2-normalised, float32 [n, d]."""


class Read(NamedTuple):
    """What the model read in one window: mentions, pairs int64 [p, 2] of them, logits float32 [p, 1 + labels]."""

    window: Window
    mentions: list[Found]
    pairs: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relation between two entities of one document.

    Attributes:
        subject, object: indices into the entities.
        relation: a label.
        sentence: index of the sentence that says it.
        margin: log-odds above the threshold.
    """

    subject: int
    relation: str
    object: int
    sentence: int
    margin: float


class DistilledExtractor:
    """Facts and mentions by the packaged model.

    Args:
        session, tokenizer: encoder as ONNX, WordPieces.
        heads: what stands on it.
        version: names the trained files.
        labels: relations to look for.
        vectors: float32 [labels, d], their sentence vectors.
    """

    name = "distilled"

    def __init__(
        self, session: Any, tokenizer: Any, heads: Heads, version: str, labels: Sequence[str], vectors: np.ndarray
    ) -> None:
        self._session, self._tokenizer, self.heads, self.version = session, tokenizer, heads, version
        self.labels = tuple(labels)
        self._relations = heads.relations(self.labels, vectors)

    @classmethod
    @functools.cache
    def default(cls) -> DistilledExtractor:
        """The packaged extractor with the relations it was trained on, loaded once per process."""
        return cls.load(model_folder("extractor"))

    @classmethod
    def load(cls, folder: Path) -> DistilledExtractor:
        """Read what `export` wrote.

        Raises:
            ArtefactError: a file is missing, changed, or not an extractor.
        """
        import tokenizers
        from safetensors.numpy import load_file

        artefact = load_artefact(folder)
        try:
            session = open_session(artefact.path(MODEL))
            tokenizer = tokenizers.Tokenizer.from_file(str(artefact.path(TOKENIZER)))
            arrays = load_file(artefact.path(WEIGHTS))
        except ArtefactError:
            raise
        except Exception as error:  # these libraries raise their own bare Exception classes
            raise ArtefactError(f"{folder}: not an extractor: {' '.join(str(error).split())[:200]}") from error
        labels, vectors = artefact.meta.get("labels"), arrays.pop("vectors", None)
        if sorted(arrays) != sorted(ARRAYS) or not isinstance(labels, list) or vectors is None or len(labels) != len(vectors):
            raise ArtefactError(f"{folder}: not an extractor: its arrays have other names or sizes")
        tokenizer.no_padding()
        tokenizer.no_truncation()
        heads = Heads(arrays, tuple(labels))
        return cls(session, tokenizer, heads, artefact.files[WEIGHTS][:12], heads.labels, vectors)

    def asking(self, labels: Sequence[str], encoder: LabelEncoder) -> DistilledExtractor:
        """The same model, looking for other relations."""
        vectors = encoder.encode(list(labels))
        return DistilledExtractor(self._session, self._tokenizer, self.heads, self.version, labels, vectors)

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        """Facts and mentions of each document, in order; records are left alone."""
        prose = [document for document in documents if not document.records]
        with ThreadPoolExecutor(_cores()) as pool:
            found = iter(list(pool.map(self._facts, prose)))
        return [(document.facts, document.mentions) if document.records else next(found) for document in documents]

    def read(self, text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Read]:
        """What the model sees in a text with these sentences."""
        for window in windows(clean(text), spans, self._tokenizer):
            row = window.ids[None]
            states = finite(self._session.run(None, {"input_ids": row, "attention_mask": np.ones_like(row)})[0][0], self.name)
            mentions = self.heads.mentions(states, window)
            pairs = _pairs(mentions, window)
            logits = self.heads.score(states, window, mentions, self._relations, pairs) if len(pairs) else _NO_LOGITS
            yield Read(window, mentions, pairs, logits)

    def _facts(self, document: Document) -> Extraction:
        text, spans = document.text, sentences(document.text)
        discourse = Discourse()
        mentions: list[Mention] = []
        facts: list[Fact] = []
        for read in self.read(text, spans):
            places = [(int(read.window.starts[m.first]), int(read.window.ends[m.last])) for m in read.mentions]
            entries = [_entry(text[a:b], m, discourse) for (a, b), m in zip(places, read.mentions)]
            for (start, end), entry, mention in zip(places, entries, read.mentions):
                if isinstance(entry, Entry) and mention.first >= read.window.repeated:
                    mentions.append(Mention(entry.name(), start, end))
            keys = [id(entry) if isinstance(entry, Entry) else hash(entry) for entry in entries]
            for relation in relationships(read, keys, self.labels):
                subject, value = entries[relation.subject], entries[relation.object]
                if isinstance(subject, Entry):
                    start, end = spans[relation.sentence]
                    confidence = float(1 / (1 + np.exp(-relation.margin)))
                    facts.append(_fact(subject, relation.relation, value, start, end, f"{self.name}-{self.version}", confidence))
        named = tuple(Mention(discourse.current(m.name), m.start, m.end) for m in mentions)
        return unique([*document.facts, *facts]), document.mentions + named


def relationships(read: Read, keys: Sequence[object], labels: Sequence[str]) -> list[Relationship]:
    """The relations above the threshold between the entities of a window.

    Args:
        read: the window; mentions whose `keys` are equal are one entity.
        keys: per mention.
        labels: of the columns of its logits after the first.

    Returns:
        One `Relationship` per pair of entities and label; `subject` and `object` are the mentions that say it best.
    """
    if not len(read.pairs):
        return []
    index = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    entity = np.array([index[key] for key in keys])[read.pairs]
    apart = entity[:, 0] != entity[:, 1]
    pairs, logits = read.pairs[apart], read.logits[apart].astype(np.float64)
    if not len(pairs):
        return []
    codes, which = np.unique(entity[apart, 0] * len(index) + entity[apart, 1], return_inverse=True)
    top = np.full((len(codes), logits.shape[1]), -np.inf)
    np.maximum.at(top, which, logits)
    total = np.zeros_like(top)
    np.add.at(total, which, np.exp(logits - top[which]))
    scores = top + np.log(total)
    sentence = read.window.sentence[[mention.first for mention in read.mentions]]
    found = []
    for row, column in zip(*np.nonzero(scores[:, 1:] > scores[:, :1])):
        mine = np.flatnonzero(which == row)
        best = pairs[mine[np.argmax(logits[mine, column + 1])]]
        margin = float(scores[row, column + 1] - scores[row, 0])
        found.append(
            Relationship(int(best[0]), labels[column], int(best[1]), int(max(sentence[best[0]], sentence[best[1]])), margin)
        )
    return found


def _pairs(mentions: Sequence[Found], window: Window) -> np.ndarray:
    """Ordered pairs of mentions, of which a subject is no date or number, int64 [p, 2]; the nearest where there are too many."""
    n = len(mentions)
    i, j = (np.ravel(x) for x in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    value = np.isin([m.type for m in mentions], _VALUES)
    kept = (i != j) & ~value[i] if n else np.zeros(0, bool)
    pairs = np.stack([i[kept], j[kept]], axis=1)
    if len(pairs) > _PAIRS:
        sentence = window.sentence[[m.first for m in mentions]]
        apart = np.abs(sentence[pairs[:, 0]] - sentence[pairs[:, 1]])
        pairs = pairs[np.sort(np.argsort(apart, kind="stable")[:_PAIRS])]
    return pairs


def _entry(surface: str, mention: Found, discourse: Discourse) -> Entry | Literal | Name:
    """The entity of the document that a mention names, or the value it states."""
    kind = TYPES[mention.type]
    if kind == "time":
        dates = find_dates(surface)
        return Literal(dates[0].value, dates[0].datatype) if len(dates) == 1 else Literal(surface)
    if kind == "number":
        value = value_of(surface)
        return value if isinstance(value, Literal) else Literal(surface)
    return discourse.add(surface, "" if kind == "thing" else kind)


def _fact(
    subject: Entry, relation: str, value: Entry | Literal | Name, start: int, end: int, extractor: str, confidence: float
) -> Fact:
    other = value.name() if isinstance(value, Entry) else value
    return Fact(subject.name(), relation, other, start, end, extractor, confidence)


_NO_LOGITS = np.empty((0, 1), np.float32)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["MODEL", "TOKENIZER", "WEIGHTS", "DistilledExtractor", "LabelEncoder", "Read", "Relationship", "relationships"]
