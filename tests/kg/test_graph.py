"""The facade: editing with undo, names and errors, time travel, and a doctor that notices."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hoptrace.kg.doctor import check
from hoptrace.kg.errors import (
    InputError,
    LedgerError,
    MissingPathError,
    StorageError,
    UnknownEntityError,
    UnknownRelationError,
)
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Document, Fact, Literal, Mention, Name, Source, Status, text_hash


@pytest.fixture
def kg(tmp_path: Path) -> Iterator[KnowledgeGraph]:
    with KnowledgeGraph.open(tmp_path / "a.kg") as graph:
        yield graph


def write(kg: KnowledgeGraph, uri: str, *facts: tuple[str, str, str]) -> Source:
    """A document with one sentence per fact."""
    found, mentions, text = [], [], ""
    for subject, relation, object_ in facts:
        start, sentence = len(text), f"{subject} {relation} {object_}. "
        found.append(Fact(Name(subject), relation, Name(object_), start, start + len(sentence) - 1))
        mentions.append(Mention(Name(subject), start, start + len(subject)))
        text += sentence
    document = Document(uri, "text/plain", text, text_hash(text), facts=tuple(found), mentions=tuple(mentions))
    return kg.write_document(document, [(0, len(text), "text")])


def edges(kg: KnowledgeGraph) -> list[str]:
    return sorted(str(triple) for triple in kg.triples(evidence_only=True))


# ---- opening


def test_open_says_what_is_wrong_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"none\.kg"):
        KnowledgeGraph.open(tmp_path / "none.kg", create=False)
    with pytest.raises(MissingPathError):
        KnowledgeGraph.open(tmp_path, read_only=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        KnowledgeGraph.open(tmp_path / "file")
    assert not (tmp_path / "none.kg").exists()


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "a.kg") as kg:
        write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
        before = kg.content_hash()
    with KnowledgeGraph.open(tmp_path / "a.kg", read_only=True) as kg:
        assert kg.content_hash() == before
        assert edges(kg) == ["Orla — founded → Brightwater"]
        assert kg.adjacency().edge_count == 1
        assert not (tmp_path / "a.kg" / "derived").exists()
        with pytest.raises(StorageError):
            kg.add("Orla", "founded", "Halden")


# ---- documents


def test_the_same_document_again_changes_nothing(kg: KnowledgeGraph) -> None:
    first = write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    seq = kg.store.seq
    assert write(kg, "a.txt", ("Orla", "founded", "Brightwater")).id == first.id
    assert kg.store.seq == seq


def test_new_facts_for_the_same_text_replace_the_old_ones(kg: KnowledgeGraph) -> None:
    text = "Orla founded Brightwater."
    for relation in ("founded", "owns"):
        fact = Fact(Name("Orla"), relation, Name("Brightwater"), 0, len(text))
        kg.write_document(Document("a.txt", "text/plain", text, text_hash(text), facts=(fact,)), [(0, len(text), "text")])
    assert [triple.relation.label for triple in kg.triples()] == ["owns"]
    with pytest.raises(LedgerError, match="cannot be undone"):
        kg.undo()


def test_undo_of_ingest_and_of_update(kg: KnowledgeGraph) -> None:
    empty = kg.content_hash()
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    first = kg.content_hash()
    write(kg, "a.txt", ("Orla", "founded", "Halden"))
    second = kg.content_hash()
    kg.undo()
    assert kg.content_hash() == first
    assert edges(kg) == ["Orla — founded → Brightwater"]
    kg.undo()
    assert kg.content_hash() == empty
    kg.redo()
    kg.redo()
    assert kg.content_hash() == second
    with pytest.raises(LedgerError, match="nothing to redo"):
        kg.redo()


def test_a_document_undone_and_read_again_lives(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    before = kg.content_hash()
    kg.undo()
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    assert kg.content_hash() == before


def test_undo_out_of_order_is_refused_when_something_stands_in_the_way(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    write(kg, "b.txt", ("Bo", "founded", "Cargo"))
    write(kg, "a.txt", ("Orla", "founded", "Halden"))
    with pytest.raises(LedgerError, match="changed since"):
        kg.undo(1)
    kg.undo(2)
    assert edges(kg) == ["Orla — founded → Halden"]
    with pytest.raises(LedgerError, match="already undone"):
        kg.undo(2)
    with pytest.raises(LedgerError, match="no ledger entry 99"):
        kg.undo(99)


def test_redo_is_refused_after_another_change(kg: KnowledgeGraph) -> None:
    kg.add("Orla", "founded", "Brightwater")
    kg.undo()
    kg.add("Bo", "founded", "Cargo")
    with pytest.raises(LedgerError, match="nothing to redo"):
        kg.redo()


def test_nothing_to_undo(kg: KnowledgeGraph) -> None:
    with pytest.raises(LedgerError, match="nothing to undo"):
        kg.undo()


def test_forget_erases_all_versions_and_every_trace(kg: KnowledgeGraph) -> None:
    write(kg, "keep.txt", ("Bo", "founded", "Cargo"))
    before = kg.content_hash()
    write(kg, "secret/zanzibar.txt", ("Quillfeather", "founded", "Brightwater"))
    triple = next(kg.triples(subject="Quillfeather"))
    kg.retract(triple.id, "Quillfeather asked")
    kg.undo()
    kg.edit(triple.id, object="Wexcombe")
    write(kg, "secret/zanzibar.txt", ("Quillfeather", "sold", "Brightwater"))
    assert kg.forget("secret/zanzibar.txt") == 2
    human = [source.uri for source in kg.sources() if source.kind == "human"]
    assert kg.forget(human[0]) == 1
    assert kg.content_hash() == before
    told = [entry.summary for entry in kg.ledger()] + [json.dumps(kg.store.payload(entry.seq)) for entry in kg.ledger()]
    assert not [line for line in told if "Quillfeather" in line or "zanzibar" in line]
    kg.close()
    raw = b"".join(path.read_bytes() for path in kg.path.rglob("*") if path.is_file())
    assert b"Quillfeather" not in raw
    assert b"quillfeather" not in raw


def test_forget_cannot_be_undone_and_says_so(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    kg.forget("a.txt")
    with pytest.raises(LedgerError, match="cannot be undone"):
        kg.undo()
    with pytest.raises(LedgerError, match="forgotten"):
        kg.undo(1)


def test_forget_takes_an_id_and_suggests_names(kg: KnowledgeGraph) -> None:
    source = write(kg, "report.txt", ("Orla", "founded", "Brightwater"))
    with pytest.raises(InputError, match=r"nearest: 'report\.txt'"):
        kg.forget("reprot.txt")
    assert kg.forget(source.id) == 1
    assert edges(kg) == []


# ---- statements


def test_a_taught_fact_is_cited_from_its_own_source(kg: KnowledgeGraph) -> None:
    triple = kg.add("Orla Vance", "founded", "Brightwater Labs", note="told by phone", valid_from=date(2019, 1, 1))
    assert triple.status is Status.AUDITED
    (span,) = triple.spans
    assert span.quote == "Orla Vance founded Brightwater Labs, from 2019-01-01."
    assert kg.text(span.source_id) == span.quote + "\ntold by phone"
    assert kg.text(span.source_id, span.start, span.end) == span.quote
    assert kg.store.source(span.source_id).kind == "human"
    assert kg.support("Orla Vance")["sources"] == 1


def test_teaching_the_same_twice_is_one_source(kg: KnowledgeGraph) -> None:
    first = kg.add("Orla", "founded", "Brightwater")
    assert kg.add("Orla", "founded", "Brightwater").id == first.id
    assert kg.store.seq == 1
    kg.add("Orla", "founded", "Brightwater", note="again, from the register")
    assert len(kg.triple(first.id).spans) == 2


@pytest.mark.parametrize(
    ("value", "datatype", "text"),
    [(True, "boolean", "true"), (1200, "integer", "1200"), (1.5, "decimal", "1.5"), (date(2020, 2, 3), "date", "2020-02-03")],
)
def test_values_become_typed_literals(kg: KnowledgeGraph, value: object, datatype: str, text: str) -> None:
    triple = kg.add("Brightwater", "figure", value)  # type: ignore[arg-type]
    assert triple.object == Literal(text, datatype)
    assert [found.id for found in kg.triples(object=Literal(text, datatype))] == [triple.id]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, [1], "", "  "])
def test_what_is_no_value_is_refused(kg: KnowledgeGraph, value: object) -> None:
    with pytest.raises(InputError):
        kg.add("Brightwater", "figure", value)  # type: ignore[arg-type]
    assert kg.store.seq == 0


def test_an_end_before_the_start_is_refused(kg: KnowledgeGraph) -> None:
    with pytest.raises(InputError, match="not after"):
        kg.add("Orla", "chairs", "Brightwater", valid_from=date(2020, 1, 1), valid_to=date(2020, 1, 1))


def test_edit_replaces_in_one_step_and_undoes_in_one(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    triple = next(kg.triples())
    before, seq = kg.content_hash(), kg.store.seq
    new = kg.edit(triple.id, object="Halden", valid_from=date(2020, 1, 1))
    assert kg.store.seq == seq + 1
    assert edges(kg) == ["Orla — founded → Halden"]
    assert new.valid_from == date(2020, 1, 1)
    assert kg.triple(triple.id).status is Status.RETRACTED
    kg.undo()
    assert kg.content_hash() == before
    assert edges(kg) == ["Orla — founded → Brightwater"]
    kg.redo()
    assert edges(kg) == ["Orla — founded → Halden"]
    opened = kg.edit(new.id, valid_from=None)
    assert opened.valid_from is None
    with pytest.raises(LedgerError, match="changes nothing"):
        kg.edit(opened.id, object="Halden")
    with pytest.raises(InputError):
        kg.edit("t0123456789abcdef", object="Halden")


def test_retract_outlives_new_support_until_it_is_taught_again(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    triple = next(kg.triples())
    kg.retract(triple.id, "wrong company")
    write(kg, "b.txt", ("Orla", "founded", "Brightwater"))
    assert edges(kg) == []
    with pytest.raises(LedgerError, match="already retracted"):
        kg.retract(triple.id)
    kg.add("Orla", "founded", "Brightwater")
    assert edges(kg) == ["Orla — founded → Brightwater"]
    kg.undo()
    assert edges(kg) == []
    kg.undo()
    kg.undo()
    assert edges(kg) == ["Orla — founded → Brightwater"]


def test_functional_relations_dispute_and_audit_decides(kg: KnowledgeGraph) -> None:
    one = kg.add("MV Petrel", "flag", "Malta", functional=True)
    two = kg.add("MV Petrel", "flag", "Panama")
    assert {kg.triple(one.id).status, kg.triple(two.id).status} == {Status.DISPUTED}
    assert kg.audit(one.id, "audited").status is Status.AUDITED
    kg.undo()
    assert kg.triple(one.id).status is Status.DISPUTED
    kg.undo()
    kg.undo()
    assert not any(relation.functional for relation in kg.relations())
    with pytest.raises(InputError, match="accepted"):
        kg.audit(one.id, "accepted")


def test_marks_are_undone_to_the_mark_before(kg: KnowledgeGraph) -> None:
    triple = kg.add("Orla", "founded", "Brightwater")
    kg.audit(triple.id, Status.PROPOSED)
    kg.audit(triple.id, Status.DISPUTED)
    kg.undo()
    assert kg.triple(triple.id).status is Status.PROPOSED
    kg.undo()
    assert kg.triple(triple.id).status is Status.AUDITED
    kg.redo()
    assert kg.triple(triple.id).status is Status.PROPOSED


def test_merge_split_and_their_undo(kg: KnowledgeGraph) -> None:
    kg.add("Halden Marine", "owns", "MV Petrel")
    kg.add("Petrel Shipping", "located in", "Oslo")
    before = kg.content_hash()
    merged = kg.merge("Halden Marine", "Petrel Shipping")
    assert {"Halden Marine", "Petrel Shipping"} <= {merged.label, *merged.aliases}
    assert len(kg.history("Petrel Shipping")) == 2
    reached = kg.adjacency().groups(np.array([kg.store.row_of(merged.id)]))
    assert len(reached.relation) == 2
    kg.undo()
    assert kg.content_hash() == before
    assert kg.entity("Petrel Shipping").id != kg.entity("Halden Marine").id
    with pytest.raises(LedgerError, match="itself"):
        kg.merge("Halden Marine", "Halden Marine")


# ---- reading


def test_unknown_names_are_named_with_the_nearest(kg: KnowledgeGraph) -> None:
    kg.add("Orla Vance", "founded", "Brightwater")
    with pytest.raises(UnknownEntityError, match="Orla Vance"):
        kg.entity("Orla Vence")
    with pytest.raises(UnknownRelationError, match="nearest: 'founded'"):
        list(kg.triples(relation="fonded"))
    with pytest.raises(UnknownEntityError, match="neither an entity nor a value"):
        list(kg.triples(object="Nowhere"))
    with pytest.raises(InputError):
        kg.triple("t0123456789abcdef")


def test_triples_by_label_id_and_wildcard(kg: KnowledgeGraph) -> None:
    one = kg.add("Orla", "founded", "Brightwater")
    kg.add("Bo", "founded", "Cargo")
    assert [t.id for t in kg.triples(subject="Orla")] == [one.id]
    assert [t.id for t in kg.triples(object=one.object.id, relation="Founded")] == [one.id]
    assert len(list(kg.triples(relation="founded"))) == 2


def test_as_of_filters_by_day_and_by_belief(kg: KnowledgeGraph) -> None:
    kg.add("MV Petrel", "flag", "Malta", valid_to=date(2020, 1, 1))
    kg.add("MV Petrel", "flag", "Panama", valid_from=date(2020, 1, 1))
    known = kg.ledger(1)[0].at
    kg.add("MV Petrel", "flag", "Cyprus", valid_from=date(2022, 1, 1))
    row = np.array([kg.store.row_of(kg.entity("MV Petrel").id)])

    def flags(day: str, **when: object) -> tuple[list[str], int]:
        view = kg.as_of(day, **when)  # type: ignore[arg-type]
        _, expansion = view.adjacency().expand(row, day=view.ordinal)
        return sorted(t.object.label for t in view.triples()), len(expansion.triple)

    assert flags("2019-12-31") == (["Malta"], 1)
    assert flags("2020-01-01") == (["Panama"], 1)
    assert flags("2023-01-01") == (["Cyprus", "Panama"], 2)
    assert flags("2023-01-01", known_at=known) == (["Panama"], 1)
    with pytest.raises(InputError, match="YYYY-MM-DD"):
        kg.as_of("last year")


def test_the_adjacency_follows_every_edit_without_a_rebuild(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    triple = kg.add("Orla", "founded", "Brightwater")
    assert kg.adjacency().edge_count == 1

    def rebuilt(**_: object) -> None:
        raise RuntimeError("read all edges again")

    monkeypatch.setattr(kg.store, "edges", rebuilt)
    kg.add("Bo", "founded", "Cargo")
    assert kg.adjacency().edge_count == 2
    kg.retract(triple.id)
    assert kg.adjacency().edge_count == 1
    kg.undo()
    assert kg.adjacency().edge_count == 2
    assert kg.adjacency() is kg.adjacency()


def test_a_derived_folder_of_another_graph_is_not_believed(kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.add("Orla", "founded", "Brightwater")
    with KnowledgeGraph.open(tmp_path / "b.kg") as other:
        other.add("Bo", "sold", "Cargo")
        other.add("Bo", "sold", "Dinghy")
        other.adjacency()
    (tmp_path / "b.kg" / "derived").rename(kg.path / "derived")
    assert kg.adjacency().edge_count == 1


# ---- health


def test_a_sound_graph_has_nothing_but_facts(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    kg.adjacency()
    findings = check(kg, verify=True)
    assert {finding.severity for finding in findings} == {"info"}
    assert any("1 of 1 spans" in finding.what for finding in findings)
    assert kg.stats()["triples"] == kg.stats()["grounded"] == 1
    assert list(kg.verify()) == []


def test_the_doctor_names_and_mends_a_damaged_index(kg: KnowledgeGraph) -> None:
    write(kg, "a.txt", ("Orla", "founded", "Brightwater"))
    kg.adjacency()
    path = next((kg.path / "derived" / "graph").glob("gen-*/neighbor.npy"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    (finding,) = [finding for finding in check(kg) if finding.severity == "warning"]
    assert finding.where == "derived/graph"
    assert "damaged" in finding.what
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        findings = check(kg, repair=True)
    assert {finding.severity for finding in findings} == {"info"}


def test_the_doctor_names_another_writer(kg: KnowledgeGraph) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom hoptrace.kg.sqlite import SQLiteStore\n"
        "with SQLiteStore(Path(sys.argv[1])).writing():\n    print('writing', flush=True)\n    sys.stdin.read()\n"
    )
    kg.add("Orla", "founded", "Brightwater")
    child = subprocess.Popen([sys.executable, "-c", script, kg.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "writing\n"
        (finding,) = [finding for finding in check(kg) if finding.severity == "warning"]
        assert f"pid {child.pid}" in finding.what
    finally:
        child.communicate()


def test_the_doctor_sees_names_that_wait(kg: KnowledgeGraph) -> None:
    text = "Orla founded Brightwater."
    fact = Fact(Name("Orla"), "founded", Name("Brightwater"), 0, len(text))
    document = Document("a.txt", "text/plain", text, text_hash(text), facts=(fact,))
    kg.write_document(document, [(0, len(text), "text")], defer_resolve=True)
    assert [finding.where for finding in check(kg) if finding.severity == "warning"] == ["kg.sqlite"]
    check(kg, repair=True)
    assert kg.store.unresolved == 0


def test_importing_the_package_is_light() -> None:
    heavy = "{'numpy', 'rdflib', 'networkx', 'pandas', 'torch', 'faiss'}"
    code = f"import sys, hoptrace.kg; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_forgetting_takes_kept_answers_along(tmp_path: Path) -> None:
    note = tmp_path / "é.txt"
    note.write_text("Orla Vance founded Brightwater Labs.", "utf-8")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        kg.ingest([note])
        (uri,) = [source.uri for source in kg.sources()]
        log = tmp_path / "kg" / "answers.jsonl"
        log.write_text(json.dumps({"citations": [{"source": uri}]}) + '\n{"citations": []}\n', "utf-8")
        kg.forget(uri)
        assert log.read_text("utf-8") == '{"citations": []}\n'
