"""The closed-book expert: a small network that has learned facts of one graph and answers from its weights.

It sees the vector of a question without its name, and the name of the one thing that is linked in it, as hashed features; it
gives a belief over the answers it has learned and over "was never told". What it was shown often it knows, what it was not
shown it believes with a small margin (Kandpal et al. 2023, arXiv 2211.08411). It also ranks candidates that the graph offers,
which it can do better than answer (Inside-Out, Gekhman et al. 2025, arXiv 2503.15299).

The artefact holds ids and numbers, and no name: an answer is put into words by the graph, so that what was erased there can
no longer be said. Made by `train_memory`; there is none unless it was trained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from ...kg.artefacts import Artefact, load_artefact
from ...kg.errors import ArtefactError, InputError
from ...kg.model import Entity, normalize
from ...retrieval.encoder import Encoder
from ...retrieval.linking import Link, Linker
from ..opinion import VACUOUS, Opinion

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...retrieval.encoder import TextEncoder

NAME, WEIGHTS, SHOWN = "memory", "memory.safetensors", "shown.json"
MASK = "X"  # stands for the name in the words of a question
KEPT = 8  # candidates of an opinion
FLOOR = -30.0  # log-probability of what was never learned as an answer
_WORD = re.compile(r"\w+")
_MATRICES = ("names", "mix", "ask", "skip", "out", "bias", "facts")


@dataclass(frozen=True, slots=True, eq=False)
class Recall:
    """What the memory says to a question.

    Attributes:
        opinion: over the labels of answers; what it puts on "was never told", and on answers past the first few, is uncertainty.
        margin: probability of the best answer less that of the next best thing, "was never told" included, -1 to 1.
        entropy: of the whole belief, in nats.
        subjects: ids of the entities that the name may mean, the one that was recalled first.
        node: id of the best answer, "" where there is none.
    """

    opinion: Opinion
    margin: float
    entropy: float
    subjects: tuple[str, ...] = ()
    node: str = ""


NOTHING = Recall(VACUOUS, -1.0, 0.0)


def memory_folder(kg: KnowledgeGraph) -> Path:
    """Where the memory of a graph lies."""
    return kg.path / "models" / "memory"


def name_features(node_id: str, label: str, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashed features of a named thing: its id, its whole name, words and character trigrams.

    Returns:
        int64 [f] buckets and float32 [f] weights; each of the four kinds weighs 1 in all.
    """
    plain = normalize(label)
    words, padded = _WORD.findall(plain), f" {plain} "
    trigrams = [padded[i : i + 3] for i in range(len(padded) - 2)]
    kinds = ([f"i{node_id}"], [f"n{plain}"], [f"w{word}" for word in words], [f"c{three}" for three in trigrams])
    hashed = [crc32(text.encode("utf-8", "surrogatepass")) % buckets for some in kinds for text in some]
    weights = [1 / len(some) for some in kinds for _ in some]
    return np.array(hashed, np.int64), np.array(weights, np.float32)


def masked(question: str, link: Link) -> str:
    """The words of a question with its name taken out."""
    return f"{question[: link.start]}{MASK}{question[link.end :]}"


