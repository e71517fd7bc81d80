"""Brings derived rows up to date once per transaction: orphans, labels, merges, statuses.

Each step looks only at what the transaction touched, and computes it anew from the rows that live sources hold. That
is why the order of documents does not matter and erasing one leaves what reading the others would have given.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from itertools import groupby

from .model import normalize
from .resolve import Candidate, Link, Pair, block_of, canonical, links
from .sql import ENDS, Connection, end_keys
from .sql_status import refresh_statuses

# CROSS JOIN below is SQLite's way of saying which table comes first: it knows nothing of how few rows a transaction
# touched, and would rather scan the large table.
TOUCHED = ("touched_triple", "touched_node", "touched_relation")


class Settle:
    """The touched rows of one transaction and what to do about them at its end."""

    def __init__(self, db: Connection, seq: int) -> None:
        self._db, self._seq = db, seq
        self._moved: dict[int, int] = {}  # node row -> canonical row before this transaction
        for table in TOUCHED:
            db.execute(f"DELETE FROM {table}")

    def touch_triples(self, rows: Iterable[int]) -> None:
        self._db.executemany("INSERT INTO touched_triple VALUES (?) ON CONFLICT DO NOTHING", ((row,) for row in rows))

    def touch_nodes(self, rows: Iterable[int]) -> None:
        self._db.executemany("INSERT INTO touched_node VALUES (?) ON CONFLICT DO NOTHING", ((row,) for row in rows))

    def dirty(self, blocks: Iterable[str]) -> None:
        """Let these blocks wait for entity resolution."""
        self._db.executemany("INSERT INTO dirty_block VALUES (?) ON CONFLICT DO NOTHING", ((block,) for block in blocks))

    def forget_refs(self, keys: Collection[int]) -> None:
        """Blank the ledger entries about erased things."""
        listed = json.dumps(list(keys))
        self._db.execute(
            "UPDATE ledger SET summary = '(forgotten)', payload = '{}', undoable = FALSE WHERE seq != ? AND seq IN "
            "(SELECT seq FROM ledger_ref WHERE key IN (SELECT value FROM json_each(?)))",
            (self._seq, listed),
        )
        self._db.execute("DELETE FROM ledger_ref WHERE key IN (SELECT value FROM json_each(?))", (listed,))

    def finish(self, *, defer_resolve: bool) -> int:
        """Returns how many blocks were resolved."""
        self._drop_orphans()
        resolved = 0 if defer_resolve else self.resolve_waiting()
        refresh_statuses(self._db, self._seq, self._moved)
        return resolved

    # ---- orphans, labels

    def _drop_orphans(self) -> None:
        self._drop_triples()
        self._refresh_relations()
        self._refresh_nodes()

    def _drop_triples(self) -> None:
        """Delete touched triples that no span supports any more, live or historic."""
        gone = self._db.execute(
            "SELECT triple.row, key, subject, object FROM touched_triple CROSS JOIN triple USING (row) "
            "WHERE NOT EXISTS (SELECT 1 FROM span WHERE span.triple = triple.row)"
        ).fetchall()
        if not gone:
            return
        self.touch_nodes(node for _, _, *ends in gone for node in ends)
        rows = [row for row, *_ in gone]
        listed = (json.dumps(rows),)
        ends = self._db.execute(
            ENDS.format(which="triple.row IN (SELECT value FROM json_each(?1))"), listed
        ).fetchall()  # what a forgotten fact was about, as hashes: whoever learned it must know not to say it
        stones = [("end", key) for key in end_keys(ends)] + [("triple", row) for row in rows]
        self._db.executemany(
            "INSERT INTO tombstone VALUES (?, ?, ?) ON CONFLICT DO NOTHING", ((self._seq, *one) for one in stones)
        )
        for table, column in (("touched_triple", "row"), ("retraction", "triple"), ("triple", "row")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", listed)
        self.forget_refs([key for _, key, *_ in gone])

    def _refresh_relations(self) -> None:
        """A relation shows the label that most live sources use; without a source or triple it goes."""
        for row, label in self._db.execute("SELECT row, label FROM touched_relation CROSS JOIN relation USING (row)").fetchall():
            used = self._db.execute(
                "SELECT text FROM relation_name CROSS JOIN source ON source.row = relation_name.source "
                "WHERE relation = ? AND live GROUP BY text ORDER BY count(*) DESC, text LIMIT 1",
                (row,),
            ).fetchone()
            if used and used[0] != label:
                self._db.execute("UPDATE relation SET label = ? WHERE row = ?", (used[0], row))
        self._db.execute(
            "DELETE FROM relation WHERE row IN (SELECT row FROM touched_relation) "
            "AND NOT EXISTS (SELECT 1 FROM relation_name WHERE relation_name.relation = relation.row)"
        )
        self._db.execute("DELETE FROM touched_relation")

    def _refresh_nodes(self) -> None:
        """A node shows the label and type that most live sources use; without a name (or triple) it goes."""
        labels: dict[int, Counter[str]] = defaultdict(Counter)
        types: dict[int, Counter[str]] = defaultdict(Counter)
        for row, text, type_, used in self._db.execute(
            "SELECT node, text, type, used FROM touched_node CROSS JOIN name ON name.node = touched_node.row "
            "CROSS JOIN source ON source.row = name.source WHERE source.live"
        ):
            labels[row][text] += used
            if type_:
                types[row][type_] += 1
        changed, blocks = [], set()
        for row, label, type_, block, live in self._db.execute(
            "SELECT row, label, type, block, live FROM touched_node CROSS JOIN node USING (row) WHERE kind = 'entity'"
        ):
            shown = (_most(labels[row]), _most(types[row]), True) if row in labels else (label, type_, False)
            if shown != (label, type_, live):
                norm = normalize(shown[0])
                changed.append((*shown, norm, block_of(norm), row))
                blocks |= {block, block_of(norm)}
        self._db.executemany("UPDATE node SET label = ?, type = ?, live = ?, norm = ?, block = ? WHERE row = ?", changed)
        self.dirty(blocks)
        self._drop_nodes()
        self._db.execute("DELETE FROM touched_node")

    def _drop_nodes(self) -> None:
        gone = self._db.execute(
            "SELECT row, key FROM touched_node CROSS JOIN node USING (row) WHERE CASE kind "
            "WHEN 'entity' THEN NOT EXISTS (SELECT 1 FROM name WHERE name.node = node.row) "
            "ELSE NOT EXISTS (SELECT 1 FROM triple WHERE triple.object = node.row) END"
        ).fetchall()
        if not gone:
            return
        rows, keys = {row for row, _ in gone}, [key for _, key in gone]
        listed, named = json.dumps(list(rows)), json.dumps(keys)
        within = "IN (SELECT value FROM json_each({}))"
        self._db.execute(
            f"INSERT INTO dirty_block SELECT block FROM node WHERE kind = 'entity' AND canon {within.format('?1')} "
            "UNION SELECT block FROM node WHERE kind = 'entity' AND key IN "
            f"(SELECT first FROM link_mark WHERE second {within.format('?2')} "
            f"UNION SELECT second FROM link_mark WHERE first {within.format('?2')}) ON CONFLICT DO NOTHING",
            (listed, named),
        )
        merged = f"SELECT row, canon FROM node WHERE canon {within.format('?')} AND row != canon"
        for other, head in self._db.execute(merged, (listed,)).fetchall():
            if other not in rows:
                self._move(other, head, other)
        for table in ("link", "link_mark"):
            self._db.execute(f"DELETE FROM {table} WHERE first {within.format('?1')} OR second {within.format('?1')}", (named,))
        self._db.execute(f"DELETE FROM node WHERE row {within.format('?')}", (listed,))
        for row in rows:
            self._moved.pop(row, None)
        self.forget_refs(keys)

    # ---- merges

    def resolve_waiting(self) -> int:
        """Resolve every waiting block; returns how many there were."""
        self._drop_orphans()
        waiting = int(self._db.execute("SELECT count(*) FROM dirty_block").fetchone()[0])
        if not waiting:
            return 0
        same, apart = self._marks()
        self._relink(apart)
        keys = self._component_keys(same)
        self._assign(keys, same, apart)
        self._db.execute("DELETE FROM dirty_block")
        return waiting

    def _marks(self) -> tuple[set[Pair], set[Pair]]:
        same: set[Pair] = set()
        apart: set[Pair] = set()
        for first, second, together in self._db.execute("SELECT first, second, same FROM link_mark"):
            (same if together else apart).add((first, second))
        return same, apart

    def _relink(self, apart: set[Pair]) -> None:
        """Replace the rules' links of the waiting blocks."""
        self._db.execute("DELETE FROM link WHERE block IN (SELECT block FROM dirty_block)")
        rows = self._db.execute(
            "SELECT block, key, norm, type, iri FROM dirty_block CROSS JOIN node USING (block) "
            "WHERE kind = 'entity' AND live ORDER BY block"
        )
        found: list[tuple[int, int, str, str, float]] = []
        for block, group in groupby(rows, key=lambda row: str(row[0])):
            candidates = [Candidate(*fields) for _, *fields in group]
            if len(candidates) > 1:
                found += ((first, second, block, why, score) for first, second, why, score in links(candidates, apart))
        self._db.executemany("INSERT INTO link VALUES (?, ?, ?, ?, ?)", found)

    def _component_keys(self, same: set[Pair]) -> set[int]:
        """Every entity whose representative may differ now: whole components that reach into a waiting block."""
        neighbours: dict[int, set[int]] = defaultdict(set)
        for first, second in same:
            neighbours[first].add(second)
            neighbours[second].add(first)
        start = {
            int(key)
            for (key,) in self._db.execute(
                "SELECT first FROM link WHERE block IN (SELECT block FROM dirty_block) UNION "
                "SELECT second FROM link WHERE block IN (SELECT block FROM dirty_block) UNION "
                "SELECT key FROM dirty_block CROSS JOIN node USING (block) WHERE kind = 'entity' AND canon != row UNION "
                "SELECT other.key FROM node AS other CROSS JOIN node ON node.row = other.canon "
                "WHERE other.canon != other.row AND node.block IN (SELECT block FROM dirty_block) UNION "
                "SELECT key FROM node WHERE key IN (SELECT value FROM json_each(?)) AND block IN (SELECT block FROM dirty_block)",
                (json.dumps(list(neighbours)),),
            )
        }
        reached, frontier = set(start), start
        while frontier:
            listed = json.dumps(list(frontier))
            pairs = self._db.execute(
                "SELECT second FROM link WHERE first IN (SELECT value FROM json_each(?1)) UNION "
                "SELECT first FROM link WHERE second IN (SELECT value FROM json_each(?1))",
                (listed,),
            )
            found = {int(key) for (key,) in pairs}.union(*(neighbours[key] for key in frontier & neighbours.keys()))
            frontier = found - reached
            reached |= frontier
        return reached

    def _assign(self, keys: set[int], same: set[Pair], apart: set[Pair]) -> None:
        """Store the representative of every entity of these components."""
        listed = json.dumps(list(keys))
        nodes = self._db.execute(
            "SELECT key, norm, type, iri, row, canon, live FROM node WHERE key IN (SELECT value FROM json_each(?))", (listed,)
        ).fetchall()
        found = [
            Link(*fields)
            for fields in self._db.execute(
                "SELECT first, second, reason, score FROM link WHERE first IN (SELECT value FROM json_each(?))", (listed,)
            )
        ]
        members = {key: Candidate(key, norm, type_, iri) for key, norm, type_, iri, _, _, live in nodes if live}
        rows = {key: row for key, *_, row, _, _ in nodes}
        heads = canonical(members, found, same, [couple for couple in apart if keys.issuperset(couple)])
        for key, *_, row, canon, _ in nodes:
            head = rows[heads.get(key, key)]
            if head != canon:
                self._move(row, canon, head)

    def _move(self, row: int, old: int, new: int) -> None:
        self._db.execute("UPDATE node SET canon = ? WHERE row = ?", (new, row))
        self._moved.setdefault(row, old)


def _most(counts: Counter[str]) -> str:
    """The most frequent, the alphabetically first of several; "" of none."""
    return min(counts, key=lambda text: (-counts[text], text), default="")
