"""Which entities stand in which chunks and what they are called: flat arrays, published for one state of the store.

Merging two entities changes what chunks hold that nobody touched, so the whole is read again when the store has changed:
a second for 50,000 mentions. A process that finds the store as it was published only maps the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ..kg.generations import position
from .words import name_words

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph

_KIND = "mentions"


@dataclass(frozen=True, eq=False)
class Mentions:
    """Pairs of entity and chunk, and the names of the entities.

    Attributes:
        nodes: int64 [m] rows of entities.
        chunks: int64 [m] rows of the chunks they stand in.
        entities: int64 [e] the rows in `nodes`, ascending.
        keys: int64 [e] `name_key` of their labels.
        words: int64 [w] word keys of their labels.
        starts: int64 [e + 1] where the words of each begin.
    """

    nodes: np.ndarray
    chunks: np.ndarray
    entities: np.ndarray
    keys: np.ndarray
    words: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, kg: KnowledgeGraph) -> Mentions:
        """Those of the graph as it is now."""
        meta, names = position(kg.store), [field.name for field in fields(cls)]
        found = kg.generations.current(_KIND)
        if found is None or dict(found.meta) != meta or set(found.arrays) != set(names):
            made = cls._read(kg)
            found = kg.generations.publish(_KIND, {name: getattr(made, name) for name in names}, meta)
        return cls(*(np.asarray(found.array(name)) for name in names))

    @classmethod
    def _read(cls, kg: KnowledgeGraph) -> Mentions:
        nodes, chunks = kg.store.mentions()
        entities = np.unique(nodes)
        named = [name_words(label) for label in kg.store.labels(entities)]
        words = np.array([key for one, _ in named for key in one], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum([len(one) for one, _ in named])]).astype(np.int64)
        return cls(nodes, chunks, entities, np.array([key for _, key in named], dtype=np.int64), words, starts)


__all__ = ["Mentions"]
