"""Deletion equals rebuilding: whatever a graph went through, it equals one built from what survived.

Random histories of ingest, update, forget, teach, edit, retract, undo and redo run against the real store and against a
model of a few sets. Then a second store is given the surviving documents and retractions only, and every view of the two
must agree. The adjacency is asked for in the middle of histories, so that it is the patched one that is compared.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hoptrace.kg.errors import LedgerError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Literal, Mention, Name, text_hash
from hoptrace.kg.statements import fact as stated
from hoptrace.kg.statements import statement, triple_id
from hoptrace.retrieval.dense import DenseIndex
from hoptrace.retrieval.encoder import Encoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HISTORIES = 1000
NAMES = [
    Name("Halden Marine Ltd"),
    Name("Halden Marine Limited", "company"),  # resolved with the first
    Name("Halden Marine"),  # and this
    Name("Orla Vance", "person"),
    Name("Orla Vance"),
    Name("MV Petrel", aliases=("Petrel",)),
]
OBJECTS: list[Name | Literal] = [*NAMES, Literal("1998", "gYear")]
RELATIONS = ["owns", "founded"]
QUERIES = ["Halden", "Orla founded", "Petrel 1998", "nothing like it"]

Spec = tuple[int, int, int]  # indices of subject, relation, object
specs = st.tuples(st.integers(0, len(NAMES) - 1), st.integers(0, 1), st.integers(0, len(OBJECTS) - 1))
ingests = st.tuples(st.just("ingest"), st.integers(0, 2), st.lists(specs, min_size=1, max_size=3))
steps = st.one_of(
    ingests,
    ingests,
    st.tuples(st.just("add"), specs),
    st.tuples(st.just("retract"), st.integers(0, 5)),
    st.tuples(st.just("edit"), st.integers(0, 5), specs),
    st.tuples(st.just("forget"), st.integers(0, 5)),
    st.just(("undo",)),
    st.just(("undo",)),
    st.just(("redo",)),
    st.just(("look",)),
)


def fact_of(spec: Spec) -> Fact:
    return stated(NAMES[spec[0]], RELATIONS[spec[1]], OBJECTS[spec[2]], None, None)


def document_of(uri: str, content: list[Spec]) -> Document:
    facts, mentions, text = [], [], ""
    for spec in content:
        known = fact_of(spec)
        start = len(text)
        text += f"{known.subject.label} {known.relation} {OBJECTS[spec[2]].label}.\n"
        facts.append(Fact(known.subject, known.relation, known.object, start, len(text) - 1))
        mentions.append(Mention(known.subject, start, start + len(known.subject.label)))
    return Document(uri, "text/plain", text, text_hash(text), facts=tuple(facts), mentions=tuple(mentions))


@dataclass
class Model:
    """What a history should leave: live documents by uri, all versions not erased, withdrawn triples."""

    live: dict[str, Document] = field(default_factory=dict)
    versions: dict[str, set[Document]] = field(default_factory=dict)
    withdrawn: dict[str, Fact] = field(default_factory=dict)
    done: list[Any] = field(default_factory=list)  # (live, withdrawn) before each change; None for one that stays
    undone: list[Any] = field(default_factory=list)

    def triples(self) -> dict[str, Fact]:
        """Live triples by id, in an order that does not depend on how they came."""
        known = {triple_id(fact): fact for document in self.live.values() for fact in document.facts}
        return {key: known[key] for key in sorted(known) if key not in self.withdrawn}

    def begin(self) -> None:
        self.done.append((dict(self.live), dict(self.withdrawn)))
        self.undone.clear()

    def put(self, document: Document) -> None:
        self.live[document.uri] = document
        self.versions.setdefault(document.uri, set()).add(document)

    def erase(self, uri: str) -> None:
        self.live.pop(uri, None)
        del self.versions[uri]
        left = {triple_id(fact) for versions in self.versions.values() for document in versions for fact in document.facts}
        self.withdrawn = {key: fact for key, fact in self.withdrawn.items() if key in left}
        self.done.append(None)
        self.undone.clear()

    def back(self, source: list[Any], target: list[Any]) -> bool:
        if not source or source[-1] is None:
            return False
        target.append((dict(self.live), dict(self.withdrawn)))
        self.live, self.withdrawn = source.pop()
        return True


class Remembering:
    """The packaged encoder, each text encoded once in the whole module."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.id, self.dim = encoder, encoder.id, encoder.dim
        self.known: dict[str, np.ndarray] = {}

    def encode(self, texts: Sequence[str], **options: Any) -> np.ndarray:
        if missing := [text for text in dict.fromkeys(texts) if text not in self.known]:
            self.known.update(zip(missing, self.encoder.encode(missing, **options)))
        return np.array([self.known[text] for text in texts], np.float32).reshape(len(texts), self.dim)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.encoder, name)


