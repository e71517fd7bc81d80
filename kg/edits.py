"""Edits: each is one transaction that writes down what it changed, so that it can be taken back.

A ledger entry carries its changes as (what, key, before, after), nothing more:

    version     of a uri: the source id that is live          (ingest, update, add, edit, quarantine)
    retracted   of a triple                                   (retract, edit)
    status      of a triple: a person's mark                  (audit)
    link        of two entity ids: same, not the same, open   (merge, split)
    functional  of a relation                                 (add)

Undo swaps before and after, and is refused when something later changed the same thing; redo is the undo of an undo.
Nothing is overwritten, so both only choose which version is believed. `forget` is the exception: it erases, for good.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .errors import InputError, LedgerError
from .model import Document, Fact, Source, Status, Triple, normalize, stable_id
from .statements import statement, triple_id
from .store import Entry, Store, Writer

_TAKES_BACK = ("undo", "redo")
_MARKING = ("audit", "merge", "split", *_TAKES_BACK)


class Change(NamedTuple):
    """One thing that a ledger entry changed; JSON values only."""

    what: str
    key: str
    before: str | bool | None
    after: str | bool | None

    def inverse(self) -> Change:
        return Change(self.what, self.key, self.after, self.before)


# ---- documents ---------------------------------------------------------------------------------------------------


def write_document(store: Store, document: Document, cuts: Sequence[tuple[int, int, str]], *, defer_resolve: bool) -> Source:
    """Make `document` the live version of its uri; the same content again changes nothing."""
    live = next(store.sources(uri=document.uri), None)
    if live is not None and _same(store, live, document, cuts):
        return live
    with store.writing(defer_resolve=defer_resolve) as writer:
        source = writer.put_document(document, cuts)
        changes = [Change("version", document.uri, live.id if live else None, source.id)]
        action = "update" if live else "ingest"
        # Re-extraction replaces the facts of the same version: there is no other version to go back to.
        writer.note(action, f"{action} {document.uri}", _payload(changes), undoable=live is None or live.id != source.id)
    return store.source(source.id)


def _same(store: Store, live: Source, document: Document, cuts: Sequence[tuple[int, int, str]]) -> bool:
    if live.sha256 != document.sha256:
        return False
    old, old_cuts = store.document(live.id)
    unordered = replace(document, facts=(), mentions=()) == replace(old, facts=(), mentions=())
    facts = set(document.facts) == set(old.facts) and set(document.mentions) == set(old.mentions)
    return unordered and facts and list(cuts) == old_cuts


def forget(store: Store, source_id_or_uri: str) -> list[Source]:
    """Erase every version of a document; returns what they were."""
    versions = list(store.sources(uri=source_id_or_uri, live=None))
    if not versions:
        everything = list(store.sources(live=None))
        uri = next((source.uri for source in everything if source.id == source_id_or_uri), None)
        if uri is None:
            raise InputError(f"no source {source_id_or_uri!r}{_nearest(source_id_or_uri, [s.uri for s in everything])}")
        versions = [source for source in everything if source.uri == uri]
    with store.writing() as writer:
        for source in versions:
            writer.erase(source.id)
        # The ledger keeps the id only: a uri may be as private as the text.
        writer.note("forget", f"forget {versions[-1].id} and its history", {}, undoable=False)
    return versions


def quarantine(store: Store, source_id_or_uri: str) -> Entry:
    """Set a document aside: its text and facts count for nothing until this entry is undone; nothing is erased.

    Raises:
        InputError: no live source of that name; names the nearest uris.
    """
    live = list(store.sources())
    source = next((one for one in live if source_id_or_uri in (one.id, one.uri)), None)
    if source is None:
        raise InputError(f"no live source {source_id_or_uri!r}{_nearest(source_id_or_uri, [one.uri for one in live])}")
    _commit(store, "quarantine", f"quarantine {source.uri}", [Change("version", source.uri, source.id, None)])
    return store.ledger(1)[0]


def scrub(folder: Path, uris: Collection[str]) -> None:
    """Take the lines that name these sources out of the JSON lines in a folder: kept answers and quarantine may quote them."""
    quoted = [json.dumps(uri, ensure_ascii=plain) for uri in uris for plain in (True, False)]
    for log in folder.glob("*.jsonl"):
        lines = log.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not any(uri in line for uri in quoted)]
        if len(kept) < len(lines):
            fresh = log.with_suffix(".new")
            fresh.write_text("".join(kept), "utf-8")
            fresh.chmod(log.stat().st_mode & 0o777)
            fresh.replace(log)


# ---- statements ----------------------------------------------------------------------------------------------------


def teach(store: Store, fact: Fact, note: str = "", *, functional: bool | None = None, replacing: str | None = None) -> Triple:
    """Add a person's statement, taking back the triple it replaces, in one transaction."""
    document, made = statement(fact, note), triple_id(fact)
    if made == replacing:
        raise LedgerError(f"edit of {made} changes nothing")
    old = store.triple(replacing) if replacing else None
    live = next(store.sources(uri=document.uri), None)
    marks = [Change("retracted", old.id, old.status is Status.RETRACTED, True)] if old else []
    if _retracted(store, made):
        marks.append(Change("retracted", made, True, False))
    if functional is not None:
        relation = stable_id("r", fact.relation_iri or normalize(fact.relation))
        marks.append(Change("functional", relation, _functional(store, relation), functional))
    if live is None or marks:
        line = document.text.partition("\n")[0]
        with store.writing() as writer:
            source = live or writer.put_document(document, [(0, len(document.text), "text")])
            for change in marks:
                _make(writer, change)
            taught = [] if live else [Change("version", document.uri, None, source.id)]
            writer.note("edit" if old else "add", f"{old} becomes: {line}" if old else line, _payload(taught + marks))
    return store.triple(made)


