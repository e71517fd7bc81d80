"""Texts with known entities and relations, as training and measuring read them; and the public forms they come in.

An `Example` is one text that fits the model's window. Where `complete` is false only some of its entities are marked (a
sentence with the triples of one ontology): what is not marked is then unknown and not an absence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ParseError
from ..ingest.dates import find_dates
from ..ingest.sentences import sentences
from ..model import normalize

TYPES = ("person", "organization", "place", "time", "number", "thing")
_DOCRED_TYPES = {"PER": "person", "ORG": "organization", "LOC": "place", "TIME": "time", "NUM": "number", "MISC": "thing"}
_PIECE = re.compile(r"\w+|[^\w\s]")
_QUALIFIER = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its entities.

    Attributes:
        text: what offsets point into.
        sentences: `[start, end)` of each.
        names: per entity, its longest form.
        types: per entity, one of `TYPES`, "" where unknown.
        mentions: (start, end, entity), by start; none overlap.
        relations: (entity, label, entity).
        labels: the relations that may hold, () for all that are known.
        complete: whether every entity and relation is marked.
        title: what the text is about, "" where that is not said.
    """

    text: str
    sentences: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    mentions: tuple[tuple[int, int, int], ...]
    relations: tuple[tuple[int, str, int], ...]
    labels: tuple[str, ...] = ()
    complete: bool = True
    title: str = ""


def read_documents(path: Path) -> list[Example]:
    """Re-DocRED as one document a line: {sentences, entities: [{name, type, mentions: [[form, sentence]]}], triples}.

    Raises:
        ParseError: a line of another form.
    """
    return [_document(item) for item in _lines(path)]


def read_sentences(path: Path) -> list[Example]:
    """Text2KGBench: {sent, triples: [[s, p, o]], ontology} with `*_ontologies.jsonl` beside the file.

    An end of a triple that does not stand in the sentence is an entity without mentions.

    Raises:
        ParseError: a line of another form, or no ontologies beside it.
    """
    known = ontologies(path)
    return [_sentence(item, known.get(str(item.get("ontology", "")), ())) for item in _lines(path)]


def ontologies(path: Path) -> dict[str, tuple[str, ...]]:
    """Relation labels by ontology, with and without the `ont_` of its id, from the files beside a file of sentences."""
    found = {}
    for beside in sorted(path.parent.glob("*_ontologies.jsonl")):
        for item in _lines(beside):
            name = str(item.get("id", ""))
            labels = tuple(str(relation["label"]).strip() for relation in item.get("relations", ()))
            found[name] = found[name.removeprefix("ont_")] = labels
    if not found:
        raise ParseError("no *_ontologies.jsonl beside it", uri=str(path))
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                item = json.loads(line)
            except ValueError as error:
                raise ParseError(f"not JSON: {error}", uri=str(path), line=number) from None
            if not isinstance(item, dict):
                raise ParseError("not an object", uri=str(path), line=number)
            yield item


def _document(item: dict[str, Any]) -> Example:
    text, spans = "", []
    for sentence in item["sentences"]:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    entities = item["entities"]
    wanted = [
        (form, spans[at], i) for i, entity in enumerate(entities) for form, at in entity["mentions"] if 0 <= at < len(spans)
    ]
    index = {entity["name"]: i for i, entity in reversed(list(enumerate(entities)))}
    relations = {(index[t["s"]], t["p"].strip(), index[t["o"]]) for t in item["triples"] if t["s"] in index and t["o"] in index}
    return Example(
        text.rstrip(),
        tuple(spans),
        tuple(entity["name"] for entity in entities),
        tuple(_DOCRED_TYPES.get(entity["type"], "") for entity in entities),
        tuple(_places(text, wanted)),
        tuple(sorted(relation for relation in relations if relation[0] != relation[2])),
        title=str(item.get("title", "")),
    )


def _sentence(item: dict[str, Any], labels: tuple[str, ...]) -> Example:
    text = str(item["sent"])
    triples = [tuple(map(plain, triple)) for triple in item["triples"]]
    names = list(dict.fromkeys(end for s, _, o in triples for end in (s, o)))
    mentions = list(_places(text, [(form, (0, len(text)), i) for i, name in enumerate(names) for form in _forms(name)]))
    index = {name: i for i, name in enumerate(names)}
    relations = {(index[s], p, index[o]) for s, p, o in triples if s != o}
    return Example(
        text, tuple(sentences(text)), tuple(names), ("",) * len(names), tuple(mentions), tuple(sorted(relations)), labels, False
    )


def plain(name: str) -> str:
    """A name as a sentence writes it: without quotes, underscores and a qualifier in brackets.

    >>> plain("Arion_(comicsCharacter)"), plain('"Ahri\\'ahn"')
    ('Arion', "Ahri'ahn")
    """
    return _QUALIFIER.sub("", name.strip().strip('"').replace("_", " ").strip())


def _forms(name: str) -> list[str]:
    """What a sentence may write for a name: of a full date also its year, since knowledge bases fill in the rest."""
    dates = find_dates(name)
    whole = len(dates) == 1 and (dates[0].start, dates[0].end) == (0, len(name))
    return [name, f"{dates[0].first.year}"] if whole else [name]


def _places(text: str, wanted: Sequence[tuple[str, tuple[int, int], int]]) -> Iterator[tuple[int, int, int]]:
    """Where forms stand as whole words, the longest first and none over another; by start."""
    taken: list[tuple[int, int, int]] = []
    for form, (low, high), entity in sorted(wanted, key=lambda item: -len(item[0])):
        if not normalize(form):
            continue
        pattern = r"\s*".join(re.escape(piece) for piece in _PIECE.findall(form))  # "Sugar , Sugar" is "Sugar, Sugar"
        for match in re.finditer(rf"(?<!\w){pattern}(?!\w)", text[low:high], re.IGNORECASE):
            start, end = low + match.start(), low + match.end()
            if all(end <= a or b <= start for a, b, _ in taken):
                taken.append((start, end, entity))
    return iter(sorted(taken))


__all__ = ["TYPES", "Example", "ontologies", "plain", "read_documents", "read_sentences"]