class Run:
    """Plays steps on the store and the model at once. A look brings adjacency and vectors in step, as a question does."""

    def __init__(self, kg: KnowledgeGraph, vectors: DenseIndex | None = None) -> None:
        self.kg, self.model, self.vectors = kg, Model(), vectors

    def play(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])

    def ingest(self, number: int, content: list[Spec]) -> None:
        document = document_of(f"doc{number}.txt", content)
        if self.model.live.get(document.uri) != document:
            self.model.begin()
            self.model.put(document)
        self.kg.write_document(document, [(0, len(document.text), "text")])

    def add(self, spec: Spec) -> None:
        known = fact_of(spec)
        self._teach(known, None)
        self.kg.add(known.subject, known.relation, known.object)

    def retract(self, pick: int) -> None:
        if triples := list(self.model.triples().items()):
            key, known = triples[pick % len(triples)]
            self.model.begin()
            self.model.withdrawn[key] = known
            self.kg.retract(key)

    def edit(self, pick: int, spec: Spec) -> None:
        triples, new = list(self.model.triples().items()), fact_of(spec)
        if not triples or triples[pick % len(triples)][0] == triple_id(new):
            return
        key, known = triples[pick % len(triples)]
        self._teach(new, (key, known))
        self.kg.edit(key, subject=new.subject, relation=new.relation, object=new.object)

    def _teach(self, new: Fact, old: tuple[str, Fact] | None) -> None:
        document = statement(new)
        if document.uri not in self.model.live or triple_id(new) in self.model.withdrawn or old:
            self.model.begin()
            self.model.put(document)
            self.model.withdrawn.pop(triple_id(new), None)
            if old:
                self.model.withdrawn[old[0]] = old[1]

    def forget(self, pick: int) -> None:
        if uris := sorted(self.model.versions):
            self.model.erase(uris[pick % len(uris)])
            self.kg.forget(uris[pick % len(uris)])

    def undo(self) -> None:
        if self.model.back(self.model.done, self.model.undone):
            self.kg.undo()
        else:
            with pytest.raises(LedgerError):
                self.kg.undo()

    def redo(self) -> None:
        if self.model.back(self.model.undone, self.model.done):
            self.kg.redo()
        else:
            with pytest.raises(LedgerError):
                self.kg.redo()

    def look(self) -> None:
        self.kg.adjacency()
        if self.vectors is not None:
            self.vectors.refresh()


def rebuilt(path: Path, model: Model) -> KnowledgeGraph:
    kg = KnowledgeGraph.open(path)
    for uri in sorted(model.live, reverse=True):
        document = model.live[uri]
        kg.write_document(document, [(0, len(document.text), "text")])
    held = {triple_id(fact) for document in model.live.values() for fact in document.facts}
    for key in model.withdrawn:
        if key in held:
            kg.retract(key)
    return kg


def edge_labels(kg: KnowledgeGraph) -> set[tuple[str, str]]:
    return {(str(triple), triple.status) for triple in kg.triples()}


