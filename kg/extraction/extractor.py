"""The distilled extractor: a small transformer that marks who is named and says how any two of them are related.

    text -> windows of sentences -> token states (ONNX, int8) -> mentions -> entities of the document -> relations of pairs

The lower layers are those of the packaged encoder; the upper ones, and what stands on them, were trained on public documents
whose facts people marked (see data/models/extractor/card.md). Every fact has the offsets of the sentence that says it.
Relations are compared by the vectors of their labels, so that an ontology it was never trained on can be asked for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...data import model_folder
from ..artefacts import load_artefact
from ..errors import ArtefactError
from ..ingest.coref import Discourse, Entry
from ..ingest.dates import find_dates
from ..ingest.extract import Extraction, unique
from ..ingest.rules import about, current, heading_length
from ..ingest.sentences import sentences
from ..ingest.values import value_of
from ..model import Document, Fact, Literal, Mention, Name
from ..quantised import clean, cores, finite, open_session
from ..transformer import Transformer, after
from .examples import TYPES
from .heads import ARRAYS, IMPLIED, STATED, Found, Heads
from .labels import SAID, SINGLE
from .windows import Window, windows

MODEL, WEIGHTS = "top.onnx", "heads.safetensors"
LOWER = 2  # layers of the packaged encoder below its own
_PAIRS = 3000  # pairs of mentions scored at once; of a window with more, the nearest
_VALUES = (TYPES.index("time"), TYPES.index("number"))
_EDGES = " \t\n,;:'\"“”‘’`()[]–—-"  # what is no part of a name at either end of it
_OPENING = re.compile(r"\s*(?:\(|,|(?:is|was|are|were)\b)")


class LabelEncoder(Protocol):
    """Sentence vectors of relation labels; the packaged encoder is one."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """L2-normalised, float32 [n, d]."""


class Read(NamedTuple):
    """What the model read in one window: mentions, pairs int64 [p, 2] of them, logits float32 [p, 2 + labels]."""

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
        base: whose lower layers it stands on.
        session: its own layers as ONNX.
        heads: what stands on them.
        version: names the trained files.
        labels: relations to look for.
        relations: of `heads`, of these labels.
        thresholds: int64 [labels], which threshold each must pass.
    """

    name = "distilled"

    def __init__(
        self, base: Transformer, session: Any, heads: Heads, version: str, labels: Sequence[str], relations: np.ndarray,
        thresholds: np.ndarray,
    ) -> None:  # fmt: skip
        self._base, self._session, self.heads, self.version = base, session, heads, version
        self.labels, self._relations, self._thresholds = tuple(labels), relations, thresholds

    @classmethod
    @functools.cache
    def default(cls) -> DistilledExtractor:
        """The packaged extractor, its relations called as the rule extractor calls them, loaded once per process."""
        return cls.load(model_folder("extractor")).calling(SAID)

    @classmethod
    def load(cls, folder: Path) -> DistilledExtractor:
        """Read what `export` wrote; it looks for the relations that documents were marked with.

        Raises:
            ArtefactError: a file is missing, changed, or not an extractor, or it stands on another encoder than the packaged.
        """
        from safetensors.numpy import load_file

        artefact, base = load_artefact(folder), Transformer.default()
        try:
            session = open_session(artefact.path(MODEL))
            arrays = {name: value.astype(np.float32) for name, value in load_file(artefact.path(WEIGHTS)).items()}
        except ArtefactError:
            raise
        except Exception as error:  # these libraries raise their own bare Exception classes
            raise ArtefactError(f"{folder}: not an extractor: {' '.join(str(error).split())[:200]}") from error
        known, implied = artefact.meta.get("labels"), artefact.meta.get("implied")
        vectors = arrays.pop("vectors", np.zeros((0, 0)))
        if not isinstance(known, list) or not isinstance(implied, list) or sorted(arrays) != sorted(ARRAYS):
            raise ArtefactError(f"{folder}: not an extractor: its labels or arrays have other names")
        if not set(implied) <= set(known) or len(known) != len(vectors):
            raise ArtefactError(f"{folder}: not an extractor: its labels and vectors do not fit")
        if artefact.meta.get("encoder") != base.id:
            raise ArtefactError(f"{folder}: it was trained over {artefact.meta.get('encoder')}, and the encoder is {base.id}")
        heads = Heads(arrays, tuple(known))
        relations = heads.relations(implied, vectors[[known.index(label) for label in implied]])
        thresholds = np.full(len(implied), IMPLIED)
        return cls(base, session, heads, artefact.files[WEIGHTS][:12], implied, relations, thresholds)

    def asking(self, labels: Sequence[str], encoder: LabelEncoder) -> DistilledExtractor:
        """The same model, looking for the relations of an ontology, as far as a text states them outright."""
        relations, thresholds = self.heads.relations(labels, encoder.encode(list(labels))), np.full(len(labels), STATED)
        return DistilledExtractor(self._base, self._session, self.heads, self.version, labels, relations, thresholds)

    def calling(self, said: Mapping[str, str]) -> DistilledExtractor:
        """The same relations under other labels."""
        labels = [said.get(label, label) for label in self.labels]
        return DistilledExtractor(self._base, self._session, self.heads, self.version, labels, self._relations, self._thresholds)

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        """Facts and mentions of each document, in order; records are left alone."""
        prose = [document for document in documents if not document.records]
        with ThreadPoolExecutor(cores()) as pool:
            found = iter(list(pool.map(self._facts, prose)))
        return [(document.facts, document.mentions) if document.records else next(found) for document in documents]

    def read(self, text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Read]:
        """What the model sees in a text with these sentences."""
        text, days = clean(text), [(day.start, day.end) for day in find_dates(text)]
        for window in windows(text, spans, self._base.tokenizer):
            states, attention = read_states(self._base, self._session, window.ids)
            mentions = _joined(self.heads.mentions(states, window), text, window, days)
            pairs = _pairs(mentions, window)
            logits = self.heads.score(states, attention, window, mentions, self._relations, pairs) if len(pairs) else _NO_LOGITS
            yield Read(window, mentions, pairs, logits)

    def _facts(self, document: Document) -> Extraction:
        text, spans = document.text, sentences(document.text)
        discourse = Discourse()
        about(document, discourse)
        body = next((start for start, end in spans if end > heading_length(document)), len(text))
        mentions: list[Mention] = []
        facts: list[Fact] = []
        for read in self.read(text, spans):
            places = [_trimmed(text, int(read.window.starts[m.first]), int(read.window.ends[m.last])) for m in read.mentions]
            if discourse.titled:
                _open(text, body, places, discourse)
            entries = [_entry(text[a:b], m, discourse) for (a, b), m in zip(places, read.mentions)]
            for (start, end), entry, mention in zip(places, entries, read.mentions):
                if isinstance(entry, Entry) and mention.first >= read.window.repeated:
                    mentions.append(Mention(entry.name(), start, end))
            keys = [id(entry) if isinstance(entry, Entry) else hash(entry) for entry in entries]
            for relation in relationships(read, keys, self.labels, self._thresholds):
                subject, value = entries[relation.subject], entries[relation.object]
                if isinstance(subject, Entry):
                    start, end = spans[relation.sentence]
                    confidence = float(1 / (1 + np.exp(-relation.margin)))
                    facts.append(_fact(subject, relation.relation, value, start, end, f"{self.name}-{self.version}", confidence))
        named = tuple(Mention(discourse.current(m.name), m.start, m.end) for m in mentions)
        return unique([*document.facts, *(current(fact, discourse) for fact in _settled(facts))]), document.mentions + named


