"""How well each relation of a graph answers to each unit of a question.

Relation labels are encoded once and cached by label; at question time only the units are encoded. A unit that is a known
wording of a family speaks for that family and hardly for others, however near their vectors are: "chief financial
officer" lies close to "chief executive of" in every embedding and is still another job. Words that are a wording of no family
of the graph speak for the families whose wordings mean nearly the same, each way by its own. A relation of the past ("formerly
owns") answers only questions that ask for the past.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..kg.model import Relation
from .phrases import wordings_of
from .question import OPEN_WEIGHT, Unit
from .stepwise import Reader
from .wordings import Family, Lexicon, lexicon, read_lexicon, stems

if TYPE_CHECKING:
    from ..kg.adjacency import Groups
    from ..kg.graph import KnowledgeGraph
    from .encoder import Encoder

WORDINGS = "wordings.toml"  # of a graph, beside its data
_COSINE_FLOOR, _COSINE_SPAN, _COSINE_CAP = 0.35, 0.5, 0.75
_MEANT_FLOOR, _MEANT_SPAN = 0.35, 0.35  # the same for the mean of a family's wordings
_FOREIGN_CAP = 0.2  # a unit that is a wording of another family
FORMER_NAME = "formerly known as"
_OTHER_END = 0.25  # a noun that names the end a hop comes from
_WEAK = 0.8  # a verb that asks for the family only when nothing better is recorded
_AGAINST_NOUN = 0.4  # factor when a label that names its object is walked the other way
FUNCTION_WORDS = frozenset("of in by to at for on with is a the has from".split())
_TYPE_CAP = 0.5  # a type noun ("company") says little about the hop


class RelationIndex:
    """Families, stems and vectors of every relation of a graph, kept in step with it.

    Args:
        kg: the graph.
        encoder: of labels and units.
        lex: how relations are asked for; where None, the packaged lexicon and the graph's own `wordings.toml`, if it has one.

    Attributes:
        family_of: [relations] index into `families` by relation row.
        flip: [relations] -1 where the label runs from the family's object to its subject.
        symmetric: [families] whether a direction says nothing; such a relation is one step, walked from either end.
    """

    def __init__(self, kg: KnowledgeGraph, encoder: Encoder, lex: Lexicon | None = None) -> None:
        self.kg, self.encoder = kg, encoder
        own = kg.path / WORDINGS
        self.lexicon = lex or (read_lexicon(own) if own.is_file() else lexicon())
        self._vectors: dict[str, np.ndarray] = {}
        self._seq, self._guard = -1, threading.Lock()
        self._last: tuple[tuple[int, tuple[Unit, ...]], np.ndarray] = ((-1, ()), np.zeros((0, 2, 0), np.float32))
        self.families: list[Family] = []
        self._index: dict[str, int] = {}
        self._by_stem: dict[str, list[int]] = {}
        self.symmetric = np.zeros(0, bool)
        self.family_of = np.zeros(0, np.int32)
        self.flip = np.zeros(0, np.int8)

    def refresh(self) -> None:
        """Read new relations and encode the labels not seen before."""
        if self._seq == self.kg.store.seq:
            return
        with self._guard:
            seq = self.kg.store.seq
            relations = self.kg.store.relations()
            size = max((row for row, _ in relations), default=-1) + 1
            if size != len(self.family_of):
                self._number(relations, size)
            self._seq = seq

    def _step_vectors(self, families: list[Family]) -> np.ndarray:
        """What the wordings of each family mean, walked either way: unit vectors, float32 [families, 2, d].

        Those of the packaged lexicon come encoded with the reader.
        """
        reader, packaged = Reader.default(), lexicon().families
        known = reader.means() if reader.encoder == self.encoder.id else {}
        texts = {f.name: [wordings_of(f, 1), wordings_of(f, -1)] for f in families}
        own = [f.name for f in families if f.name not in known or f != packaged.get(f.name)]
        every = list(dict.fromkeys(text for name in own for some in texts[name] for text in some))
        vectors = dict(zip(every, self.encoded(every)))
        for name in own:
            known[name] = np.array([np.mean([vectors[text] for text in some], axis=0) for some in texts[name]])
        means = np.array([known[f.name] for f in families], np.float32).reshape(len(families), 2, self.encoder.dim)
        unit: np.ndarray = means / (np.linalg.norm(means, axis=2, keepdims=True) + 1e-9)
        return unit

    def _number(self, relations: list[tuple[int, Relation]], size: int) -> None:
        """Give every relation its family. All is made first and put in place at once: other threads go on reading."""
        index: dict[str, int] = {}
        families: list[Family] = []
        family_of, flips = np.zeros(size, np.int32), np.ones(size, np.int8)
        for row, relation in relations:
            family, flip = self.lexicon.family(relation.label)
            if family.name not in index:
                index[family.name] = len(families)
                families.append(family)
            family_of[row], flips[row] = index[family.name], flip
        missing = [f.name for f in families if f.name not in self._vectors]
        self._vectors.update(zip(missing, self.encoded(missing)))
        matrix = np.array([self._vectors[f.name] for f in families], np.float32).reshape(len(families), -1)
        steps = self._step_vectors(families)
        former = [
            i
            for i, family in enumerate(families)
            if family.name.split()[0] in {"former", "formerly"} and family.name != FORMER_NAME
        ]
        label_stems, by_stem = [_label_stems(family) for family in families], defaultdict[str, list[int]](list)
        for i, label in enumerate(label_stems):
            for word in label:
                by_stem[word].append(i)
        self.families, self._stems, self._matrix, self._steps = families, label_stems, matrix, steps
        self.symmetric = np.array([family.symmetric for family in families], bool)
        self._index, self._former, self._by_stem = index, former, by_stem
        self.flip, self.family_of = flips, family_of

    def codes(self, groups: Groups) -> np.ndarray:
        """The step that each group of edges is: 2 * family, and 1 more where it is walked from the family's object to its
        subject and that makes a difference, int64 [groups]."""
        family = self.family_of[groups.relation]
        backward = (groups.direction * self.flip[groups.relation] < 0) & ~self.symmetric[family]
        codes: np.ndarray = family.astype(np.int64) * 2 + backward
        return codes

    def reverse(self, code: int) -> int:
        """The step that walks a relation the other way."""
        return code if self.symmetric[code >> 1] else code ^ 1

    def encoded(self, labels: list[str]) -> np.ndarray:
        """Vectors of labels, [n, d]; read from and written to the graph's vector generation where possible."""
        if not labels:
            return np.zeros((0, self.encoder.dim), np.float32)
        kind = "relations_" + hashlib.sha256(self.encoder.id.encode()).hexdigest()[:12]
        known: dict[str, np.ndarray] = {}
        if (generation := self.kg.generations.current(kind)) is not None:
            known = dict(zip(generation.meta["labels"], np.asarray(generation.array("vectors"))))
        missing = list(dict.fromkeys(label for label in labels if label not in known))
        if missing:
            known.update(zip(missing, self.encoder.encode(missing)))
            self.kg.generations.publish(kind, {"vectors": np.array(list(known.values()), np.float32)}, {"labels": list(known)})
        return np.array([known[label] for label in labels], np.float32)

    def is_event(self, label: str) -> bool:
        """Whether a relation happens at a moment."""
        return self.lexicon.family(label)[0].event

    def weighed(self, units: tuple[Unit, ...]) -> tuple[Unit, ...]:
        """Units as this graph reads them: a wording of families that it does not have at all weighs as an open word, and one of
        several hops ("grandson") is a unit for each."""
        self.refresh()
        return tuple(one for unit in units for one in self._weighed(unit))

    def _weighed(self, unit: Unit) -> tuple[Unit, ...]:
        spoken = {i for word in stems(unit.text) for i in self._by_stem.get(word, ())}
        if unit.families & self._index.keys() or any({*stems(unit.text)} >= self._stems[i] for i in spoken):
            return (unit,)
        known = (hops for hops in self.lexicon.chains(unit.text) if all(name in self._index for name, _ in hops))
        if hops := next(known, ()):
            return tuple(self._hop(unit, self.families[self._index[name]], way) for name, way in hops)
        return (replace(unit, weight=min(unit.weight, OPEN_WEIGHT)) if unit.families else unit,)

    def _hop(self, unit: Unit, family: Family, way: int) -> Unit:
        """One hop of a wording of several, said by a noun for where it leads."""
        nouns = family.object_nouns if way > 0 else family.subject_nouns
        return replace(unit, text=(*nouns, family.name)[0], families=frozenset({family.name}), type="", weight=1.0)

    def gains(self, units: tuple[Unit, ...]) -> np.ndarray:
        """How well a hop explains a unit, 0 to 1.

        Returns:
            float32 [families, 2, units]; the middle axis is the direction of travel within the family, 0 from subject
            to object and 1 from object to subject.
        """
        self.refresh()
        last, asked = self._last, (self._seq, units)
        if last[0] != asked:
            last = self._last = (asked, self._gains(units))
        return last[1]

    def _gains(self, units: tuple[Unit, ...]) -> np.ndarray:
        result = np.zeros((len(self.families), 2, len(units)), np.float32)
        if not units or not self.families:
            return result
        vectors = self.encoder.encode([unit.text for unit in units])
        cosine = np.clip((self._matrix @ vectors.T - _COSINE_FLOOR) / _COSINE_SPAN, 0, 1) * _COSINE_CAP
        meant = np.clip((self._steps @ vectors.T - _MEANT_FLOOR) / _MEANT_SPAN, 0, 1) * _COSINE_CAP
        for j, unit in enumerate(units):
            unit_stems = stems(unit.text)
            cap = _FOREIGN_CAP if unit.families else _TYPE_CAP if unit.type else 1.0
            result[:, :, j] = np.minimum(cosine[:, j], cap)[:, None]
            if not unit.type and not unit.families & self._index.keys():  # "contender" is near the words for `competes with`
                result[:, :, j] = np.maximum(result[:, :, j], meant[:, :: -1 if unit.source else 1, j])
            spoken = {i for word in unit_stems for i in self._by_stem.get(word, ())}
            spoken.update(self._index[name] for name in unit.families if name in self._index)
            for i in spoken:
                result[i, :, j] = self._gain(i, unit, unit_stems, float(cosine[i, j]))
        if not any("former" in unit.text for unit in units):
            result[self._former] = 0.0
        return result

    def _gain(self, i: int, unit: Unit, unit_stems: tuple[str, ...], cosine: float) -> tuple[float, float]:
        family, label_stems = self.families[i], self._stems[i]
        overlap = len(label_stems & set(unit_stems)) / len(unit_stems) if unit_stems else 0.0
        if family.name in unit.families:
            subject = unit_stems in {stems(noun) for noun in family.subject_nouns}
            target = unit_stems in {stems(noun) for noun in family.object_nouns}
            if unit_stems in {stems(verb) for verb in family.verbs} and not family.is_noun(unit.text):
                return 1.0, 1.0
            if unit_stems in {stems(verb) for verb in family.weak_verbs}:
                return _WEAK, _WEAK
            if unit.fellow:
                return 1.0, 1.0
            if subject or target:
                forth, back = (subject, target) if unit.source else (target, subject)
                return (1.0 if forth else _OTHER_END), (1.0 if back else _OTHER_END)
            return 1.0, 1.0
        if unit.families and (not overlap or family.name in self.lexicon.families):
            return (min(cosine, _FOREIGN_CAP),) * 2
        if unit.type:
            best = min(max(cosine, _TYPE_CAP * overlap), _TYPE_CAP)
            return best, (best * _AGAINST_NOUN if _names_object(family.name) else best)
        best = max(cosine, 0.9 * overlap)
        return best, (best * _AGAINST_NOUN if overlap and _names_object(family.name) else best)


def _label_stems(family: Family) -> frozenset[str]:
    return frozenset(stems(" ".join(w for w in family.name.split() if w not in FUNCTION_WORDS)))


def _names_object(label: str) -> bool:
    """Whether a label is a noun for its object, like a column header ("authority", "home port")."""
    words = label.split()
    return words[-1] not in FUNCTION_WORDS and not words[0].endswith(("s", "ed", "ing"))


__all__ = ["RelationIndex"]
