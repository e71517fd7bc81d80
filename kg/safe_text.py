"""Text from documents made harmless for where it goes. Every label that leaves for a screen, a file or a page passes here.

Two things can be wrong with a text: characters that the receiver cannot hold or would obey (`clean` for people, `xml_text`
for data, which keeps all that XML can say), and characters that mean something in the receiver's language, for which each
has a function of its own.

    >>> clean("a\\x1b[31mb\\u202ec"), markup("<b>"), cell("=1+1"), dot('a"b')
    ('a[31mbc', '&lt;b&gt;', "'=1+1", '"a\\\\"b"')
"""

from __future__ import annotations

import html
import re

# C0 and C1 controls but for newline and tab, the bidirectional overrides, lone surrogates, and what is no character at all
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_XML_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
XLSX_LIMIT = 32_767  # UTF-16 units in one cell; spreadsheets cut the rest without a word
LABEL = 80  # characters of a label in a picture
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$:.-])")
_MERMAID = {ord(character): f"#{ord(character)};" for character in '#"<>&`\\'}


def clean(text: object) -> str:
    """Text that a terminal or page shows and never obeys."""
    return _UNSAFE.sub("", str(text))


def one_line(text: object) -> str:
    return " ".join(clean(text).split())


def short(text: object, limit: int = LABEL) -> str:
    """One line of at most `limit` characters, for a picture."""
    line = one_line(str(text)[: 4 * limit])
    return line if len(line) <= limit and len(str(text)) <= 4 * limit else line[: limit - 1] + "…"


def xml_text(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold; a line ends in "\\n", as every XML reader would have it."""
    return _XML_ILLEGAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def markup(text: object) -> str:
    """For HTML and SVG, between tags and in quoted attributes."""
    return html.escape(clean(text))


def xml(text: str) -> str:
    """`xml_text` between tags and in quoted attributes, where a reader would make a space of a bare line break."""
    return html.escape(xml_text(text)).replace("\n", "&#10;").replace("\t", "&#9;")


def cell(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs: formula starts get a leading apostrophe, numbers stay."""
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def xlsx(text: str) -> tuple[str, int]:
    """The text as the content of an Excel cell, and the length it had before it was cut, 0 when it was not."""
    safe = xml_text(text)
    if 2 * len(safe) <= XLSX_LIMIT or (units := safe.encode("utf-16-le"))[2 * XLSX_LIMIT :] == b"":
        return safe, 0
    return units[: 2 * XLSX_LIMIT].decode("utf-16-le", "ignore"), len(safe)


def dot(text: object) -> str:
    """A quoted string of Graphviz, which reads backslashes and, in labels, entities."""
    escaped = short(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def markdown(text: object) -> str:
    """One line in Markdown, with no markup, HTML or formula of its own."""
    return _MARKDOWN.sub(r"\\\1", html.escape(one_line(text), quote=False))


def mermaid(text: object) -> str:
    """A quoted string of Mermaid, which reads entities, markup and Markdown in labels."""
    return f'"{short(text).translate(_MERMAID)}"'


__all__ = [
    "LABEL",
    "XLSX_LIMIT",
    "cell",
    "clean",
    "dot",
    "markdown",
    "markup",
    "mermaid",
    "one_line",
    "short",
    "xlsx",
    "xml",
    "xml_text",
]
