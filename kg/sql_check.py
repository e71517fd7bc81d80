"""What a store holds, as one number, and whether it still holds what was put into it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zlib import crc32

from .errors import CorruptionError
from .sql import Connection, id_of

if TYPE_CHECKING:
    from .sql_store import SQLStore

_LIVE = "JOIN source ON source.row = {}.source WHERE source.live"
_CONTENT = {
    "source": "SELECT key, uri, sha256, media_type, title, kind, CAST(records AS INTEGER), length FROM source WHERE live",
    "chunk": "SELECT chunk.key, source.key, chunk.start, chunk.end, hex(chunk.sha256), chunk.kind "
    f"FROM chunk {_LIVE.format('chunk')}",
    "entity": "SELECT node.key, node.label, node.type, node.iri, head.key FROM node JOIN node AS head ON head.row = node.canon "
    "WHERE node.kind = 'entity' AND node.live",
    "name": "SELECT node.key, source.key, name.text, name.type, CAST(used AS INTEGER) FROM name "
    f"JOIN node ON node.row = name.node {_LIVE.format('name')}",
    "mention": "SELECT node.key, chunk.key, mention.start, mention.end FROM mention JOIN node ON node.row = mention.node "
    f"JOIN chunk ON chunk.row = mention.chunk {_LIVE.format('chunk')}",
    "relation": "SELECT key, label, iri, CAST(functional AS INTEGER) FROM relation WHERE EXISTS "
    f"(SELECT 1 FROM relation_name {_LIVE.format('relation_name')} AND relation_name.relation = relation.row)",
    "triple": "SELECT key, status FROM triple WHERE live",
    "span": "SELECT triple.key, source.key, span.start, span.end, crc, CAST(grounded AS INTEGER), extractor, confidence, graph "
    f"FROM span JOIN triple ON triple.row = span.triple AND triple.live {_LIVE.format('span')}",
}


def content_hash(db: Connection) -> str:
    """Sum of the hashes of all live rows modulo 2^128, hex: the order of rows and their numbers do not matter."""
    total = 0
    for kind, sql in _CONTENT.items():
        for fields in db.execute(sql):
            digest = hashlib.blake2b(f"{kind}{fields!r}".encode(), digest_size=16).digest()
            total += int.from_bytes(digest, "big")
    return f"{total % (1 << 128):032x}"


def verify(store: SQLStore) -> Iterator[str]:
    """One line for each broken invariant; a damaged part does not keep the others from being checked."""
    for check in (store.verify_engine, partial(_texts, store), partial(_spans, store), partial(_rules, store)):
        try:
            yield from check()
        except CorruptionError as error:
            yield str(error)


def _texts(store: SQLStore) -> Iterator[str]:
    rows = store.query(
        "SELECT source.key, uri, source.length, chunk.key, start, end, text, chunk.sha256 "
        "FROM source LEFT JOIN chunk ON chunk.source = source.row ORDER BY source.row, start"
    )
    for (key, uri, length), chunks in groupby(rows, key=lambda fields: fields[:3]):
        at, source = 0, f"{uri} ({id_of('s', key)})"
        for *_, chunk_key, start, end, text, sha256 in chunks:
            if chunk_key is None:
                continue
            if start != at or end - start != len(text):
                yield f"chunk {id_of('c', chunk_key)} of {source} is {start}-{end} with {len(text)} characters, expected at {at}"
            if not isinstance(text, str) or hashlib.sha256(text.encode()).digest() != sha256:
                yield f"chunk {id_of('c', chunk_key)} of {source} does not match its hash"
            at = end
        if at != length:
            yield f"{source}: chunks end at {at} of {length} characters"


def _spans(store: SQLStore) -> Iterator[str]:
    rows = store.query(
        "SELECT source.row, source.key, source.uri, triple.key, span.start, span.end, crc FROM span "
        "LEFT JOIN source ON source.row = span.source LEFT JOIN triple ON triple.row = span.triple "
        "ORDER BY span.source, span.triple"
    )
    for source, spans in groupby(rows, key=lambda fields: fields[0]):
        pieces = [text for (text,) in store.query("SELECT text FROM chunk WHERE source = ? ORDER BY start", source)]
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        for _, key, uri, triple, start, end, crc in spans:
            if key is None or triple is None:
                yield f"span {start}-{end} belongs to no source or no triple"
            elif crc32(text[start:end].encode()) != crc:
                yield f"span {start}-{end} of {uri} ({id_of('s', key)}) does not show the quote of {id_of('t', triple)}"


_RULES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "is merged into an entity that is itself merged, or dead": (
        "SELECT node.key FROM node JOIN node AS head ON head.row = node.canon "
        "WHERE head.canon != head.row OR head.live < node.live",
        lambda key: f"entity {id_of('e', key)}",
    ),
    "has no name": (
        "SELECT key FROM node WHERE kind = 'entity' AND NOT EXISTS (SELECT 1 FROM name WHERE name.node = node.row)",
        lambda key: f"entity {id_of('e', key)}",
    ),
    "joins nodes or a relation that are missing": (
        "SELECT key FROM triple WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.row = subject) "
        "OR NOT EXISTS (SELECT 1 FROM node WHERE node.row = object) "
        "OR NOT EXISTS (SELECT 1 FROM relation WHERE relation.row = triple.relation)",
        lambda key: f"triple {id_of('t', key)}",
    ),
    "has no span": (
        "SELECT key FROM triple WHERE NOT EXISTS (SELECT 1 FROM span WHERE span.triple = triple.row)",
        lambda key: f"triple {id_of('t', key)}",
    ),
    "is live without a live span, or dead with one": (
        "SELECT triple.key FROM triple WHERE live != (NOT retracted AND EXISTS (SELECT 1 FROM span "
        "JOIN source ON source.row = span.source WHERE span.triple = triple.row AND source.live))",
        lambda key: f"triple {id_of('t', key)}",
    ),
    "is live without an open interval, or dead with one": (
        "SELECT uri FROM source WHERE live != EXISTS (SELECT 1 FROM life WHERE life.source = source.row AND end IS NULL)",
        lambda uri: f"source {uri}",
    ),
}


def _rules(store: SQLStore) -> Iterator[str]:
    waiting = store.unresolved
    for broken, (sql, name) in _RULES.items():
        if waiting and "merged" in broken:
            continue  # deferred entity resolution will settle it
        for (key,) in store.query(sql):
            yield f"{name(key)} {broken}"
