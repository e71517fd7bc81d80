"""The schema of a store as an append-only list of named steps, each applied once and recorded in `migration`.

Times are microseconds since 1970 UTC, days are proleptic Gregorian ordinals with the open ends of `kg.store`.
Keys are the 64 bits behind a stable id, as a signed integer: an eighth of the index a text id would need.

    source ─< chunk ─< mention >─ node >─ name      name: a surface form of a node in one source
       └───< span >─ triple >─ node, relation       life, retraction: intervals that answer `known_at`

Triples and spans declare no foreign keys: checking them would be a quarter of a bulk load. `verify` checks them.

What a reader is shown of a node (label, type, aliases), of a relation (label) and of a triple (status, live) is
derived from rows that belong to sources, so that erasing a source equals never having read it.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable

from .errors import SchemaVersionError


def m001_graph(db: sqlite3.Connection) -> None:
    for statement in _STORE.split(";\n"):
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('store_id', ?)", (uuid.uuid4().hex,))


_STORE = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, action TEXT NOT NULL, summary TEXT NOT NULL, payload TEXT NOT NULL,
    undoable INTEGER NOT NULL, undone_by INTEGER);
CREATE TABLE ledger_ref (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID;
CREATE TABLE tombstone (seq INTEGER NOT NULL, kind TEXT NOT NULL, row INTEGER NOT NULL,
    PRIMARY KEY (seq, kind, row)) WITHOUT ROWID;
CREATE TABLE last_row (kind TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO last_row VALUES ('chunk', 0), ('node', 0), ('triple', 0);

CREATE TABLE source (
    row INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL UNIQUE, uri TEXT NOT NULL, media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL, records INTEGER NOT NULL, length INTEGER NOT NULL,
    live INTEGER NOT NULL);
CREATE INDEX source_uri ON source (uri);
CREATE TABLE life (source INTEGER NOT NULL REFERENCES source, begin INTEGER NOT NULL, end INTEGER,
    PRIMARY KEY (source, begin)) WITHOUT ROWID;
CREATE TABLE chunk (
    row INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, source INTEGER NOT NULL REFERENCES source,
    start INTEGER NOT NULL, end INTEGER NOT NULL, text TEXT NOT NULL, sha256 BLOB NOT NULL, kind TEXT NOT NULL,
    seq INTEGER NOT NULL);
CREATE INDEX chunk_source ON chunk (source, start);
CREATE INDEX chunk_sha256 ON chunk (sha256);
CREATE INDEX chunk_seq ON chunk (seq);
CREATE VIEW live_chunk AS SELECT chunk.row AS row, chunk.text AS text
    FROM chunk JOIN source ON source.row = chunk.source WHERE source.live;
CREATE VIRTUAL TABLE fts USING fts5 (text, content='live_chunk', content_rowid='row',
    tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE vector (sha256 BLOB NOT NULL, model TEXT NOT NULL, data BLOB NOT NULL, UNIQUE (sha256, model));

CREATE TABLE node (
    row INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, iri TEXT NOT NULL,
    label TEXT NOT NULL, norm TEXT NOT NULL, type TEXT NOT NULL, language TEXT NOT NULL, block TEXT NOT NULL,
    live INTEGER NOT NULL, canon INTEGER NOT NULL REFERENCES node DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX node_norm ON node (norm);
CREATE INDEX node_block ON node (block) WHERE kind = 'entity';
CREATE INDEX node_canon ON node (canon);
CREATE INDEX node_iri ON node (iri) WHERE iri != '';
CREATE TABLE name (
    node INTEGER NOT NULL REFERENCES node, source INTEGER NOT NULL REFERENCES source, text TEXT NOT NULL,
    type TEXT NOT NULL, norm TEXT NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (node, source, text, type)) WITHOUT ROWID;
CREATE INDEX name_norm ON name (norm);
CREATE INDEX name_source ON name (source);
CREATE TABLE mention (
    chunk INTEGER NOT NULL REFERENCES chunk, start INTEGER NOT NULL, end INTEGER NOT NULL,
    node INTEGER NOT NULL REFERENCES node, PRIMARY KEY (chunk, start, end, node)) WITHOUT ROWID;
CREATE INDEX mention_node ON mention (node);
CREATE TABLE link (first INTEGER NOT NULL, second INTEGER NOT NULL, block TEXT NOT NULL, reason TEXT NOT NULL,
    score REAL NOT NULL, PRIMARY KEY (first, second)) WITHOUT ROWID;
CREATE INDEX link_second ON link (second);
CREATE INDEX link_block ON link (block);
CREATE TABLE link_mark (first INTEGER NOT NULL, second INTEGER NOT NULL, same INTEGER NOT NULL,
    PRIMARY KEY (first, second)) WITHOUT ROWID;
CREATE INDEX link_mark_second ON link_mark (second);
CREATE TABLE dirty_block (block TEXT PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE relation (row INTEGER PRIMARY KEY AUTOINCREMENT, key INTEGER NOT NULL UNIQUE, label TEXT NOT NULL,
    iri TEXT NOT NULL, functional INTEGER NOT NULL);
CREATE TABLE relation_name (relation INTEGER NOT NULL REFERENCES relation, source INTEGER NOT NULL REFERENCES source,
    text TEXT NOT NULL, PRIMARY KEY (relation, source, text)) WITHOUT ROWID;
CREATE INDEX relation_name_source ON relation_name (source);

CREATE TABLE triple (
    row INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, subject INTEGER NOT NULL, relation INTEGER NOT NULL,
    object INTEGER NOT NULL, valid_from INTEGER NOT NULL, valid_to INTEGER NOT NULL, status TEXT NOT NULL, mark TEXT NOT NULL,
    retracted INTEGER NOT NULL, live INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE INDEX triple_subject ON triple (subject);
CREATE INDEX triple_object ON triple (object);
CREATE INDEX triple_seq ON triple (seq);
CREATE TABLE retraction (triple INTEGER NOT NULL REFERENCES triple, begin INTEGER NOT NULL, end INTEGER,
    PRIMARY KEY (triple, begin)) WITHOUT ROWID;
CREATE TABLE span (
    triple INTEGER NOT NULL, source INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    extractor TEXT NOT NULL, graph TEXT NOT NULL, chunk INTEGER NOT NULL, crc INTEGER NOT NULL,
    grounded INTEGER NOT NULL, confidence REAL NOT NULL,
    PRIMARY KEY (triple, source, start, end, extractor, graph)) WITHOUT ROWID;
CREATE INDEX span_source ON span (source, triple)"""


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (m001_graph,)