def searches(kg: KnowledgeGraph) -> list[dict[str, float]]:
    found = [kg.store.search_text(query, 50) for query in QUERIES]
    chunks = {row: chunk.id for row, chunk in kg.store.chunks()}
    return [{chunks[hit.chunk]: round(hit.score, 9) for hit in hits} for hits in found]


def nearest(kg: KnowledgeGraph, index: DenseIndex, vector: np.ndarray) -> dict[str, float]:
    """Chunk ids with their cosine to a query."""
    rows, scores = index.search(vector, 50)
    chunks = {row: chunk.id for row, chunk in kg.store.chunks()}
    return {chunks[row]: round(score, 5) for row, score in zip(rows.tolist(), scores.tolist())}


def expansions(kg: KnowledgeGraph) -> set[tuple[str, str, int, str, str]]:
    """(node, relation, direction, triple, neighbor) of every edge that leaves any node."""
    adjacency = kg.adjacency()
    nodes = np.arange(adjacency.size)
    groups, edges = adjacency.expand(nodes)
    relations = {row: relation.id for row, relation in kg.store.relations()}
    origin = [node.id for node in kg.store.nodes(groups.origin[edges.group])]
    neighbor = [node.id for node in kg.store.nodes(edges.neighbor)]
    triple = [found.id for found in kg.store.triples_at(edges.triple)]
    relation = [relations[row] for row in groups.relation[edges.group].tolist()]
    return set(zip(origin, relation, groups.direction[edges.group].tolist(), triple, neighbor))


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: the point here is not the disk."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        with KnowledgeGraph.open(Path(folder) / "empty"):
            pass
        yield Path(folder)


@pytest.fixture(scope="module")
def remembering(encoder: Encoder) -> Remembering:
    return Remembering(encoder)


def fresh(scratch: Path, name: str) -> Path:
    """An empty graph, copied because that is faster than making one."""
    shutil.rmtree(scratch / name, ignore_errors=True)
    shutil.copytree(scratch / "empty", scratch / name)
    return scratch / name


@given(st.lists(steps, min_size=3, max_size=12))
@settings(max_examples=HISTORIES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_graph_equals_one_built_from_what_survived(
    scratch: Path, remembering: Remembering, history: list[tuple[Any, ...]]
) -> None:
    query = remembering.encode([QUERIES[0]])[0]
    with KnowledgeGraph.open(fresh(scratch, "lived")) as lived:
        run = Run(lived, DenseIndex(lived, remembering))
        for step in history:
            run.play(step)
        with rebuilt(fresh(scratch, "rebuilt"), run.model) as anew:
            assert edge_labels(lived) == edge_labels(anew)
            assert searches(lived) == searches(anew)
            assert nearest(lived, run.vectors, query) == nearest(anew, DenseIndex(anew, remembering), query)
            assert expansions(lived) == expansions(anew)
            assert lived.content_hash() == anew.content_hash()


def test_a_long_history_stays_sound(scratch: Path) -> None:
    """One store through hundreds of steps: nothing piles up, and the store's own checks agree."""
    rng = np.random.default_rng(11)

    def spec() -> Spec:
        return int(rng.integers(len(NAMES))), int(rng.integers(2)), int(rng.integers(len(OBJECTS)))

    with KnowledgeGraph.open(fresh(scratch, "long")) as lived:
        run = Run(lived)
        for _ in range(300):
            pick = int(rng.integers(6))
            run.play(
                [
                    ("ingest", pick, [spec() for _ in range(pick % 3 + 1)]),
                    ("add", spec()),
                    ("retract", pick),
                    ("edit", pick, spec()),
                    ("forget", pick),
                    ("undo",),
                    ("redo",),
                    ("look",),
                ][int(rng.integers(8))]
            )
        assert list(lived.verify()) == []
        with rebuilt(fresh(scratch, "rebuilt"), run.model) as anew:
            assert expansions(lived) == expansions(anew)
            assert lived.content_hash() == anew.content_hash()
