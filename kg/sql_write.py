"""The open transaction of a store: what a person or the ingestion pipeline may change.

Everything here only records what was put or taken away and which rows that touched; `Settle` (kg.sql_settle)
brings what is derived from them up to date once, before the commit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from .errors import InputError, LedgerError, UnknownEntityError, UnknownRelationError
from .model import Document, Source, Status, normalize, stable_id, text_hash
from .resolve import pair
from .sql import WriteConnection, id_of, is_id, key_of
from .sql_facts import FactWriter
from .sql_settle import Settle

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: int) -> datetime:
    """Microseconds since 1970 UTC as a datetime."""
    return EPOCH + timedelta(microseconds=at)


class SQLWriter:
    """See `kg.store.Writer`. Lives inside the store's `writing()` block, on its write connection."""

    def __init__(self, db: WriteConnection) -> None:
        self._db = db
        last_seq, last_at = db.execute("SELECT seq, at FROM ledger ORDER BY seq DESC LIMIT 1").fetchone() or (0, 0)
        self.seq: int = last_seq + 1
        self.at = max(time.time_ns() // 1000, last_at + 1)  # ledger times never run backwards, whatever the clock does
        self.erased = False
        self._noted, self._changed = False, False
        self._settle = Settle(db, self.seq)

    # ---- documents

    def put_document(self, document: Document, cuts: Sequence[tuple[int, int, str]]) -> Source:
        _check(document, cuts)
        source_id = stable_id("s", document.uri, document.sha256, text_hash(document.text))
        key = key_of(source_id)
        for (other_key,) in self._db.execute(
            "SELECT key FROM source WHERE uri = ? AND live AND key != ?", (document.uri, key)
        ).fetchall():
            self.supersede(id_of("s", other_key))
        known = self._db.execute("SELECT row FROM source WHERE key = ?", (key,)).fetchone()
        fields = (document.media_type, document.title, document.kind, document.records, len(document.text))
        if known:
            row = int(known[0])
            self._drop_content(row)
            self._db.execute(
                "UPDATE source SET media_type = ?, title = ?, kind = ?, records = ?, length = ?, live = TRUE WHERE row = ?",
                (*fields, row),
            )
        else:
            row = self._insert_source(key, document, fields)
        if not self._db.execute("SELECT 1 FROM life WHERE source = ? AND end IS NULL", (row,)).fetchone():
            self._db.execute("INSERT INTO life VALUES (?, ?, NULL)", (row, self.at))
        FactWriter(self._db, self.seq, self._settle, row, source_id, document, cuts).write()
        self._touch(key)
        begin = self._db.execute("SELECT min(begin) FROM life WHERE source = ?", (row,)).fetchone()[0]
        return Source(
            source_id, document.uri, document.media_type, document.sha256, document.title, document.kind,
            len(document.text), moment(begin),
        )  # fmt: skip

    def _insert_source(self, key: int, document: Document, fields: tuple[object, ...]) -> int:
        media_type, title, kind, records, length = fields
        added = self._db.execute(
            "INSERT INTO source (key, uri, media_type, sha256, title, kind, records, length, live) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, TRUE) RETURNING row",
            (key, document.uri, media_type, document.sha256, title, kind, records, length),
        )
        return int(added.fetchone()[0])

    def supersede(self, source_id: str) -> None:
        row, live = self._source(source_id)
        if live:
            self._db.hide_text(row)
            self._db.execute("UPDATE source SET live = FALSE WHERE row = ?", (row,))
            self._db.execute("UPDATE life SET end = ? WHERE source = ? AND end IS NULL", (self.at, row))
            self._touch_source(row)
        self._touch(key_of(source_id))

    def revive(self, source_id: str) -> None:
        row, live = self._source(source_id)
        if not live:
            self._db.execute("UPDATE source SET live = TRUE WHERE row = ?", (row,))
            self._db.execute("INSERT INTO life VALUES (?, ?, NULL)", (row, self.at))
            self._db.show_text(row)
            self._touch_source(row)
        self._touch(key_of(source_id))

    def erase(self, source_id: str) -> None:
        row, _ = self._source(source_id)
        self._drop_content(row)
        self._db.execute("DELETE FROM life WHERE source = ?", (row,))
        self._db.execute("DELETE FROM source WHERE row = ?", (row,))
        self._settle.forget_refs([key_of(source_id)])
        self._changed = self.erased = True

    def _source(self, source_id: str) -> tuple[int, bool]:
        found = self._db.execute("SELECT row, live FROM source WHERE key = ?", (key_of(source_id),)).fetchone()
        if not found:
            raise InputError(f"no source {source_id!r}")
        return int(found[0]), bool(found[1])

    def _touch_source(self, row: int) -> None:
        """Everything whose derived state may depend on whether this source is live."""
        self._db.execute("UPDATE chunk SET seq = ? WHERE source = ?", (self.seq, row))
        for what, where in (("triple", "span"), ("node", "name"), ("relation", "relation_name")):
            self._db.execute(
                f"INSERT INTO touched_{what} SELECT DISTINCT {what} FROM {where} WHERE source = ? ON CONFLICT DO NOTHING", (row,)
            )

    def _drop_content(self, row: int) -> None:
        """Delete what a source version holds, but not the version itself."""
        self._touch_source(row)
        if self._db.execute("SELECT live FROM source WHERE row = ?", (row,)).fetchone()[0]:
            self._db.hide_text(row)
        self._db.execute(
            "DELETE FROM vector WHERE sha256 IN (SELECT sha256 FROM chunk WHERE source = ?) "
            "AND NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.sha256 = vector.sha256 AND chunk.source != ?)",
            (row, row),
        )
        self._db.execute("INSERT INTO tombstone SELECT ?, 'chunk', row FROM chunk WHERE source = ?", (self.seq, row))
        self._db.execute("DELETE FROM mention WHERE chunk IN (SELECT row FROM chunk WHERE source = ?)", (row,))
        self._db.execute("DELETE FROM span WHERE source = ? AND triple IN (SELECT triple FROM span WHERE source = ?)", (row, row))
        for table in ("name", "relation_name", "chunk"):
            self._db.execute(f"DELETE FROM {table} WHERE source = ?", (row,))

    # ---- a person's word

    def set_retracted(self, triple_id: str, retracted: bool) -> None:
        row = self._triple(triple_id)
        current = self._db.execute("SELECT retracted FROM triple WHERE row = ?", (row,)).fetchone()[0]
        if bool(current) != retracted:
            self._db.execute("UPDATE triple SET retracted = ? WHERE row = ?", (retracted, row))
            if retracted:
                self._db.execute("INSERT INTO retraction VALUES (?, ?, NULL)", (row, self.at))
            else:
                self._db.execute("UPDATE retraction SET end = ? WHERE triple = ? AND end IS NULL", (self.at, row))
        self._touch_triple(row, triple_id)

    def set_status(self, triple_id: str, status: Status | None) -> None:
        if status is Status.RETRACTED:
            raise InputError(f"{triple_id}: retract a triple instead of marking it retracted")
        row = self._triple(triple_id)
        self._db.execute("UPDATE triple SET mark = ? WHERE row = ?", (status.value if status else "", row))
        self._touch_triple(row, triple_id)

    def set_functional(self, relation: str, functional: bool) -> None:
        if is_id(relation):
            found = self._db.execute("SELECT row, key FROM relation WHERE key = ?", (key_of(relation),)).fetchall()
        else:
            labels = self._db.execute("SELECT row, key, label FROM relation")
            found = [(row, key) for row, key, label in labels if normalize(label) == normalize(relation)]
        if not found:
            raise UnknownRelationError(f"no relation {relation!r}")
        for row, key in found:
            self._db.execute("UPDATE relation SET functional = ? WHERE row = ?", (functional, row))
            self._db.execute(
                "INSERT INTO touched_triple SELECT row FROM triple WHERE relation = ? ON CONFLICT DO NOTHING", (row,)
            )
            self._touch(key)

    def set_link(self, first: str, second: str, same: bool | None) -> None:
        keys = [key_of(first), key_of(second)]
        for entity_id, key in zip((first, second), keys):
            found = self._db.execute("SELECT block FROM node WHERE key = ? AND kind = 'entity'", (key,)).fetchone()
            if not found:
                raise UnknownEntityError(f"no entity {entity_id!r}")
            self._settle.dirty([found[0]])
            self._touch(key)
        low, high = pair(*keys)
        if low == high:
            raise InputError(f"{first!r} cannot be linked to itself")
        if same is None:
            self._db.execute("DELETE FROM link_mark WHERE first = ? AND second = ?", (low, high))
        else:
            self._db.execute(
                "INSERT INTO link_mark VALUES (?, ?, ?) ON CONFLICT (first, second) DO UPDATE SET same = excluded.same",
                (low, high, same),
            )

    def _triple(self, triple_id: str) -> int:
        found = self._db.execute("SELECT row FROM triple WHERE key = ?", (key_of(triple_id),)).fetchone()
        if not found:
            raise InputError(f"no triple {triple_id!r}")
        return int(found[0])

    def _touch_triple(self, row: int, triple_id: str) -> None:
        self._db.execute("INSERT INTO touched_triple VALUES (?) ON CONFLICT DO NOTHING", (row,))
        self._touch(key_of(triple_id))

    def _touch(self, key: int) -> None:
        """Remember that this entry of the ledger is about `key`, to blank it when that is forgotten."""
        self._db.execute("INSERT INTO ledger_ref VALUES (?, ?) ON CONFLICT DO NOTHING", (key, self.seq))
        self._changed = True

    # ---- ledger, settling

    def resolve(self) -> int:
        return self._settle.resolve_waiting()

    def set_meta(self, key: str, value: str | None) -> None:
        if key == "store_id":
            raise InputError("the store's identity cannot be changed")
        if value is None:
            self._db.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self._db.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
            )

    def note(self, action: str, summary: str, payload: dict[str, object], *, undoable: bool = True) -> int:
        if self._noted:
            raise LedgerError(f"a transaction has one ledger entry; {action!r} would be its second")
        try:
            text = json.dumps(payload, ensure_ascii=False, allow_nan=False, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise LedgerError(f"the payload of {action!r} is not JSON: {error}") from error
        self._db.execute(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, NULL)", (self.seq, self.at, action, summary, text, undoable)
        )
        self._noted = True
        return self.seq

    def mark_undone(self, seq: int, by: int) -> None:
        self._db.execute("UPDATE ledger SET undone_by = ? WHERE seq = ?", (by, seq))

    def finish(self, *, defer_resolve: bool) -> None:
        """Bring derived rows up to date before the commit."""
        resolved = self._settle.finish(defer_resolve=defer_resolve)
        if not self._noted and resolved and not self._changed:
            self.note("resolve", f"resolved {resolved} blocks of names", {}, undoable=False)
        if not self._noted and self._changed:
            raise LedgerError("a transaction that changes content must note what it did")
        if self.erased:
            self._db.purge_text()


def _check(document: Document, cuts: Sequence[tuple[int, int, str]]) -> None:
    """Refuse a document that could not be cited exactly."""
    length, at = len(document.text), 0
    for start, end, _ in cuts:
        if start != at or end <= start:
            raise InputError(f"{document.uri}: cut {start}-{end} does not start where the one before ends ({at})")
        at = end
    if at != length:
        raise InputError(f"{document.uri}: cuts end at {at} of {length} characters")
    _check_spans(document.uri, length, ((mention.start, mention.end) for mention in document.mentions))
    _check_spans(document.uri, length, ((fact.start, fact.end) for fact in document.facts))


def _check_spans(uri: str, length: int, spans: Iterable[tuple[int, int]]) -> None:
    for start, end in spans:
        if not 0 <= start < end <= length:
            raise InputError(f"{uri}: span {start}-{end} does not lie inside 0-{length}")
