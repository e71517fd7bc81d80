"""The contract of `kg.store.Store` as tests, for whoever writes another one.

Subclass `StoreContract`, say how a store is made, and let pytest collect it:

    class TestMyStore(StoreContract):
        def make(self, folder):
            return MyStore(folder)

`make` says with `capabilities` what it cannot do; what rests on that is then not asked of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import numpy as np

from .errors import InputError, LedgerError, UnknownEntityError
from .model import Document, Mention, Name, Status, normalize, stable_id, text_hash
from .store import Edges, Store
from .testing_samples import AGAIN, ALL, FOUNDED, OWNS, document, edge_set, erase, put, raises


class StoreContract:
    """Every promise of the contract, one method each."""

    def make(self, folder: Path) -> Store:
        """A store kept in `folder`, which is empty the first time and may be opened again."""
        raise NotImplementedError

    def filled(self, folder: Path, documents: Sequence[Document] = ALL) -> Store:
        store = self.make(folder)
        for one in documents:
            put(store, one)
        return store

    # ---- documents

    def test_text_comes_back_from_its_chunks(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        source = put(store, FOUNDED, size=7)
        assert store.text(source.id) == FOUNDED.text
        for start, end in ((0, 5), (5, 9), (6, 8), (13, 30), (40, 51)):
            assert store.text(source.id, start, end) == FOUNDED.text[start:end]
        chunks = [chunk for _, chunk in store.chunks(source_id=source.id)]
        assert "".join(chunk.text for chunk in chunks) == FOUNDED.text
        assert all(store.chunk(chunk.id) == chunk and chunk.sha256 == text_hash(chunk.text) for chunk in chunks)
        assert store.source(source.id).length == len(FOUNDED.text)

    def test_spans_quote_the_text_across_chunk_borders(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        source = put(store, FOUNDED, size=7)
        (triple,) = store.triples()
        (span,) = triple.spans
        assert span.quote == FOUNDED.text[span.start : span.end] == store.text(source.id, span.start, span.end)
        assert store.chunk(span.chunk_id).start <= span.start < store.chunk(span.chunk_id).end

    def test_bad_documents_are_refused_whole(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [FOUNDED])
        before, seq = store.content_hash(), store.seq
        fact = OWNS.facts[0]
        for broken, telling in (
            (replace(OWNS, facts=(replace(fact, end=999),)), "999"),
            (replace(OWNS, facts=(replace(fact, start=5, end=5),)), "5-5"),
            (replace(OWNS, mentions=(Mention(Name("x"), -1, 3),)), "-1"),
            (replace(OWNS, facts=(replace(fact, subject=Name("  ")),)), "empty"),
            (replace(OWNS, facts=(replace(fact, confidence=math.nan),)), "nan"),
            (replace(OWNS, facts=(replace(fact, valid_from=date(2024, 1, 1), valid_to=date(2023, 1, 1)),)), "2023-01-01"),
            (replace(OWNS, text=OWNS.text[:-1] + "\udc80"), "Unicode"),
        ):
            with raises(InputError, telling):
                put(store, broken)
        for cuts in ([(0, 5, "text")], [(1, len(OWNS.text), "text")], [(0, 9, "text"), (8, len(OWNS.text), "text")]):
            with raises(InputError, "cut"), store.writing() as writer:
                writer.put_document(OWNS, cuts)
        assert (store.content_hash(), store.seq) == (before, seq)

    def test_order_of_documents_does_not_matter(self, tmp_path: Path) -> None:
        forward, backward = self.filled(tmp_path / "1"), self.filled(tmp_path / "2", ALL[::-1])
        assert forward.content_hash() == backward.content_hash()
        assert edge_set(forward, forward.edges()) == edge_set(backward, backward.edges())

    def test_deferred_resolution_gives_the_same_graph(self, tmp_path: Path) -> None:
        at_once, later = self.filled(tmp_path / "1"), self.make(tmp_path / "2")
        for one in ALL:
            with later.writing(defer_resolve=True) as writer:
                writer.put_document(one, [(0, len(one.text), "text")])
                writer.note("ingest", one.uri, {})
        assert later.unresolved > 0
        with later.writing():
            pass  # committing resolves what waits
        assert later.unresolved == 0
        assert edge_set(later, later.edges()) == edge_set(at_once, at_once.edges())

    def test_a_new_version_supersedes_and_revive_brings_back(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [OWNS])
        (first,) = store.sources(uri="b.txt")
        before = store.content_hash()
        second = put(store, document("b.txt", "Tarn Pumps owns nothing.", ("Tarn Pumps", "owns", "nothing")))
        assert [source.id for source in store.sources(uri="b.txt")] == [second.id]
        assert {source.id for source in store.sources(uri="b.txt", live=None)} == {first.id, second.id}
        assert store.source(first.id).retracted_at is not None
        assert store.text(first.id) == OWNS.text
        assert not store.search_text("Limited")
        with raises(UnknownEntityError):
            store.entity("Brightwater Labs Limited")
        with store.writing() as writer:
            writer.supersede(second.id)
            writer.revive(first.id)
            writer.note("undo", "b.txt", {})
        assert store.content_hash() == before
        assert store.search_text("Limited")

    def test_putting_the_same_bytes_again_replaces_the_facts(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "1", [OWNS])
        changed = replace(OWNS, facts=(replace(OWNS.facts[0], relation="holds"),))
        source = put(store, changed)
        assert [triple.relation.label for triple in store.triples()] == ["holds"]
        assert [one.id for one in store.sources(live=None)] == [source.id]
        assert store.content_hash() == self.filled(tmp_path / "2", [changed]).content_hash()

    def test_erasing_equals_never_having_read(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path / "1")
        before = store.content_hash(), edge_set(store, store.edges()), [hit.score for hit in store.search_text("Labs owns")]
        canary = document(
            "z.txt",
            "Zorbix Quandry hums at Brightwater Labs GmbH.",
            (Name("Zorbix Quandry", aliases=("Zorbixova",)), "hums at", "Brightwater Labs GmbH"),
        )
        source = put(store, canary)
        assert store.entity("Zorbixova").label == "Zorbix Quandry"
        erase(store, source.id)
        assert before == (
            store.content_hash(),
            edge_set(store, store.edges()),
            [hit.score for hit in store.search_text("Labs owns")],
        )
        assert not store.search_text("zorbix")
        assert not store.alias_rows("zorbixova")
        assert "z.txt" not in "".join(entry.summary for entry in store.ledger())
        with raises(InputError, source.id):
            store.source(source.id)
        if store.capabilities.durable:
            held = b"".join(path.read_bytes() for path in (tmp_path / "1").rglob("*") if path.is_file()).lower()
            assert b"zorbix" not in held
            assert b"quandr" not in held

    def test_document_gives_back_what_was_put(self, tmp_path: Path) -> None:
        store, copy = self.filled(tmp_path / "1"), self.make(tmp_path / "2")
        for source in store.sources():
            restored, cuts = store.document(source.id)
            with copy.writing() as writer:
                assert writer.put_document(restored, cuts).id == source.id
                writer.note("ingest", source.uri, {})
        assert copy.content_hash() == store.content_hash()

    # ---- transactions

    def test_an_exception_rolls_everything_back(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [FOUNDED])
        before, seq = store.content_hash(), store.seq
        with raises(ZeroDivisionError), store.writing() as writer:
            writer.put_document(OWNS, [(0, len(OWNS.text), "text")])
            writer.note("ingest", "b.txt", {})
            raise ZeroDivisionError
        assert (store.content_hash(), store.seq) == (before, seq)
        put(store, OWNS)  # the lock was given back

    def test_content_needs_exactly_one_note(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        with raises(LedgerError), store.writing() as writer:
            writer.put_document(OWNS, [(0, len(OWNS.text), "text")])
        with raises(LedgerError, "second"), store.writing() as writer:
            writer.note("ingest", "", {})
            writer.note("ingest", "", {})
        assert store.seq == 0
        assert not list(store.sources())
        with store.writing() as writer:
            writer.set_meta("file:a", "1")
        assert store.meta("file:") == {"file:a": "1"}
        assert store.seq == 0

    def test_readers_see_only_what_is_committed(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        with store.writing() as writer:
            writer.put_document(OWNS, [(0, len(OWNS.text), "text")])
            writer.note("ingest", "b.txt", {"uri": "b.txt"})
            assert not list(store.sources())
            assert not store.search_text("pumps")
            assert store.seq == 0
        assert len(list(store.sources())) == 1
        assert store.payload(1) == {"uri": "b.txt"}
        assert store.ledger()[0].action == "ingest"

    # ---- status, people's words

    def test_status_follows_the_spans(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [FOUNDED])
        (triple,) = store.triples()
        assert triple.status is Status.GROUNDED
        source = put(store, AGAIN)
        assert store.triple(triple.id).status is Status.AUDITED
        erase(store, source.id)
        assert store.triple(triple.id).status is Status.GROUNDED
        put(store, document("p.txt", "He owns it.", ("Orla Vance", "owns", "Tarn Pumps"), confidence=0.4))
        (weak,) = store.triples(subject=triple.subject.id, evidence_only=False, relation=_relation(store, "owns"))
        assert weak.status is Status.PROPOSED
        assert weak not in list(store.triples(evidence_only=True))

    def test_a_functional_relation_disputes_until_one_side_goes(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path)
        with store.writing() as writer:
            writer.set_functional("flag", True)
            writer.note("edit", "flag is functional", {})
        flags = list(store.triples(relation=_relation(store, "flag")))
        assert [triple.status for triple in flags] == [Status.DISPUTED] * 2
        with store.writing() as writer:
            writer.set_retracted(flags[0].id, True)
            writer.note("retract", "flag", {})
        assert store.triple(flags[0].id).status is Status.RETRACTED
        assert store.triple(flags[1].id).status is Status.GROUNDED

    def test_functional_facts_of_different_times_agree(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        text = "Brightwater Labs was run by Orla Vance and then by Ines Tarr."
        old, new = document("a", text, ("Brightwater Labs", "ceo", "Orla Vance"), ("Brightwater Labs", "ceo", "Ines Tarr")).facts
        day = date(2023, 6, 1)
        put(store, replace(document("a", text), facts=(replace(old, valid_to=day), replace(new, valid_from=day))))
        with store.writing() as writer:
            writer.set_functional("ceo", True)
            writer.note("edit", "", {})
        assert {triple.status for triple in store.triples()} == {Status.GROUNDED}
        (before,) = store.triples(valid_at=date(2023, 5, 31))
        (after,) = store.triples(valid_at=day)
        assert (before.object.label, after.object.label) == ("Orla Vance", "Ines Tarr")

    def test_a_mark_outranks_the_computed_status(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [FOUNDED])
        (triple,) = store.triples()
        for mark, expected in ((Status.PROPOSED, Status.PROPOSED), (Status.AUDITED, Status.AUDITED), (None, Status.GROUNDED)):
            with store.writing() as writer:
                writer.set_status(triple.id, mark)
                writer.note("audit", "", {})
            assert store.triple(triple.id).status is expected
            assert len(store.edges().triple) == (expected is not Status.PROPOSED)

    def test_names_merge_and_a_person_outranks_the_rules(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [FOUNDED, OWNS])
        ids = [store.entity("Orla Vance").id, store.entity("Tarn Pumps").id]
        assert store.entity("Brightwater Labs Ltd") == store.entity("Brightwater Labs Limited")
        before = store.content_hash()
        (founded,) = store.triples(relation=_relation(store, "founded"))
        members = {fact.object for fact in FOUNDED.facts} | {fact.subject for fact in OWNS.facts}
        parted = [store.row_of(_entity_id(name)) for name in members if isinstance(name, Name)]
        assert len(set(parted)) == 1
        for first, second, same, joined in (
            (*(_entity_id(name) for name in members if isinstance(name, Name)), False, False),
            (*ids, True, True),
        ):
            with store.writing() as writer:
                writer.set_link(str(first), str(second), bool(same))
                writer.note("merge", "", {})
            assert (store.row_of(str(first)) == store.row_of(str(second))) is joined
            assert store.content_hash() != before
            with store.writing() as writer:
                writer.set_link(str(first), str(second), None)
                writer.note("undo", "", {})
            assert store.content_hash() == before
        assert store.triple(founded.id) == founded

    # ---- names, search

    def test_entities_are_found_by_id_iri_label_and_alias(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        name = Name("Brightwater Labs", "company", "http://example.org/bw", ("BWL",))
        put(store, document("a.ttl", "Brightwater Labs owns Tarn Pumps.", (name, "owns", "Tarn Pumps")))
        entity = store.entity("http://example.org/bw")
        assert entity == store.entity("BWL") == store.entity("brightwater  LABS") == store.entity(entity.id)
        assert (entity.label, entity.type, entity.aliases) == ("Brightwater Labs", "company", ("BWL",))
        assert store.alias_rows("bwl") == [store.row_of(entity.id)]
        assert [one.label for one in store.entities(prefix="bright")] == ["Brightwater Labs"]
        names, last = store.names()
        assert sorted(names) == ["brightwater labs", "bwl", "tarn pumps"]
        put(store, document("b.ttl", "Orla Vance owns Tarn Pumps.", ("Orla Vance", "owns", "Tarn Pumps")))
        assert sorted(store.names(last)[0]) == ["orla vance", "tarn pumps"]
        assert store.names(store.names()[1])[0] == []
        assert store.support(entity.id) == {"triples": 1, "mentions": 1, "chunks": 1, "sources": 1}
        with raises(UnknownEntityError, "Brightwater Labs"):
            store.entity("Brightwater Lebs")

    def test_any_string_is_a_query(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path)
        for query in (
            "",
            "   ",
            '"',
            "C++ AND",
            "NEAR(",
            "*",
            "foo-bar",
            "what's up?",
            "a OR",
            "\x00",
            "col:x",
            "who is the",
            "İ ß",
        ):
            assert isinstance(store.search_text(query), list)
        best = store.search_text("who founded the labs?", 1)[0]
        ((_, chunk),) = store.chunks([best.chunk])
        assert "founded" in chunk.text
        assert len(store.search_text("Brightwater", 2)) == 2

    # ---- history, derived indexes

    def test_known_at_answers_from_history(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        moments: list[tuple[datetime, set[int], set[str]]] = []
        first = put(store, FOUNDED)
        moments.append(_now(store))
        put(store, OWNS)
        moments.append(_now(store))
        with store.writing() as writer:
            writer.supersede(first.id)
            writer.note("update", "", {})
        moments.append(_now(store))
        with store.writing() as writer:
            writer.revive(first.id)
            writer.set_retracted(next(iter(store.triples())).id, True)
            writer.note("undo", "", {})
        for at, edges, triples in moments:
            assert {triple.id for triple in store.triples(known_at=at)} == triples
            assert set(store.edges(known_at=at).triple.tolist()) == edges
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        assert not list(store.triples(known_at=long_ago))
        assert len(store.history(store.entity("Orla Vance").id)) == 1

    def test_changes_since_lead_from_any_past_to_now(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        known: dict[int, tuple[dict[int, tuple[int, ...]], set[int]]] = {}
        steps: list[Callable[[], object]] = [partial(put, store, one) for one in ALL]
        steps += [
            lambda: erase(store, next(store.sources(uri="b.txt")).id),
            partial(_retract_first, store),
            partial(put, store, OWNS),
        ]
        for step in steps:
            step()
            known[store.seq] = _edge_rows(store.edges()), {row for row, _ in store.chunks()}
        now_edges, now_chunks = known[store.seq]
        for seq, (edges, chunks) in known.items():
            changes = store.changes_since(seq)
            assert changes is not None
            assert changes.seq == store.seq
            gone = set(changes.edges_gone.tolist())
            assert {row: edge for row, edge in edges.items() if row not in gone} | _edge_rows(changes.edges) == now_edges
            assert (chunks - set(changes.chunks_gone.tolist())) | set(changes.chunks_new.tolist()) == now_chunks
        assert store.changes_since(store.seq + 1) is None

    def test_vectors_are_kept_by_text_and_forgotten_with_it(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        source = put(store, OWNS, size=20)
        rows = np.array([row for row, _ in store.chunks()])
        vectors = np.arange(len(rows) * 4, dtype=np.float32).reshape(-1, 4)
        store.put_vectors("m", rows[:2], vectors[:2])
        found, kept = store.vectors("m", rows)
        assert found.tolist() == [True, True, *[False] * (len(rows) - 2)]
        assert np.array_equal(kept, vectors[:2])
        with raises(InputError, "finite"):
            store.put_vectors("m", rows[:1], np.array([[np.nan, 0, 0, 0]], dtype=np.float32))
        erase(store, source.id)
        put(store, OWNS, size=20)
        assert not store.vectors("m", np.array([row for row, _ in store.chunks()]))[0].any()

    def test_mentions_join_entities_and_chunks(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path, [FOUNDED])
        nodes, chunks = store.mentions()
        assert {node.label for node in store.nodes(nodes)} == {"Orla Vance", "Brightwater Labs Ltd"}
        assert store.labels(nodes[::-1]) == [node.label for node in store.nodes(nodes[::-1])]
        with raises(InputError, "no node"):
            store.labels([10**9])
        assert set(chunks.tolist()) <= {row for row, _ in store.chunks()}

    def test_a_sound_store_verifies(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path)
        erase(store, next(iter(store.sources())).id)
        assert list(store.verify()) == []

    def test_reopening_shows_the_same_content(self, tmp_path: Path) -> None:
        store = self.filled(tmp_path)
        if store.capabilities.durable:
            before, identity = store.content_hash(), store.identity
            store.close()
            again = self.make(tmp_path)
            assert (again.content_hash(), again.identity) == (before, identity)


def _relation(store: Store, label: str) -> str:
    return next(relation.id for _, relation in store.relations() if relation.label == label)


def _entity_id(name: Name) -> str:
    return stable_id("e", normalize(name.label), name.type)


def _now(store: Store) -> tuple[datetime, set[int], set[str]]:
    return store.ledger(1)[0].at, set(store.edges().triple.tolist()), {triple.id for triple in store.triples()}


def _retract_first(store: Store) -> None:
    with store.writing() as writer:
        writer.set_retracted(next(iter(store.triples())).id, True)
        writer.note("retract", "", {})


def _edge_rows(edges: Edges) -> dict[int, tuple[int, ...]]:
    return {int(row): tuple(int(value) for value in rest) for row, *rest in zip(*edges)}
