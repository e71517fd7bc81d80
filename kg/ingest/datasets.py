"""Dataset folders: passages, the triples given with them, and `head|relation|tail` files.

`passages.jsonl` {pid, title, text | sentences} gives one document per passage; `triples.jsonl` {s, p, o, pid} beside it
gives their facts, and then no text is extracted. Everything else in such a folder (questions, gold files, notes) is kept
out of the graph: an evaluation must not find its own answers there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ParseError
from ..model import Document, Fact, Name, normalize
from .report import Issues
from .sentences import sentences
from .sidecar import GIVEN, beside
from .tables import mentions
from .text import decode, loads, read_bytes, sha256
from .values import value_of, words_of

PASSAGE = "application/x-passage"


def is_dataset(folder: Path) -> bool:
    """Whether a folder is a data set in one of the known forms."""
    return (folder / "passages.jsonl").is_file() or (folder / "kb.txt").is_file() or any(folder.glob("*_kb.tsv"))


def is_taken(path: Path) -> bool:
    """Whether a file of a dataset folder is ingested by itself."""
    return path.name in ("passages.jsonl", "kb.txt") or path.name.endswith("_kb.tsv")


def companions(path: Path) -> list[Path]:
    """Files that are read together with this one."""
    triples, facts = path.with_name("triples.jsonl"), beside(path)
    if path.name == "passages.jsonl" and triples.is_file():
        return [triples]
    return [facts] if facts else []


def is_passages(text: str) -> bool:
    """Whether the first line of a .jsonl text is a passage: titled prose and not a record."""
    try:
        first = loads(text.lstrip().split("\n", 1)[0], "", 1)
    except ParseError:
        return False
    return isinstance(first, dict) and bool(first.keys() & {"text", "sentences"}) and bool(first.keys() & {"title", "pid"})


def load_passages(path: Path, uri: str, issues: Issues) -> Iterator[Document]:
    """Read passages, one document each with the uri `<uri>#<pid>` and the text title, newline, text."""
    raw = read_bytes(path, uri)
    given = _given(companions(path), uri, issues)
    seen: set[str] = set()
    for number, line in enumerate(decode(raw, uri, issues).split("\n"), 1):
        if not line.strip():
            continue
        try:
            pid, title, text = _passage(loads(line, uri, number), uri, number)
            if pid in seen:
                raise ParseError(f"the pid {pid!r} stands twice", uri=uri, line=number)
        except ParseError as error:
            issues.reject(error)
            continue
        seen.add(pid)
        stated = given.pop(pid, [])
        digest = sha256(line.strip().encode("utf-8", "surrogatepass"), *(source.encode() for _, source in stated))
        facts = tuple(_locate(text, [triple for triple, _ in stated]))
        media = PASSAGE + GIVEN if companions(path) else PASSAGE
        yield Document(f"{uri}#{pid}", media, text, digest, title=title, facts=facts, mentions=mentions(text, facts))
    for pid in given:
        issues.reject(ParseError(f"triples of a passage that is not there: {pid!r}", uri=uri))


def _passage(item: Any, uri: str, line: int) -> tuple[str, str, str]:
    if not isinstance(item, dict):
        raise ParseError("not an object", uri=uri, line=line)
    pid = str(item.get("pid") or item.get("id") or item.get("title") or line)
    title, body = item.get("title") or "", item.get("text")
    if body is None and isinstance(item.get("sentences"), list):
        parts = [part if isinstance(part, str) else "" for part in item["sentences"]]
        body = "".join(part if part[:1].isspace() else " " + part for part in parts).strip()
    if not isinstance(title, str) or not isinstance(body, str) or not (title + body).strip():
        raise ParseError("neither text nor sentences", uri=uri, line=line)
    return pid, title.strip(), f"{title.strip()}\n{body}" if title.strip() else body


def _given(paths: list[Path], uri: str, issues: Issues) -> dict[str, list[tuple[tuple[str, str, str], str]]]:
    """Per pid, the triples stated for it and the lines that state them."""
    found: dict[str, list[tuple[tuple[str, str, str], str]]] = defaultdict(list)
    for path in paths:
        name = f"{uri.rpartition('/')[0]}/{path.name}".lstrip("/") if "/" in uri else path.name
        for number, line in enumerate(decode(read_bytes(path, name), name, issues).split("\n"), 1):
            if not line.strip():
                continue
            try:
                item = loads(line, name, number)
                parts = [item.get(key) for key in ("s", "p", "o")] if isinstance(item, dict) else []
                if not parts or not all(isinstance(part, str) and part.strip() for part in parts):
                    raise ParseError("not a triple {s, p, o, pid} of texts", uri=name, line=number)
            except ParseError as error:
                issues.reject(error)
                continue
            subject, relation, object = map(str, parts)
            found[str(item.get("pid", ""))].append(((subject, relation, object), line))
    return found


def _locate(text: str, triples: list[tuple[str, str, str]]) -> Iterator[Fact]:
    """Facts with the sentence that holds both ends, else the one that holds most of them, else the whole passage."""
    if not triples:
        return
    spans = sentences(text)
    bags = [frozenset(normalize(text[start:end]).split()) for start, end in spans]
    folded = [text[start:end].casefold() for start, end in spans]
    for subject, relation, object in triples:
        words = frozenset(normalize(f"{subject} {object}").split())
        scores = [
            (subject.casefold() in sentence) + (object.casefold() in sentence) + len(words & bag) / (len(words) + 1)
            for sentence, bag in zip(folded, bags)
        ]
        best = max(scores, default=0.0)
        start, end = spans[scores.index(best)] if best > 0 else (0, len(text))
        value = value_of(object, relation)
        if value is not None:
            yield Fact(Name(" ".join(subject.split())), words_of(relation), value, start, end, "given")
