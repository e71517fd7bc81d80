"""Questions that lean on the last one: "And who is its mayor?", "What about Moran Glass?".

Rules alone, on questions that name nothing themselves: a pronoun stands for the last answer, or for what the last question was
about; "what about X" asks the last question again of X; "and who is the mayor?" lacks an "of ...". What was made of a question is
shown before it is asked, and whatever no rule fits stays as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...kg.errors import HoptraceError

if TYPE_CHECKING:
    from ...kg.model import Entity
    from ..agent import Agent

_LEAD = r"(?:(?:and|but|so|then|ok|okay)\b[\s,]*)"
_ABOUT = re.compile(rf"^{_LEAD}*(?:(?:what|how) about|(?<=and )(?:for|of|in)?)\s*(?P<name>[^?]+?)\s*\?*$", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?P<own>its|their|his|her(?=\s+(?!(?:in|at|on|to|from|by|with|for|of|and|or)\b)\w))\b|\b(?P<bare>it|they|them|he|him|she|her)\b"
    r"|(?<!is )(?<!are )(?<!was )(?<!were )\b(?P<place>there)\b(?! (?:is|are|was|were)\b)",
    re.IGNORECASE,
)
_LACKS = re.compile(
    rf"^{_LEAD}+(?P<ask>(?:who|what|where|which)\s+(?:is|are|was|were)\s+)?the\s+(?P<noun>[a-z][\w -]*?)\s*\?*$", re.IGNORECASE
)
_PERSON = {"he", "him", "his", "she", "her"}
_BEFORE_PLACE = re.compile(r"\b(?:in|from|to|of|near|at)\s+$", re.IGNORECASE)
_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|will)\b"
_SUBJECT = re.compile(
    rf"^(?:which|what|how many)\s+(?!{_AUXILIARY})\w+\s+(?!{_AUXILIARY})\w", re.IGNORECASE
)  # "which firms sold their"
_ASKING = frozenset("who what where which when why how whose is are was were did does do".split())


def read(question: str, last: Mapping[str, Any], agent: Agent) -> str:
    """The question as it can be asked by itself.

    Args:
        question: as it was typed.
        last: the record of the last answer.
        agent: knows the names of the graph.
    """
    about = _ABOUT.match(question)
    if about and (name := about["name"].strip()) and name.split()[0].lower() not in _ASKING and agent.retriever.link(name):
        return _swapped(name, last, agent) or question
    pronoun, lacks = _PRONOUN.search(question), _LACKS.match(f"And {about['name']}?" if about else question)
    if not (pronoun or lacks) or agent.retriever.link(question):
        return question
    things = _things(last, agent)
    if pronoun:
        if _SUBJECT.match(question) and (pronoun["own"] or pronoun[0].lower() in {"they", "them"}):
            return question  # it stands for what the question itself asks for
        thing = _meant(pronoun[0].lower(), things)
        return question if thing is None else _bare(_put(question, pronoun, thing.label))
    thing = next((one for one in things if one.type != "person"), None)
    if thing is None or lacks is None:
        return question
    return f"{_capital(lacks['ask'] or 'what is ')}the {lacks['noun']} of {thing.label}?"


def _swapped(name: str, last: Mapping[str, Any], agent: Agent) -> str:
    """The last question with what it was about replaced by `name`; "" where it was about nothing."""
    text, seeds = _linked(last)
    mentions = [seed for seed in seeds if seed["mention"] in text]
    kinds = {seed.node.type for link in agent.retriever.link(name) for seed in link.seeds[:1] if hasattr(seed.node, "type")}
    same = [seed for seed in mentions if (known := _entity(agent, seed["id"])) is not None and known.type in kinds]
    for seed in (*same, *mentions):
        return text.replace(seed["mention"], name, 1)
    return ""


def _things(last: Mapping[str, Any], agent: Agent) -> list[Entity]:
    """What a pronoun may stand for: the one answer, then what the last question named; nothing after several answers."""
    if len(last["answers"]) > 1:
        return []
    named = [*last["answers"], *(seed["id"] for seed in _linked(last)[1])]
    found = [known for name in named if (known := _entity(agent, name)) is not None]
    return list({one.id: one for one in found}.values())


def _linked(last: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The last question as it was linked, and the first thing that each of its names may mean."""
    step: Mapping[str, Any] = next((step for step in last["trace"] if step["step"] == "linked"), {"seeds": [], "rewrite": None})
    text = step["rewrite"]["text"] if step.get("rewrite") else last["question"]
    firsts: dict[str, dict[str, Any]] = {}
    for seed in step["seeds"]:
        firsts.setdefault(seed["mention"], seed)
    return text, list(firsts.values())


def _entity(agent: Agent, name: str) -> Entity | None:
    try:
        return agent.kg.entity(name)
    except HoptraceError:
        return None  # a value, or forgotten since


def _meant(pronoun: str, things: list[Entity]) -> Entity | None:
    """The first thing that the pronoun fits by its type, where any type is known to fit; else the first."""
    person = pronoun in _PERSON
    fits = [one for one in things if (one.type == "person") == person or not one.type or pronoun in {"they", "them", "their"}]
    return next(iter(fits or things), None)


def _put(question: str, pronoun: re.Match[str], label: str) -> str:
    before, after = question[: pronoun.start()], question[pronoun.end() :]
    if pronoun["place"] and not _BEFORE_PLACE.search(before):
        return f"{before}in {label}{after}"
    return f"{before}{label}{chr(39) + 's' if pronoun['own'] else ''}{after}"


def _bare(question: str) -> str:
    """Without the words that only tie it to the last one."""
    return _capital(re.sub(f"^{_LEAD}+", "", question, flags=re.IGNORECASE))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


__all__ = ["read"]
