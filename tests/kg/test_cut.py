"""Sentence borders and chunks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hoptrace.kg.ingest.cut import WHOLE, cut
from hoptrace.kg.ingest.datasets import PASSAGE
from hoptrace.kg.ingest.sentences import sentences
from hoptrace.kg.model import Document
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(alphabet="abZ. \n|#-\t\"'é漢1", max_size=60)
PARTS = st.sampled_from(["Dr. Vance went. ", "\n\n", "word " * 300, "x" * 2500, "1. One\n"])
TEXTS = st.lists(WORDS | PARTS, max_size=12).map("".join)


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. A. Vance of Tarn Ltd. paid 1.5 million. She left.", ["Dr. A. Vance of Tarn Ltd. paid 1.5 million.", "She left."]),
        ("He moved to the U.S. in 2019. The firm stayed.", ["He moved to the U.S. in 2019.", "The firm stayed."]),
        ("Tarn Ltd. The firm is old.", ["Tarn Ltd.", "The firm is old."]),
        ("# Title\nText here.\n- one\n- two\n\n| a | b |\n|---|---|\n", ["Title", "Text here.", "one", "two", "| a | b |"]),
        ("Brightwater Labs\nBrightwater Labs is a firm.", ["Brightwater Labs", "Brightwater Labs is a firm."]),
        ('"Why?" he asked. She said "No." Then he left.', ['"Why?" he asked.', 'She said "No."', "Then he left."]),
    ],
)
def test_sentence_borders(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_wrapped_lines_are_one_sentence_and_short_lines_are_not() -> None:
    text = (
        "The harbour inspectorate announced on Tuesday that the shipping\n"
        "line must pay a fine of three million. The line has said that it\nwill appeal.\nShort line\nAnother short line"
    )
    found = split(text)
    assert found[1].endswith("that it\nwill appeal.")
    assert found[2:] == ["Short line", "Another short line"]


@given(TEXTS)
def test_sentences_are_ordered_trimmed_and_lose_no_letter(text: str) -> None:
    spans = sentences(text)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    covered = {i for start, end in spans for i in range(start, end)}
    # List numbers are marks, everything else with a letter or digit belongs to a sentence.
    assert all(i in covered or not text[i].isalpha() for i in range(len(text)))


@given(TEXTS.filter(bool), st.booleans(), st.sampled_from(["text/plain", PASSAGE]))
def test_chunks_tile_the_text(text: str, records: bool, media: str) -> None:
    chunks = cut(Document("u", media, text, "", records=records))
    assert [start for start, _, _ in chunks] == [0, *[end for _, end, _ in chunks[:-1]]]
    assert chunks[-1][1] == len(text)
    assert all(start < end for start, end, _ in chunks)
    assert "".join(text[start:end] for start, end, _ in chunks) == text
    assert {kind for _, _, kind in chunks} == {"records" if records else "text"}


@given(TEXTS.filter(bool), st.booleans())
def test_no_chunk_starts_inside_a_word_that_fits_one(text: str, records: bool) -> None:
    for start, end, _ in cut(Document("u", "text/plain", text, "", records=records)):
        if start and not text[start - 1].isspace() and not text[start].isspace():
            left = max(text.rfind(space, 0, start) for space in " \n\t") + 1
            sentence_start = any(start == begin or text[begin - 1 : begin] in "|#-" for begin, _ in sentences(text))
            assert sentence_start or end - left > WHOLE / 2


def test_prose_is_cut_at_paragraphs_and_a_passage_stays_whole() -> None:
    paragraph = "A sentence of eight words stands in here. " * 12
    text = "\n\n".join([paragraph] * 4)
    starts = [start for start, _, _ in cut(Document("u", "text/plain", text, ""))]
    assert all(text[start - 2 : start] == "\n\n" for start in starts[1:])
    assert len(cut(Document("u", PASSAGE, text[:1900], ""))) == 1


def test_records_are_cut_after_whole_lines() -> None:
    text = "".join(f"head {i}|relation|tail {i}\n" for i in range(1000))
    chunks = cut(Document("u", "application/x-triples", text, "", records=True))
    assert all(text[end - 1] == "\n" and end - start <= WHOLE for start, end, _ in chunks)
