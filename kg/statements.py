"""What a person states: Python values as names and literals, facts, and the small document that carries one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from .errors import InputError
from .model import Document, Fact, Literal, Mention, Name, normalize, stable_id, text_hash


def literal(value: bool | int | float | Decimal | date) -> Literal:
    """A Python value as a typed literal.

    Raises:
        InputError: not a finite number, or of another type.
    """
    if isinstance(value, bool):
        return Literal(str(value).lower(), "boolean")
    if isinstance(value, int):
        return Literal(str(value), "integer")
    if isinstance(value, float | Decimal):
        number = Decimal(str(value))
        if number.is_finite():
            return Literal(format(number, "f"), "decimal")
    if isinstance(value, date) and not isinstance(value, datetime):
        return Literal(value.isoformat(), "date")
    raise InputError(f"no value {value!r}; a name, a finite number, a bool, a date or a Literal")


def fact(
    subject: Name, relation: str, object_: Name | Literal, valid_from: date | None, valid_to: date | None, relation_iri: str = ""
) -> Fact:
    """A fact that a person states.

    Raises:
        InputError: an empty name, or an end that is not after the start.
    """
    object_label = object_.label if isinstance(object_, Name) else "value"
    for what, label in (("subject", subject.label), ("relation", relation), ("object", object_label)):
        if not label.strip():
            raise InputError(f"{what} is empty")
    if valid_from and valid_to and valid_to <= valid_from:
        raise InputError(f"valid_to {valid_to} is not after valid_from {valid_from}")
    return Fact(subject, relation.strip(), object_, 0, 0, valid_from=valid_from, valid_to=valid_to, relation_iri=relation_iri)


def statement(fact: Fact, note: str = "") -> Document:
    """A taught fact as a small document whose text is the fact, so that it has a span and can be cited.

    Its uri follows from its content: the same statement again is the same source.
    """
    object_ = fact.object.label if isinstance(fact.object, Name) else fact.object.value
    since = f", from {fact.valid_from}" if fact.valid_from else ""
    until = f", until {fact.valid_to}" if fact.valid_to else ""
    text = f"{fact.subject.label} {fact.relation} {object_}{since}{until}."
    mentions = [Mention(fact.subject, 0, len(fact.subject.label))]
    if isinstance(fact.object, Name):
        start = len(f"{fact.subject.label} {fact.relation} ")
        mentions.append(Mention(fact.object, start, start + len(object_)))
    fact = replace(fact, start=0, end=len(text), extractor="human", confidence=1.0)
    text = f"{text}\n{note}" if note else text
    uri = "human:" + stable_id("h", triple_id(fact), text)[1:]
    return Document(uri, "text/plain", text, text_hash(text), kind="human", facts=(fact,), mentions=tuple(mentions))


def triple_id(fact: Fact) -> str:
    """The id that a fact's triple gets in every store."""
    relation = stable_id("r", fact.relation_iri or normalize(fact.relation))
    days = [day.isoformat() if day else "" for day in (fact.valid_from, fact.valid_to)]
    return stable_id("t", _node_id(fact.subject), relation, _node_id(fact.object), *days)


def _node_id(node: Name | Literal) -> str:
    if isinstance(node, Literal):
        return node.id
    return stable_id("e", node.iri) if node.iri else stable_id("e", normalize(node.label), node.type)


__all__ = ["fact", "literal", "statement", "triple_id"]