def retract(store: Store, triple: Triple, reason: str = "") -> None:
    """Withdraw a triple; its spans and history stay."""
    if triple.status is Status.RETRACTED:
        raise LedgerError(f"{triple.id} ({triple}) is already retracted")
    _commit(store, "retract", f"{triple}{': ' if reason else ''}{reason}", [Change("retracted", triple.id, False, True)])


def audit(store: Store, triple: Triple, status: Status | None) -> None:
    """Set or remove a person's mark on a triple."""
    before = _mark(store, "status", triple.id)
    _commit(store, "audit", f"{triple} is {status or 'unmarked'}", [Change("status", triple.id, before, status)])


def link(store: Store, first: str, second: str, same: bool) -> None:
    """Write down a person's word that two entity ids are the same, or are not."""
    if first == second:
        raise LedgerError(f"{first} cannot be {'merged with' if same else 'split from'} itself")
    key = " ".join(sorted((first, second)))
    before = _mark(store, "link", key)
    _commit(store, "merge" if same else "split", key, [Change("link", key, before, same)])


# ---- undo ----------------------------------------------------------------------------------------------------------


def undo(store: Store, seq: int | None = None) -> Entry:
    """Take back one entry, by default the last that stands; returns the new entry."""
    entries = {entry.seq: entry for entry in store.ledger()}
    if seq is None:
        standing = (e for e in _newest(entries) if e.action not in _TAKES_BACK and not _undone(e, entries))
        entry = next(standing, None)
        if entry is None:
            raise LedgerError("nothing to undo")
    elif (entry := entries.get(seq)) is None:
        raise LedgerError(f"no ledger entry {seq}; the last is {store.seq}")
    return _take_back(store, entry, entries, "redo" if entry.action == "undo" else "undo")


def redo(store: Store) -> Entry:
    """Take back the last undo, as long as nothing else was done after it."""
    entries = {entry.seq: entry for entry in store.ledger()}
    for entry in _newest(entries):
        if entry.action not in _TAKES_BACK:
            break
        if entry.action == "undo" and not _undone(entry, entries):
            return _take_back(store, entry, entries, "redo")
    raise LedgerError("nothing to redo")


