"""What the tests of the learned path scorer share: a small graph, an encoder of words, a reader with random weights."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Literal

if TYPE_CHECKING:
    from hoptrace.retrieval.stepwise import Reader

ENDS = {  # relation: kinds of its subject and object; "owned by" says "owns" from the other end
    "founded": ("person", "firm"), "owned by": ("firm", "firm"), "owns": ("firm", "firm"), "supplies": ("firm", "firm"),
    "headquartered in": ("firm", "city"), "located in": ("city", "land"), "born in": ("person", "city"),
    "is a": ("city", "kind"), "zorbles": ("firm", "land"),
}  # fmt: skip
SIZES = {"person": 40, "firm": 40, "city": 12, "land": 4, "kind": 2}


@pytest.fixture(scope="session")
def firms_facts() -> list[tuple[Any, ...]]:
    """People, firms, cities and lands, drawn at random; one relation has two labels, one is in no lexicon."""
    rng = random.Random(2)
    syllables = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]
    drawn = {kind: ["".join(rng.sample(syllables, 4)).capitalize() for _ in range(size)] for kind, size in SIZES.items()}
    facts = [(a, relation, rng.choice(drawn[end])) for relation, (start, end) in ENDS.items() for a in drawn[start]]
    facts += [(firm, "founded in", Literal(str(rng.randint(1950, 1960)), "gYear")) for firm in drawn["firm"]]
    return sorted({(a, r, b) for a, r, b in facts if a != b}, key=str)


@pytest.fixture(scope="module")
def firms(
    tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None], firms_facts: list[tuple[Any, ...]]
) -> Iterator[KnowledgeGraph]:
    """The graph of `firms_facts`, one for each file of tests."""
    with KnowledgeGraph.open(tmp_path_factory.mktemp("firms") / "kg") as kg:
        write(kg, firms_facts)
        yield kg


class WordEncoder:
    """A small encoder: every word has a random vector of its own, and its state is that vector wherever it stands."""

    id, dim = "words@0123456789ab", 24

    def encode(self, texts: Sequence[str], *, batch_size: int = 32, progress: Any = None) -> np.ndarray:
        sums = np.array([self.token_states(text)[1].sum(axis=0) for text in texts], np.float32).reshape(-1, self.dim)
        return sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6)

    def token_states(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        found = list(re.finditer(r"\w+|[^\w\s]", text))
        states = np.array([self._vector(one[0]) for one in found], np.float32).reshape(-1, self.dim)
        return [one.span() for one in found], states

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(self.token_states(text)[0]) for text in texts]

    def _vector(self, word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest())
        return np.random.default_rng(seed).normal(size=self.dim).astype(np.float32)


@pytest.fixture(scope="session")
def words() -> Any:
    return WordEncoder()


@pytest.fixture(scope="session")
def reader(words: WordEncoder) -> Reader:
    """A reader that has learned nothing."""
    from hoptrace.retrieval.stepwise import DEPTHS, HEADS, NEAR, PLACES, Reader
    from hoptrace.retrieval.train_reader import KEY, RANK
    from hoptrace.retrieval.wordings import families

    rng, d, n = np.random.default_rng(0), words.dim, 2 * len(families())
    shapes = {
        "keys": (d, KEY), "query": (DEPTHS, d, KEY), "carry": (d, KEY), "place": (DEPTHS, 2 * PLACES + 1), "used": (DEPTHS,),
        "down": (d, RANK), "up": (RANK, d), "scale": (), "ways": (2, d), "lift_down": (d, RANK), "lift_up": (RANK, d),
        "stop": (d,), "stop_bias": (DEPTHS,), "wordings": (n, d), "content": (d,), "content_bias": (), "rest": (), "sharp": (),
        "mix_query": (KEY, KEY), "mix_key": (KEY, KEY), "mix_value": (KEY, KEY), "mix_out": (KEY, KEY),
        "near": (HEADS, 2 * NEAR + 1), "wide": (KEY, 2 * KEY), "narrow": (2 * KEY, KEY), "onward": (KEY, KEY), "halt": (KEY,),
    }  # fmt: skip
    size = {name: 0.05 if KEY in shape[:1] else 0.3 for name, shape in shapes.items()}
    weights = {name: np.asarray(size[name] * rng.normal(size=shape), np.float32) for name, shape in shapes.items()}
    weights |= {name: np.asarray(value, np.float32) for name, value in (("scale", 4), ("rest", 1), ("sharp", 8))}
    return Reader(tuple(f.name for f in families()), weights, words.id, {"seed": 0})