def read_states(base: Transformer, session: Any, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Token states [t, h] of own layers over the first `LOWER` of the packaged ones, and their attention [heads, t, t]."""
    states, attention = session.run(None, {"lower": base.run(ids, after(LOWER))[None]})
    return finite(states, MODEL)[0], attention[0]


def relationships(read: Read, keys: Sequence[object], labels: Sequence[str], thresholds: np.ndarray) -> list[Relationship]:
    """The relations above their threshold between the entities of a window.

    Args:
        read: the window; mentions whose `keys` are equal are one entity.
        keys: per mention.
        labels: of the columns of its logits after the thresholds.
        thresholds: int64 [labels], the column that each must be above.

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
    margins = scores[:, 2:] - scores[:, thresholds]
    for row, column in zip(*np.nonzero(margins > 0)):
        mine = np.flatnonzero(which == row)
        best = pairs[mine[np.argmax(logits[mine, column + 2])]]
        said = int(max(sentence[best[0]], sentence[best[1]]))
        found.append(Relationship(int(best[0]), labels[column], int(best[1]), said, float(margins[row, column])))
    return found


def _joined(mentions: Sequence[Found], text: str, window: Window, days: Sequence[tuple[int, int]]) -> list[Found]:
    """Mentions with every date in one piece, and names that only a space divides put together."""
    found: list[Found] = []
    for start, end in days:
        words = np.flatnonzero((window.starts < end) & (window.ends > start)).tolist()
        if words:
            found.append(Found(words[0], words[-1], TYPES.index("time"), 1.0))
    dated = {word for day in found for word in range(day.first, day.last + 1)}
    for mention in mentions:
        if dated.isdisjoint(range(mention.first, mention.last + 1)):
            found.append(mention)
    found.sort(key=lambda mention: mention.first)
    joined: list[Found] = []
    for mention in found:
        if joined and _one(joined[-1], mention, text, window):
            mention = replace(joined.pop(), last=mention.last)
        joined.append(mention)
    return joined


def _one(before: Found, mention: Found, text: str, window: Window) -> bool:
    """Whether two mentions are one name in two pieces: of one type, a space alone between them, and a capital after it."""
    if before.type != mention.type or before.last + 1 != mention.first:
        return False
    end, start = int(window.ends[before.last]), int(window.starts[mention.first])
    return text[end:start] == " " and text[start].isupper() and window.sentence[before.last] == window.sentence[mention.first]


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


def _settled(facts: Sequence[Fact]) -> list[Fact]:
    """Of facts that leave one another no room (two fathers, the day of birth and of death the same) the surest alone."""
    kept: list[Fact] = []
    taken: set[tuple[str, str, str]] = set()
    for fact in sorted(facts, key=lambda fact: -fact.confidence):
        if fact.relation in SINGLE:
            places = {(fact.subject.label, fact.relation, ""), (fact.subject.label, "", fact.object.label)}
            if not taken.isdisjoint(places):
                continue
            taken |= places
        kept.append(fact)
    return kept


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The place of a mention without punctuation around it; all of it where it is nothing else."""
    inner = text[start:end].strip(_EDGES)
    first = text.index(inner, start)
    return (first, first + len(inner)) if inner else (start, end)


def _open(text: str, body: int, places: Sequence[tuple[int, int]], discourse: Discourse) -> None:
    """An encyclopaedia article opens with its subject, often under a longer name than its title."""
    for start, end in places:
        if body <= start <= body + len("The ") and _OPENING.match(text, end) and discourse.main is not None:
            discourse.same(text[start:end], discourse.main)
            return


_NO_LOGITS = np.empty((0, 1), np.float32)


__all__ = [
    *("LOWER", "MODEL", "WEIGHTS"),
    *("DistilledExtractor", "LabelEncoder", "Read", "Relationship", "read_states", "relationships"),
]