@dataclass(slots=True, eq=False)
class Memory:
    """The memory of a graph, in numpy.

    Attributes:
        kg: the graph; names of answers are read from it.
        encoder: the one that it was trained with.
        weights: names [buckets, d], mix [d, h], ask [dim, h], skip [dim, h], out [h, answers + 1], bias [answers + 1], the last
            answer being "was never told"; facts int64 [n, 4] are those that it was shown: index of the subject, index of the
            answer, and rows of one or two triples, -1 for none.
        vocabulary: node ids of the answers.
        subjects: entity ids.
        meta: the store's identity, its `seq` at training, encoder, hash of the facts shown, and how it was trained.
    """

    kg: KnowledgeGraph
    encoder: TextEncoder
    weights: dict[str, np.ndarray]
    vocabulary: tuple[str, ...]
    subjects: tuple[str, ...]
    meta: dict[str, Any]
    linker: Linker = field(init=False)
    _answer: dict[str, int] = field(init=False)
    _subject: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.linker = Linker(self.kg)
        self._answer = {node: i for i, node in enumerate(self.vocabulary)}
        self._subject = {node: i for i, node in enumerate(self.subjects)}

    @classmethod
    def load(cls, kg: KnowledgeGraph, encoder: TextEncoder | None = None) -> Memory:
        """The memory that was trained for a graph.

        Raises:
            ArtefactError: there is none, its bytes changed, or it is of another graph or encoder.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        artefact, encoder = load_artefact(memory_folder(kg)), encoder or Encoder.default()
        _check(artefact, kg, encoder)
        try:
            weights = load_file(artefact.path(WEIGHTS))
            shown = json.loads(artefact.path(SHOWN).read_text("utf-8"))
            memory = cls(kg, encoder, weights, tuple(shown["vocabulary"]), tuple(shown["subjects"]), artefact.meta)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise ArtefactError(f"{artefact.folder}: not a memory ({type(error).__name__})") from error
        if any(name not in weights for name in _MATRICES) or len(weights["bias"]) != len(memory.vocabulary) + 1:
            raise ArtefactError(f"{artefact.folder}: not a memory (weights do not fit its answers)")
        return memory

    @property
    def seq(self) -> int:
        """The ledger number of the graph when it was trained."""
        return int(self.meta["seq"])

    def shown(self, entity_id: str) -> int:
        """How many facts with this subject it was shown, chains of two not counted."""
        facts = self.weights["facts"]
        return int(((facts[:, 0] == self._subject.get(entity_id, -1)) & (facts[:, 3] < 0)).sum())

    def rests_on(self, recall: Recall) -> np.ndarray:
        """Rows of the triples that it was shown between the subject and the best answer, int64 [n]."""
        facts = self.weights["facts"]
        mine = (facts[:, 0] == self._subject.get(recall.subjects[0], -1)) if recall.subjects else np.zeros(len(facts), bool)
        rows = facts[mine & (facts[:, 1] == self._answer.get(recall.node, -1)), 2:]
        return np.asarray(rows[rows >= 0])

    def answer(self, question: str, links: Sequence[Link] | None = None) -> Recall:
        """What it recalls; `NOTHING` unless exactly one name of the graph stands in the question.

        Args:
            question: in plain English.
            links: its mentions, where they are known.
        """
        asked = self._asked(question, links)
        if asked is None:
            return NOTHING
        subjects, logs = asked
        p = np.exp(logs)
        order = np.argsort(-p[:-1], kind="stable")[:KEPT]
        best = p[order[0]]
        margin = float(best - max(p[-1], p[order[1]] if len(order) > 1 else 0.0))
        entropy = float(-(p @ logs))
        named = [(self._label(self.vocabulary[i]), float(p[i])) for i in order.tolist()]
        belief: dict[str, float] = {}
        for label, held in named:
            if label:
                belief[label] = belief.get(label, 0.0) + held
        values = np.array(list(belief.values()), np.float64)
        opinion = Opinion(tuple(belief), values, max(0.0, 1.0 - float(values.sum())))
        return Recall(opinion, margin, entropy, subjects, self.vocabulary[int(order[0])] if named[0][0] else "")

    def rank(self, question: str, candidates: Sequence[str], links: Sequence[Link] | None = None) -> np.ndarray:
        """Log-probability of each candidate, float64 [candidates]; how long a name is plays no part.

        Args:
            question: in plain English.
            candidates: ids of entities or values. `FLOOR` is that of one which it never learned as an answer.
            links: mentions of the question, where they are known.

        Raises:
            InputError: not exactly one name of the graph stands in the question.
        """
        asked = self._asked(question, links)
        if asked is None:
            raise InputError("a memory ranks answers to questions about one thing of the graph")
        known = [self._answer.get(candidate, -1) for candidate in candidates]
        return np.array([max(float(asked[1][i]), FLOOR) if i >= 0 else FLOOR for i in known], np.float64)

    def _asked(self, question: str, links: Sequence[Link] | None) -> tuple[tuple[str, ...], np.ndarray] | None:
        """Subjects and log-probabilities, float64 [answers + 1]."""
        found = [link for link in (self.linker.link(question) if links is None else links) if link.seeds]
        if len(found) != 1 or not self.vocabulary:
            return None
        nodes = [seed.node for seed in found[0].seeds if isinstance(seed.node, Entity)]
        if not nodes:
            return None
        vector = self.encoder.encode([masked(question, found[0])])[0]
        return tuple(node.id for node in nodes), self._log_p(nodes[0], vector)

    def _log_p(self, subject: Entity, vector: np.ndarray) -> np.ndarray:
        w = self.weights
        hashed, share = name_features(subject.id, subject.label, len(w["names"]))
        hidden = np.maximum((share @ w["names"][hashed] @ w["mix"]) * (vector @ w["ask"]) + vector @ w["skip"], 0)
        logits = (hidden @ w["out"] + w["bias"]).astype(np.float64)
        top = float(logits.max())
        logs: np.ndarray = logits - top - np.log(np.exp(logits - top).sum())
        return logs

    def _label(self, node_id: str) -> str:
        """What the graph calls a node now, "" where it was erased."""
        try:
            return self.kg.store.nodes([self.kg.store.row_of(node_id)])[0].label
        except InputError:
            return ""


def _check(artefact: Artefact, kg: KnowledgeGraph, encoder: TextEncoder) -> None:
    wanted = {"store": kg.store.identity, "encoder": encoder.id}
    for what, value in wanted.items():
        if artefact.meta.get(what) != value:
            raise ArtefactError(f"{artefact.folder}: made for the {what} {artefact.meta.get(what)!r}, this is {value!r}")
    if not isinstance(artefact.meta.get("seq"), int):
        raise ArtefactError(f"{artefact.folder}: not a memory (no ledger number)")


__all__ = ["FLOOR", "MASK", "NOTHING", "Memory", "Recall", "masked", "memory_folder", "name_features"]
