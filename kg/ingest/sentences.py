"""Sentence borders with exact offsets, by rules.

Two kinds of border. A *line* ends a sentence when it is a heading, a list item, a table row or a short line, but not
when it was only wrapped: a line is taken as wrapped when the next word would not have fitted into the width of its
paragraph. Inside a paragraph a terminator ends a sentence unless it closes an abbreviation or an initial
(the scheme of Kiss & Strunk, *Unsupervised Multilingual Sentence Boundary Detection*, 2006, with a fixed list).
"""

from __future__ import annotations

import re
from collections.abc import Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A full stop after these never ends a sentence: something must follow.
_OPEN = _words(
    "dr mr mrs ms mx prof st gen col capt lt maj sgt rev hon sen rep gov pres fr ed eds vs cf ca approx est viz nr tel dept mt"
    " ft e.g i.e i.a a.k.a fl b c d m r"
)
# After these it ends one unless a number follows.
_BEFORE_NUMBER = _words("no nos vol vols fig figs p pp art sec ch jan feb mar apr jun jul aug sep sept oct nov dec")
# After these one does, when the next word is one that starts sentences.
_CLOSING = _words(
    "ltd inc corp co llc plc bros jr sr etc al esq ave blvd rd a.m p.m u.s u.k u.n e.u ph.d m.d b.a m.a s.a n.v b.v s.p.a d.c l.p"
)
_STARTERS = _words(
    "a an the it its he she his her they their we our i you this that these those there in on at by for from to with after"
    " before during since until as when while although though if because however but and or so one all some many most both"
    " each according following under over between also additionally moreover furthermore later today meanwhile then who what"
    " where which how why such other another no not is was are were"
)
_STOP = re.compile(r"([.!?\u2026]+)([\"'\u2019\u201d»)\]]*(?:\[\d+\])*)(?=\s|$)|[。！？]")
_WORD_BEFORE = re.compile(r"[\w.&]*$")
_WORD_AFTER = re.compile(r"\s+[\"'\u2018\u201c«(\[]*(\w*)")
_ITEM = re.compile(r"\s*(?:#{1,6}\s|[-*+\u2022\u2023\u25aa\u2013]\s|\(?\d{1,3}[.)]\s|\(?[a-z][.)]\s|>|\||={3,}|-{3,}|\*{3,})")
_MARK = re.compile(r"\s*(?:#{1,6}\s+|(?:[-*+\u2022\u2023\u25aa]|\(?\d{1,3}[.)]|>)\s+)?")
_LETTER = re.compile(r"\w")
_WRAP_WIDTH = (40, 160)  # characters; a paragraph with longer lines was not wrapped by hand


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as `[start, end)` offsets, in order, without surrounding white space or list marks.

    Headings, list items, table rows and lines that are not wrapped prose are sentences of their own; what holds no
    letter or digit is left out.

    >>> text = "# Notes\\nDr. Vance joined Tarn Ltd. in 2019. She left\\nin 2021."
    >>> [text[start:end] for start, end in sentences(text)]
    ['Notes', 'Dr. Vance joined Tarn Ltd. in 2019.', 'She left\\nin 2021.']
    """
    found = []
    for block_start, block_end in _blocks(text):
        for start, end in _split(text, block_start, block_end):
            while start < end and text[start].isspace():
                start += 1
            while start < end and text[end - 1].isspace():
                end -= 1
            if _LETTER.search(text, start, end):
                found.append((start, end))
    return found


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Runs of lines that belong together: one prose paragraph, or one heading, item, row or short line."""
    for start, end in _paragraphs(text):
        lines = list(_lines(text, start, end))
        width = max(stop - begin for begin, stop in lines)
        begin = lines[0][0]
        for (_, stop), following in zip(lines, [*lines[1:], None]):
            if following is None or not _wrapped(text, begin, stop, following, width):
                mark = _MARK.match(text, begin, stop)
                yield mark.end() if mark else begin, stop
                if following is not None:
                    begin = following[0]


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = None
    for begin, stop in _lines(text, 0, len(text)):
        if text[begin:stop].isspace() or begin == stop:
            if start is not None:
                yield start, begin
            start = None
        elif start is None:
            start = begin
    if start is not None:
        yield start, len(text)


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop + 1


def _wrapped(text: str, block: int, stop: int, following: tuple[int, int], width: int) -> bool:
    """Whether the line that ends at `stop` goes on in `following`, `block` being the start of its block."""
    line_start = text.rfind("\n", block, stop) + 1 or block
    after = text[following[0] : following[1]]
    if _ITEM.match(after) or after.startswith("\f") or text.startswith("#", block) or text.startswith("|", line_start):
        return False
    word = after.split(maxsplit=1)[0]
    if word[0].islower() and text[stop - 1 : stop] not in ".:;|":
        return True
    return _WRAP_WIDTH[0] <= width <= _WRAP_WIDTH[1] and (stop - line_start) + 1 + len(word) >= 0.85 * width


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and not _ends(text, begin, stop, end):
            continue
        yield begin, stop.end()
        begin = stop.end()
    if begin < end:
        yield begin, end


def _ends(text: str, begin: int, stop: re.Match[str], end: int) -> bool:
    if stop[1] is None:  # a full-width stop needs no space after it
        return True
    following = _WORD_AFTER.match(text, stop.end(), end)
    word = following[1] if following else ""
    if word[:1].islower():
        return False
    if stop[1] != "." or stop[2]:  # what is quoted or bracketed ends with its own full stop
        return True
    before = _WORD_BEFORE.search(text, max(begin, stop.start() - 30), stop.start())
    word_before = before[0].lstrip(".") if before else ""
    lowered = word_before.lower()
    if lowered in _BEFORE_NUMBER and word_before != "P":
        return not word[:1].isdigit()
    if lowered in _OPEN:
        return word_before.isupper() and len(word_before) == 1 and word.lower() in _STARTERS
    if lowered in _CLOSING or (len(word_before) == 1 and word_before.isalpha()) or re.fullmatch(r"(?:\w\.)+\w", word_before):
        return word.lower() in _STARTERS
    return not (word_before.isdigit() and not text[begin : stop.start() - len(word_before)].strip())  # "1. First point"
