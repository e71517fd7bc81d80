"""Cut a document into chunks that tile its text: each starts where the one before ends, and joined they are the text."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Document
from .datasets import PASSAGE
from .sentences import sentences

SIZE = 900  # characters of a prose chunk, about 200 tokens
WHOLE = 2000  # characters up to which a passage stays one chunk, records fill one, and a word is not broken
_LEAST = 300  # a chunk shorter than this goes on into the next paragraph
_HEADING, _FULL_STOPS = 100, ".!?:;\"'\u201d)"


def cut(document: Document) -> list[tuple[int, int, str]]:
    """`(start, end, kind)` of the chunks of a document, which tile its text.

    Prose is cut between paragraphs where that gives chunks of about `SIZE` characters, else between sentences, else
    between words. Records are cut between lines. A passage of a data set stays whole.

    >>> cut(Document("a", "text/plain", "One. Two.", ""))
    [(0, 9, 'text')]
    """
    text = document.text
    if document.records:
        borders, kind = _lines(text), "records"
    elif document.media_type.startswith(PASSAGE) and len(text) <= WHOLE:
        borders, kind = iter((len(text),)), "text"
    else:
        borders, kind = _prose(text), "text"
    chunks = []
    start = 0
    for border in borders:
        if border > start:
            chunks.append((start, border, kind))
            start = border
    return chunks


def _lines(text: str) -> Iterator[int]:
    """Chunk ends after whole lines; a line longer than a chunk is broken between words."""
    start, end = 0, len(text)
    while end - start > WHOLE:
        border = text.rfind("\n", start, start + WHOLE) + 1
        if not border:
            line_end = text.find("\n", start)
            border = min(_word_border(text, start, WHOLE), line_end + 1 if line_end >= 0 else end)
        yield border
        start = border
    yield end


def _prose(text: str) -> Iterator[int]:
    """Chunk ends between sentences, and before a paragraph that would not fit any more."""
    borders = [*_sentence_starts(text), (len(text), True)]
    ends = iter([offset for offset, paragraph in borders if paragraph][1:])
    start = last = 0
    for begin, paragraph in borders:
        if last > start and begin - start > SIZE:
            yield last
            start = last
        while begin - start > SIZE + _LEAST:
            start = _word_border(text, start, SIZE)
            yield start
        following = next(ends, begin) if paragraph else begin
        if begin - start >= _LEAST and following - start > SIZE:
            yield begin
            start = begin
        last = begin
    yield len(text)


def _sentence_starts(text: str) -> Iterator[tuple[int, bool]]:
    """(offset, whether a new paragraph starts there) of sentences.

    List marks belong to what follows them, and so does a heading: a short paragraph without a full stop.
    """
    previous = (0, 0)
    for start, end in sentences(text):
        gap = text[previous[1] : start]
        line = gap.rfind("\n")
        begin = previous[1] + line + 1 if line >= 0 else start
        heading = previous[1] - previous[0] <= _HEADING and text[previous[1] - 1 : previous[1]] not in _FULL_STOPS
        if begin > 0:
            yield begin, "\n\n" in gap.replace("\r", "").replace("\f", "\n") and not heading
        previous = start, end


def _word_border(text: str, start: int, size: int) -> int:
    """The last place within `size` characters where a new word starts; a longer word is broken at `WHOLE`."""
    end = min(start + size, len(text))
    while end > start and not (text[end - 1].isspace() and not text[end : end + 1].isspace()):
        end -= 1
    if end > start:
        return end
    end = start + size
    while end < len(text) and end - start < WHOLE and not text[end - 1].isspace():
        end += 1
    return min(end, len(text))