def migrate(db: sqlite3.Connection) -> None:
    """Apply what is missing, each step in its own transaction.

    Raises:
        SchemaVersionError: the store knows a step that this version does not.
    """
    missing = set(pending(db))
    for step in MIGRATIONS:
        if step.__name__ in missing:
            db.execute("BEGIN IMMEDIATE")
            step(db)
            db.execute("CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY)")
            db.execute("INSERT INTO migration VALUES (?)", (step.__name__,))
            db.execute("COMMIT")


def pending(db: sqlite3.Connection) -> list[str]:
    """Names of the steps that a store lacks.

    Raises:
        SchemaVersionError: as for `migrate`.
    """
    exists = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'").fetchone()
    applied = {str(name) for (name,) in db.execute("SELECT name FROM migration")} if exists else set()
    return missing([step.__name__ for step in MIGRATIONS], applied)


def missing(known: list[str], applied: set[str]) -> list[str]:
    """The steps that a store lacks, in their order.

    Raises:
        SchemaVersionError: it has one that is not known.
    """
    if unknown := sorted(applied - set(known)):
        names = ", ".join(unknown)
        raise SchemaVersionError(f"the store was written by a newer hoptrace: it has {names}; this one knows up to {known[-1]}")
    return [name for name in known if name not in applied]
