"""Ingestion end to end: order, resuming, skipping, replacing, reporting. Fault test F01."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hoptrace.kg.errors import ParseError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.ingest.extract import Extraction
from hoptrace.kg.ingest.pipeline import ingest
from hoptrace.kg.ingest.report import ProgressEvent
from hoptrace.kg.ingest.rules import RuleExtractor
from hoptrace.kg.ingest.workers import extracted
from hoptrace.kg.model import Document, Fact, Name

PEOPLE = ["Orla Vance", "Jon Vell", "Edda Morrow", "Nadia Crest", "Ulf Tarnvik"]


class Counting:
    """An extractor that says what it was asked and states one fact per document."""

    name = "counting"

    def __init__(self, version: str = "1", fails_on: str = "\0") -> None:
        self.version, self.seen, self.fails_on = version, [], fails_on

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        self.seen += [document.uri for document in documents]
        if any(self.fails_on in document.text for document in documents):
            raise RecursionError("too deep")
        return [((Fact(Name(d.uri), f"read by {self.version}", Name("it"), 0, len(d.text)),), ()) for d in documents]


def corpus(folder: Path, passages: int = 12) -> Path:
    docs = folder / "docs"
    (docs / "set").mkdir(parents=True, exist_ok=True)
    lines = [
        {"pid": f"p{i}", "title": f"Firm {i}", "text": f"Firm {i} Ltd was founded by {person} in {1990 + i}. It sits in Tarn."}
        for i, person in enumerate((PEOPLE * passages)[:passages])
    ]
    (docs / "set" / "passages.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (docs / "set" / "questions.jsonl").write_text('{"id": "q", "question": "?", "answer": "SECRET ANSWER"}\n')
    (docs / "a.md").write_text("# Tarn\n\nTarn is a port. Orla Vance chairs Firm 1 Limited.\n")
    (docs / "firms.csv").write_text("company,city\nFirm 1,Tarn\nFirm 2,Ellund\n")
    (docs / ".hidden.txt").write_text("HIDDEN")
    return docs


@pytest.fixture
def kg(tmp_path: Path):
    with KnowledgeGraph.open(tmp_path / "graph.kg") as graph:
        yield graph


def test_everything_goes_in_once_and_is_found(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    report = kg.ingest([docs])
    assert (report.files, report.added, report.removed, report.quarantined) == (3, 14, 0, [])
    assert report.chunks == sum(1 for _ in kg.store.chunks())
    assert (report.triples, report.llm_calls) == (kg.stats()["triples"], 0)
    assert {source.uri for source in kg.store.sources()} >= {"docs/a.md", "docs/firms.csv", "docs/set/passages.jsonl#p3"}
    assert kg.store.search_text("founded")
    assert not kg.store.search_text("SECRET") and not kg.store.search_text("HIDDEN")  # noqa: PT018
    assert any("questions.jsonl" in line for line in report.skipped)
    assert not list(kg.verify())
    assert kg.store.unresolved == 0


def test_a_second_run_reads_nothing(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs, extractor = corpus(tmp_path), Counting()
    kg.ingest([docs], extractor=extractor)
    before, extractor.seen, seq = kg.content_hash(), [], kg.store.seq
    report = kg.ingest([docs, str(docs / "*.md")], extractor=extractor)
    assert (report.files, report.unchanged_files, report.unchanged, report.added) == (0, 3, 14, 0)
    assert (extractor.seen, kg.content_hash(), kg.store.seq) == ([], before, seq)


def test_changed_new_and_gone_documents(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs, extractor = corpus(tmp_path), Counting()
    kg.ingest([docs], extractor=extractor)
    passages = docs / "set" / "passages.jsonl"
    lines = passages.read_text().splitlines()
    changed = lines[0].replace("Tarn", "Ellund")
    passages.write_text("\n".join([changed, *lines[2:], '{"pid": "new", "title": "New", "text": "New is new."}']) + "\n")
    extractor.seen = []
    report = kg.ingest([docs], extractor=extractor)
    assert (report.added, report.updated, report.removed, report.unchanged) == (1, 1, 1, 12)
    assert sorted(extractor.seen) == ["docs/set/passages.jsonl#new", "docs/set/passages.jsonl#p0"]
    with KnowledgeGraph.open(tmp_path / "fresh.kg") as fresh:
        fresh.ingest([docs], extractor=extractor)
        assert fresh.content_hash() == kg.content_hash()
    kg.undo()  # the last entry is the removal
    assert list(kg.store.sources(uri="docs/set/passages.jsonl#p1"))


def test_a_forgotten_document_comes_back_when_its_file_is_read_again(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    kg.ingest([docs])
    before = kg.content_hash()
    kg.forget("docs/set/passages.jsonl#p1")
    assert kg.ingest([docs]).added == 1
    assert kg.content_hash() == before


def test_another_extractor_reads_again(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    kg.ingest([docs], extractor=Counting("1"))
    second = Counting("2")
    kg.ingest([docs], extractor=second)
    assert len(second.seen) == 13  # all but the table
    assert {relation.label for _, relation in kg.store.relations() if relation.label.startswith("read")} >= {"read by 2"}
    with KnowledgeGraph.open(tmp_path / "fresh.kg") as fresh:
        fresh.ingest([docs], extractor=Counting("2"))
        assert fresh.content_hash() == kg.content_hash()


KILLED = """
import os, signal, sys
from hoptrace.kg.graph import KnowledgeGraph

def progress(event):
    if event.documents == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

