"""Liveness and status of the triples that a transaction touched, computed from their live spans.

    proposed   no live span shows both ends (see `kg.grounding`)
    grounded   a live span does
    audited    live spans of two documents (uris) do, or a person taught it
    disputed   evidence of a functional relation that has another object at an overlapping time

A person's mark replaces the computed status. A triple without live spans keeps what its historic spans give.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from .model import EVIDENCE, Status
from .sql import Connection

_BATCH = 5_000
_QUERY = """
SELECT triple.row, triple.live, seq, status, mark, retracted, functional, any_live,
       CASE any_live WHEN 1 THEN live_uris ELSE uris END, CASE any_live WHEN 1 THEN live_human ELSE human END,
       triple.relation, subject.canon, object.canon, valid_from, valid_to
FROM (SELECT triple, max(CAST(source.live AS INTEGER)) AS any_live,
             count(DISTINCT CASE WHEN grounded AND source.live THEN uri END) AS live_uris,
             max(CAST(source.live AND source.kind = 'human' AS INTEGER)) AS live_human,
             count(DISTINCT CASE WHEN grounded THEN uri END) AS uris,
             max(CAST(source.kind = 'human' AS INTEGER)) AS human
      FROM span CROSS JOIN source ON source.row = span.source
      WHERE triple IN (SELECT value FROM json_each(?)) GROUP BY triple) AS support
CROSS JOIN triple ON triple.row = support.triple JOIN relation ON relation.row = triple.relation
JOIN node AS subject ON subject.row = triple.subject JOIN node AS object ON object.row = triple.object
"""


@dataclass(slots=True)
class _Triple:
    row: int
    was: tuple[str, bool]
    status: Status
    live: bool
    marked: bool
    subject: int
    relation: int
    object: int
    begin: int
    end: int


def refresh_statuses(db: Connection, seq: int, moved: Mapping[int, int]) -> None:
    """Recompute the touched triples; those that changed, or whose ends were merged or parted, get this `seq`.

    Args:
        moved: node rows whose representative changed, with the one they had.
    """
    forced: set[int] = set()
    for node in moved:
        forced.update(row for (row,) in db.execute("SELECT row FROM triple WHERE subject = ? OR object = ?", (node, node)))
    db.executemany("INSERT INTO touched_triple VALUES (?) ON CONFLICT DO NOTHING", ((row,) for row in forced))
    _touch_rivals(db, moved)
    groups: dict[tuple[int, int], list[_Triple]] = defaultdict(list)
    touched = [row for (row,) in db.execute("SELECT row FROM touched_triple")]
    for start in range(0, len(touched), _BATCH):
        batch = []
        for fields in db.execute(_QUERY, (json.dumps(touched[start : start + _BATCH]),)):
            triple, functional = _computed(fields)
            if functional:
                groups[(triple.subject, triple.relation)].append(triple)
            else:
                batch.append(triple)
        _store(db, seq, batch, forced)
    for group in groups.values():
        _dispute(group)
        _store(db, seq, group, forced)


def _touch_rivals(db: Connection, moved: Mapping[int, int]) -> None:
    """A functional triple may change the status of all others with its subject (now or before a merge)."""
    if not db.execute("SELECT 1 FROM relation WHERE functional LIMIT 1").fetchone():
        return
    rivals = (
        "INSERT INTO touched_triple SELECT rival.row FROM ({}) AS one CROSS JOIN node ON node.canon = one.canon "
        "CROSS JOIN triple AS rival ON rival.subject = node.row JOIN relation ON relation.row = rival.relation WHERE functional "
        "ON CONFLICT DO NOTHING"
    )
    db.execute(
        rivals.format(
            "SELECT DISTINCT node.canon FROM touched_triple CROSS JOIN triple USING (row) "
            "JOIN relation ON relation.row = relation JOIN node ON node.row = subject WHERE functional"
        )
    )
    for old in set(moved.values()):
        db.execute(rivals.format("SELECT ? AS canon"), (old,))


def _computed(fields: tuple[int | str, ...]) -> tuple[_Triple, bool]:
    row, live, _, status, mark, retracted, functional, any_live, uris, human, relation, subject, object_, begin, end = fields
    if human or int(uris) >= 2:
        computed = Status.AUDITED
    else:
        computed = Status.GROUNDED if uris else Status.PROPOSED
    triple = _Triple(
        row=int(row),
        was=(str(status), bool(live)),
        status=Status(str(mark)) if mark else computed,
        live=bool(any_live) and not retracted,
        marked=bool(mark),
        subject=int(subject),
        relation=int(relation),
        object=int(object_),
        begin=int(begin),
        end=int(end),
    )
    return triple, bool(functional)


def _dispute(group: list[_Triple]) -> None:
    """Mark live evidence that another object contradicts; sorted by start, so that a long history stays cheap."""
    rivals = sorted((one for one in group if one.live and one.status in EVIDENCE), key=lambda one: (one.begin, one.row))
    disputed: set[int] = set()
    for position, one in enumerate(rivals):
        for other in rivals[position + 1 :]:
            if other.begin >= one.end:
                break
            if other.object != one.object:
                disputed |= {one.row, other.row}
    for one in rivals:
        if one.row in disputed and not one.marked:
            one.status = Status.DISPUTED


def _store(db: Connection, seq: int, triples: list[_Triple], forced: set[int]) -> None:
    db.executemany(
        "UPDATE triple SET status = ?, live = ?, seq = ? WHERE row = ?",
        (
            (one.status.value, one.live, seq, one.row)
            for one in triples
            if one.was != (one.status.value, one.live) or one.row in forced
        ),
    )
