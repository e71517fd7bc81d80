"""Bad input ends in a typed one-line error or in quarantine; nothing else is lost. Fault tests F05, F06, F14, F15."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hoptrace.kg.errors import HoptraceError, InputError, MissingPathError, ParseError, UnsupportedFormatError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.ingest.loaders import FORMATS, load
from hoptrace.kg.ingest.report import Issues
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BOMB = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{("&" + previous + ";") * 10}">' for previous, name in zip("abcdefgh", "bcdefghi")
)

BROKEN: dict[str, bytes] = {
    "empty.txt": b"",
    "blank.md": b" \n\t\n",
    "binary.txt": bytes(range(256)) * 20,
    "nul.csv": b"a,b\n1,\x002\n",
    "utf16cut.txt": b"\xff\xfea",
    "png.md": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "broken.pdf": b"%PDF-1.7\nthis is no pdf",
    "cut.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count",
    "broken.docx": b"PK\x03\x04 not a zip",
    "broken.xlsx": b"hello",
    "cut.ttl": b"@prefix e: <http://example.org/> .\ne:a e:b",
    "bad.nt": b"<http://a> <http://b> .\n",
    "bomb.rdf": (BOMB + ']><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&i;</rdf:RDF>').encode(),
    "remote.jsonld": b'{"@context": "http://127.0.0.1:9/context", "@id": "http://a"}',
    "deep.json": b"[" * 100_000 + b"]" * 100_000,
    "nan.json": b'{"name": "a", "x": NaN}',
    "twice.json": b'{"name": "a",\n"name": "b"}',
    "cut.json": b'{"name": "a", "x": [1, 2',
    "two.json": b"{} {}",
    "empty.html": b"<html><head><script>1</script></head><body></body></html>",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_a_parse_error_that_names_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(ParseError) as caught:
        list(load(path, f"docs/{name}"))
    assert caught.value.uri == f"docs/{name}"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "line"), [("cut.ttl", 2), ("bad.nt", 1), ("twice.json", 2), ("nan.json", 1), ("nul.csv", 2)])
def test_the_line_is_named(name: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(ParseError) as caught:
        list(load(path, name))
    assert caught.value.line == line


def test_a_missing_path_and_an_unknown_suffix(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        with pytest.raises(MissingPathError, match=r"nowhere\.txt"):
            kg.ingest([tmp_path / "nowhere.txt"])
        with pytest.raises(MissingPathError, match=r"none-.*\.md"):
            kg.ingest([str(tmp_path / "none-*.md")])
        (tmp_path / "a.exe").write_bytes(b"MZ")
        with pytest.raises(UnsupportedFormatError) as caught:
            kg.ingest([tmp_path / "a.exe"])
        assert all(suffix in str(caught.value) for suffix in FORMATS)
        for name in ("", "a\0b"):
            with pytest.raises(InputError):
                kg.ingest([name])


def test_bad_lines_are_rejected_and_the_rest_goes_in(tmp_path: Path) -> None:
    cases = {
        "passages.jsonl": (b'{"pid": "1", "title": "A", "text": "Good."}\n{"pid": \n'
                           b'{"pid": "1", "title": "B", "text": "Twice."}\n'
                           b'[1]\n{"pid": "2", "title": "C"}\n{"pid": "3", "title": "D", "text": NaN}\n', 1, [2, 3, 4, 6]),
        "rows.csv": (b"name,city\nTarn,Ellund\nVell\nAye,Bee,Cee\nDee,Eff\n", 1, [3, 4]),
        "kb.txt": (b"a|b|c\nonly two|parts\nd|e|f\n", 1, [2]),
        "items.jsonl": (b'{"name": "a", "x": 1}\n{"name": "b", "x": Infinity}\n{"name": "c", "name": "d"}\n', 1, [2, 3]),
        "quote.csv": (b'name,city\nTarn,Ellund\nVell,"open\n', 1, [3]),
    }  # fmt: skip
    for name, (content, documents, lines) in cases.items():
        path, issues = tmp_path / name, Issues()
        path.write_bytes(content)
        found = list(load(path, name, issues))
        rejected = [error.line for error in issues.rejected]
        assert len(found) >= documents, name
        assert set(lines) <= set(rejected), (name, rejected)
        assert {error.uri for error in issues.rejected} == {name}
        with pytest.raises(ParseError):
            list(load(path, name))  # without a place for issues the first one is raised


def test_devices_pipes_and_links_are_refused_without_being_opened(tmp_path: Path) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("CANARY outside of the folder.")
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.txt").write_text("Tarn City is a port.")
    os.mkfifo(folder / "pipe.txt")
    (folder / "link.txt").symlink_to(outside)
    (folder / "device.txt").symlink_to("/dev/zero")
    (folder / "folder").symlink_to(tmp_path)
    (folder / "dead.txt").symlink_to(tmp_path / "nothing")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        report = kg.ingest([folder])
        assert (report.added, len(report.quarantined)) == (1, 0)
        assert len(report.skipped) >= 5
        assert not kg.store.search_text("CANARY")
        with pytest.raises(UnsupportedFormatError, match="not a regular file"):
            kg.ingest([folder / "pipe.txt"])


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    for name in ("bomb.docx", "bomb.xlsx"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as container:
            container.writestr("word/document.xml", b"\0" * 50_000_000)
        with pytest.raises(ParseError, match="zip bomb"):
            list(load(tmp_path / name, name))


@pytest.mark.parametrize("suffix", [".txt", ".md", ".csv", ".jsonl", ".json", ".html"])
def test_five_megabytes_on_one_line(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"long{suffix}"
    words = "word " * 1_000_000
    path.write_text(f'{{"title": "long", "text": "{words}"}}' if suffix.startswith(".json") else words)
    from hoptrace.kg.ingest.cut import cut

    for document in load(path, path.name, Issues()):
        assert all(end - start <= 2000 for start, end, _ in cut(document))


def test_a_million_character_name_goes_in_or_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kb.txt").write_text(f"{'x' * 1_000_000}|is|short\nTarn|is|port\n")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        report = kg.ingest([tmp_path / "kb.txt"])
        assert report.added + len(report.quarantined) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), suffix=st.sampled_from(".txt .md .csv .tsv .json .jsonl .html .ttl .nt".split()))
def test_any_bytes_give_documents_or_a_typed_error(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"any{suffix}"
    path.write_bytes(content)
    try:
        documents = list(load(path, path.name, Issues()))
    except HoptraceError:
        return
    for document in documents:
        assert all(0 <= fact.start < fact.end <= len(document.text) for fact in document.facts)
        assert all(document.text[m.start : m.end] == m.name.label for m in document.mentions)