KnowledgeGraph.open(sys.argv[1]).ingest([sys.argv[2]], progress=progress)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_run_resumed_equals_an_uninterrupted_one(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    kg.ingest([docs])
    expected = kg.content_hash()
    for documents in (1, 2, 7, 14):  # in the first file, between files, inside the passages, before resolution
        path = tmp_path / f"killed{documents}.kg"
        child = subprocess.run([sys.executable, "-c", KILLED, str(path), str(docs), str(documents)], check=False)
        assert child.returncode == -signal.SIGKILL
        with KnowledgeGraph.open(path) as killed:
            assert sum(1 for _ in killed.store.sources()) == documents
            report = killed.ingest([docs])
            assert report.added == 14 - documents
            assert killed.content_hash() == expected
            assert not list(killed.verify())


def test_quarantine_keeps_what_is_wrong_until_it_is_right(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path, passages=2)
    (docs / "bad.txt").write_bytes(bytes(range(256)))
    passages = docs / "set" / "passages.jsonl"
    passages.write_text(passages.read_text() + '{"pid": NaN}\n')
    report = kg.ingest([docs])
    assert report.added == 4
    assert {(error.uri, error.line) for error in report.quarantined} == {("docs/bad.txt", 2), ("docs/set/passages.jsonl", 3)}
    kept = [json.loads(line) for line in (kg.path / "quarantine.jsonl").read_text().splitlines()]
    assert {(item["uri"], item["line"]) for item in kept} == {("docs/bad.txt", 2), ("docs/set/passages.jsonl", 3)}
    assert all(item["reason"] and item["at"] for item in kept)
    (docs / "bad.txt").write_text("Now it is text.")
    assert kg.ingest([docs]).added == 1
    kept = [json.loads(line) for line in (kg.path / "quarantine.jsonl").read_text().splitlines()]
    assert [item["uri"] for item in kept] == ["docs/set/passages.jsonl"]


def test_strict_raises_the_first_broken_item(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    (docs / "set" / "passages.jsonl").write_text('{"pid": "1", "title": "A", "text": "Good."}\n{\n')
    with pytest.raises(ParseError) as caught:
        kg.ingest([docs], strict=True)
    assert (caught.value.uri, caught.value.line, caught.value.exit_code) == ("docs/set/passages.jsonl", 2, 65)


def test_a_broken_file_keeps_what_was_known_of_it(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    kg.ingest([docs])
    before = kg.content_hash()
    (docs / "a.md").write_bytes(b"\x00\x01\x02")
    report = kg.ingest([docs])
    assert [error.uri for error in report.quarantined] == ["docs/a.md"]
    assert kg.content_hash() == before


def test_a_document_the_extractor_fails_on_is_kept_without_facts(tmp_path: Path, kg: KnowledgeGraph) -> None:
    report = kg.ingest([corpus(tmp_path)], extractor=Counting(fails_on="Firm 3 Ltd"))
    assert report.added == 14
    assert [line for line in report.warnings if "p3" in line and "RecursionError" in line]
    assert kg.store.search_text("1993")


def test_dry_run_counts_and_writes_nothing(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs, extractor = corpus(tmp_path), Counting()
    plan = kg.ingest([docs], dry_run=True, extractor=extractor)
    assert (extractor.seen, kg.store.seq) == ([], 0)
    done = kg.ingest([docs], extractor=extractor)
    assert (plan.files, plan.added, plan.chunks, plan.characters) == (done.files, done.added, done.chunks, done.characters)
    assert plan.llm_tokens_saved > 0
    assert "would read 3 files" in str(plan)
    assert kg.ingest([docs], dry_run=True, extractor=extractor).unchanged_files == 3


def test_progress_rises_to_the_end(tmp_path: Path, kg: KnowledgeGraph) -> None:
    events: list[ProgressEvent] = []
    kg.ingest([corpus(tmp_path)], progress=events.append)
    assert events[-1].documents == 14
    assert events[-1].done == events[-1].total > 0
    assert all(a.done <= b.done for a, b in pairwise(events))
    assert events[-1].triples > 0


def test_order_does_not_depend_on_how_paths_are_given(tmp_path: Path, kg: KnowledgeGraph) -> None:
    docs = corpus(tmp_path)
    ingest(kg, [docs / "firms.csv", docs / "a.md", docs / "set"])
    with KnowledgeGraph.open(tmp_path / "other.kg") as other:
        ingest(other, [docs])
        assert other.content_hash() == kg.content_hash()
        assert [entry.summary for entry in other.store.ledger()] == [entry.summary for entry in kg.store.ledger()]


def test_uris_follow_the_graph_and_not_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kg: KnowledgeGraph
) -> None:
    docs = corpus(tmp_path)
    monkeypatch.chdir(docs)
    assert kg.ingest(["a.md"]).added == 1
    monkeypatch.chdir(tmp_path)
    assert kg.ingest(["docs/a.md"]).unchanged_files == 1


def test_parallel_extraction_equals_extraction_in_this_process() -> None:
    texts = [f"Firm {i} was founded in {1900 + i} by {PEOPLE[i % 5]}. It acquired Vell AS on 4 May 2022." for i in range(60)]
    items = [(i, Document(f"d{i}", "text/plain", text, str(i)), i % 7 > 0) for i, text in enumerate(texts)]
    items.insert(30, (-1, None, False))
    warnings: list[str] = []
    here = list(extracted(items, RuleExtractor(), parallel=False, warnings=warnings))
    assert list(extracted(items, RuleExtractor(), parallel=True, warnings=warnings)) == here
    assert not warnings
    # How documents are grouped must not matter, or a resumed run would differ.
    alone = [RuleExtractor().extract([document])[0][0] for _, document, wanted in items if document and wanted]
    assert [document.facts for (_, document), (_, _, wanted) in zip(here, items) if document and wanted] == alone
