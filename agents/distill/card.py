"""A run in words: the report that is printed and the card that lies beside the student."""

from __future__ import annotations

from typing import Any

_COLUMNS = (
    ("accuracy", "right"), ("answered", "answerable"), ("step_f1", "step F1"), ("abstained", "abstained"),
    ("false_abstained", "falsely"), ("followed", "followed"),
)  # fmt: skip


def text(record: dict[str, Any]) -> str:
    """The report of a run."""
    audit, plan = record["audit"], record["plan"]
    lines = [
        f"{audit['entities']} entities, {audit['relations']} relations, {audit['triples']} triples, {audit['patterns']} patterns",
        f"{record['tasks']} tasks taught by {plan['teacher']}, {plan['steps']} steps of training of {plan['student']}",
        *(f"  left out, as {what}: {count}" for what, count in record["left_out"].items()),
        *([f"  rationales cut: {record['cut']}"] if record["cut"] else []),
    ]
    for part, systems in record["figures"].items():
        lines += ["", f"unseen {part} ({_first(systems)['n']} tasks)", *_table(systems), *_groups(systems)]
    return "\n".join(lines)


def card(record: dict[str, Any]) -> str:
    """The card of a student."""
    return f"""# A student of one graph

Trained by `hoptrace distill` on questions mined from a graph (content hash {record["plan"]["graph"][:16]}) whose answers are
executed paths. It reads a question beside numbered facts and points at the facts used and at the answer, or says that they do
not hold it. It knows the relations of this graph; what it is shown of other graphs it may misread.

Held out: seeds of questions (a fifth of the things), compositions of relations (an eighth), wordings (a sixth). "Right" counts
an abstention where the evidence does not hold the answer; "answerable" is right where it does, "abstained" the share of the
rest in which nothing is said, "falsely" nothing said though there is an answer, "followed" right after a name was swapped in
the facts.

```
{text(record)}
```
"""


def _table(systems: dict[str, Any]) -> list[str]:
    head = f"  {'':14}" + "".join(f"{title:>12}" for _, title in _COLUMNS)
    rows = [f"  {name:14}" + "".join(f"{_shown(row[key]):>12}" for key, _ in _COLUMNS) for name, row in systems.items()]
    return [head, *rows]


def _groups(systems: dict[str, Any]) -> list[str]:
    """Accuracy by hops, rarity and operation, of the student beside the teacher."""
    lines = []
    for group in ("hops", "rarity", "operations"):
        names = _first(systems)[group]
        parts = [f"{name} " + "/".join(_shown(row[group][name]) for row in systems.values()) for name in names]
        lines.append(f"  {group}: {', '.join(parts)}")
    return lines


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _first(systems: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = next(iter(systems.values()))
    return row


__all__ = ["card", "text"]
