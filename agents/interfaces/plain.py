"""Values as the plain dictionaries that JSON output and the answer log hold."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...kg.model import Entity, Triple


def value(given: Any) -> Any:
    """Only what JSON knows: dates and enumerations as text, tuples as lists, numpy numbers as Python's."""
    if isinstance(given, dict):
        return {str(name): value(inner) for name, inner in given.items()}
    if isinstance(given, (list, tuple)):
        return [value(inner) for inner in given]
    if given is None or type(given) in (str, int, float, bool):
        return given
    return given.item() if hasattr(given, "item") else str(given)


def facts(kg: KnowledgeGraph, found: Entity, limit: int) -> list[dict[str, Any]]:
    store = kg.store
    around = chain(store.triples(subject=found.id), store.triples(object=found.id))
    return [fact(kg, triple) for triple in islice(around, max(0, limit))]


def fact(kg: KnowledgeGraph, triple: Triple) -> dict[str, Any]:
    """A triple and the places that state it, as plain values."""
    spans = [f"{kg.store.source(span.source_id).uri}:{span.start}-{span.end}" for span in triple.spans]
    row = {name: getattr(triple, name) for name in ("id", "status", "valid_from", "valid_to", "recorded_at", "retracted_at")}
    names = {"subject": triple.subject.label, "relation": triple.relation.label, "object": triple.object.label}
    return {**names, **value(row), "sources": spans}


def step(event: Any, question: str) -> dict[str, Any]:
    """A step as plain JSON values, without what the answer's own object already holds."""
    name = type(event).__name__.lower()
    if name == "linked":
        text = event.rewrite.text if event.rewrite else question
        names = [(text[s.start : s.end], s.node.label, s.node.id, float(s.score)) for s in event.seeds]
        seeds = [dict(zip(("mention", "label", "id", "score"), seed)) for seed in names]
        return {"step": name, "seeds": seeds, "rewrite": _rewrite(event.rewrite)}
    if name == "retrieved":
        paths = [{"text": str(p), **_scores(p), "triples": [hop.triple.id for hop in p.hops]} for p in event.paths]
        hits = [{"chunk_id": hit.chunk.id, **_scores(hit)} for hit in event.hits]
        return {"step": name, "paths": paths, "hits": hits, "truncated": list(event.truncated)}
    if name in ("gated", "answered"):
        return {"step": name}
    return {"step": name, **{field: value(getattr(event, field)) for field in event.__dataclass_fields__}}


def _scores(found: Any) -> dict[str, Any]:
    return {"score": float(found.score), "parts": {name: float(value) for name, value in found.parts.items()}}


def _rewrite(made: Any) -> dict[str, Any] | None:
    """What was asked in place of the question and why, None where it was left as it is."""
    if made is None:
        return None
    edits = [{"how": edit.how, "before": edit.before, "after": edit.after} for edit in made.edits]
    gain = {"linked": list(made.linked), "path": list(made.path), "similarity": made.similarity}
    return {"text": made.text, "edits": edits, **gain, "cards": [value(asdict(card)) for card in made.cards]}