def _take_back(store: Store, entry: Entry, entries: dict[int, Entry], action: str) -> Entry:
    if entry.action == "redo":
        raise LedgerError(f"entry {entry.seq} is a redo; undo the entry it brought back")
    if not entry.undoable:
        raise LedgerError(f"entry {entry.seq} ({entry.summary or entry.action}) cannot be undone")
    if _undone(entry, entries):
        raise LedgerError(f"entry {entry.seq} ({entry.summary}) is already undone by {entry.undone_by}")
    changes = [change.inverse() for change in reversed(_changes(store, entry.seq))]
    if not changes:
        raise LedgerError(f"entry {entry.seq} cannot be undone: what it changed was forgotten")
    for what, key, before, _ in changes:
        if _current(store, what, key) != before:
            raise LedgerError(f"entry {entry.seq} ({entry.summary}) cannot be undone: {what} of {key} changed since")
    with store.writing() as writer:
        for change in changes:
            _make(writer, change)
        said = f"undo {entry.seq}: {entry.summary}" if action == "undo" else f"redo{entry.summary.removeprefix('undo')}"
        seq = writer.note(action, said, _payload(changes))
        writer.mark_undone(entry.seq, seq)
    return next(new for new in store.ledger(store.seq - seq + 1) if new.seq == seq)


def _newest(entries: dict[int, Entry]) -> Iterator[Entry]:
    """Latest first, without what the store did by itself."""
    return (entries[seq] for seq in sorted(entries, reverse=True) if entries[seq].action != "resolve")


def _undone(entry: Entry, entries: dict[int, Entry]) -> bool:
    by = entries.get(entry.undone_by) if entry.undone_by is not None else None
    return by is not None and not _undone(by, entries)


# ---- changes -------------------------------------------------------------------------------------------------------


def _commit(store: Store, action: str, summary: str, changes: list[Change]) -> None:
    with store.writing() as writer:
        for change in changes:
            _make(writer, change)
        writer.note(action, summary, _payload(changes))


def _make(writer: Writer, change: Change) -> None:
    after = change.after
    if change.what == "version":
        if change.before:
            writer.supersede(str(change.before))
        if after:
            writer.revive(str(after))
    elif change.what == "retracted":
        writer.set_retracted(change.key, bool(after))
    elif change.what == "status":
        writer.set_status(change.key, Status(str(after)) if after else None)
    elif change.what == "link":
        first, second = change.key.split(" ")
        writer.set_link(first, second, None if after is None else bool(after))
    else:
        writer.set_functional(change.key, bool(after))


def _current(store: Store, what: str, key: str) -> str | bool | None:
    if what == "version":
        live = next(store.sources(uri=key), None)
        return live.id if live else None
    if what == "retracted":
        return _retracted(store, key)
    if what == "functional":
        return _functional(store, key)
    return _mark(store, what, key)


def _mark(store: Store, what: str, key: str) -> str | bool | None:
    """What a person said last about a triple's status or a pair of entities."""
    for entry in sorted(store.ledger(), key=lambda entry: -entry.seq):
        if entry.action in _MARKING:
            for change in _changes(store, entry.seq):
                if (change.what, change.key) == (what, key):
                    return change.after
    return None


def _functional(store: Store, wanted: str) -> bool:
    return any(relation.functional for _, relation in store.relations() if relation.id == wanted)


def _retracted(store: Store, wanted: str) -> bool:
    try:
        return store.triple(wanted).status is Status.RETRACTED
    except InputError:
        return False


def _payload(changes: Sequence[Change]) -> dict[str, object]:
    return {"changes": [list(change) for change in changes]}


def _changes(store: Store, seq: int) -> list[Change]:
    stored = store.payload(seq).get("changes", [])
    return [Change(*change) for change in stored] if isinstance(stored, list) else []


def _nearest(wanted: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    return f"; nearest: {', '.join(map(repr, near))}" if near else ""


__all__ = ["Change", "audit", "forget", "link", "quarantine", "redo", "retract", "scrub", "teach", "undo", "write_document"]
