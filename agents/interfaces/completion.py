"""What Tab offers, by place: commands, entities with their type and number of facts, relations that leave the entity chosen,
choices, and in SPARQL prefixes and predicates.

Names are looked up in the store's own index, a few at a time, so a million of them cost no more than a hundred. Where nothing
begins as typed, names that begin like it are offered by how close they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...kg.model import Entity, normalize
from . import render
from .registry import Command

if TYPE_CHECKING:
    from ...kg.adjacency import Adjacency
    from ...kg.graph import KnowledgeGraph

MOST = 20  # offers
_ALWAYS = ("help", "quit", "exit")
_NEAR = 64  # names that are looked at for a fuzzy match
_CLOSE = 60.0  # of 100
_WORDS = ("SELECT", "ASK", "CONSTRUCT", "WHERE", "FILTER", "OPTIONAL", "UNION", "GRAPH", "ORDER BY", "LIMIT", "COUNT", "DISTINCT")


class Chosen(Protocol):
    """A command of the shell itself; see `sitting.Local`."""

    @property
    def choices(self) -> Sequence[str]: ...


class Names:
    """Entities and relations of a graph, as far as a person types them.

    Attributes:
        adjacency: gives the number of facts beside a name, and the relations that leave it, once it is there.
    """

    def __init__(self, kg: KnowledgeGraph) -> None:
        self.kg = kg
        self.adjacency: Adjacency | None = None
        self._predicates: tuple[int, list[tuple[str, str]]] = (-1, [])

    def entities(self, begun: str) -> list[Entity]:
        """Those that begin so; where there are none, those that are near."""
        found = list(self.kg.store.entities(prefix=begun, limit=MOST)) if begun.strip() else []
        return found or self._near(begun)

    def beginning(self, begun: str) -> list[Entity]:
        """Those that begin so."""
        return list(self.kg.store.entities(prefix=begun, limit=MOST))

    def _near(self, begun: str) -> list[Entity]:
        """Names that share the longest beginning with what was typed, closest first."""
        from rapidfuzz import fuzz

        norm = normalize(begun)
        low, high = 1, len(norm) - 1  # the longest prefix that a name has, by halving
        found: list[Entity] = []
        while low <= high:
            middle = (low + high) // 2
            some = list(self.kg.store.entities(prefix=norm[:middle], limit=_NEAR))
            if some:
                found, low = some, middle + 1
            else:
                high = middle - 1
        scored = sorted(((fuzz.ratio(norm, normalize(one.label)), one) for one in found), key=lambda pair: -pair[0])
        return [one for score, one in scored[:MOST] if score >= _CLOSE]

    def about(self, entities: Sequence[Entity]) -> list[str]:
        """Type and number of facts of each."""
        if self.adjacency is None or not entities:
            return [one.type for one in entities]
        rows = np.array([self.kg.store.row_of(one.id) for one in entities], np.int64)
        counts = self.adjacency.degree(rows).tolist()
        return [
            ", ".join(part for part in (one.type, f"{count} facts" if count != 1 else "1 fact") if part)
            for one, count in zip(entities, counts)
        ]

    def relations(self, name: str) -> list[tuple[str, str]]:
        """(label, remark) of every relation, those that leave the entity of that name first."""
        from ...kg.errors import HoptraceError

        every = self.kg.store.relations()
        leaving: dict[int, int] = {}
        if self.adjacency is not None:
            try:
                row = self.kg.store.row_of(self.kg.entity(name).id)
            except HoptraceError:
                row = None  # a name that is new
            if row is not None:
                groups = self.adjacency.groups(np.array([row], np.int64))
                out = groups.take(groups.direction == 1)
                leaving = dict(zip(out.relation.tolist(), out.count.tolist()))
        ranked = sorted(every, key=lambda pair: (-leaving.get(pair[0], 0), pair[1].label))
        return [(relation.label, f"{leaving[row]} from here" if row in leaving else "") for row, relation in ranked]

    def predicates(self) -> list[tuple[str, str]]:
        """(as written in SPARQL, label) of every relation."""
        from ...kg.rdf_terms import write_term
        from ...kg.rdf_vocabulary import REL, relation_term

        seq = self.kg.store.seq
        if self._predicates[0] != seq:
            terms = [(relation_term(relation), relation.label) for _, relation in self.kg.store.relations()]
            written = [("rel:" + t.removeprefix(REL) if t.startswith(REL) else write_term(t), label) for t, label in terms]
            self._predicates = (seq, written)
        return self._predicates[1]


class LineCompleter(Completer):
    """Completes a line of the shell.

    Args:
        names: of the graph.
        commands: by name, behind a slash.
        local: those of the shell itself.
    """

    def __init__(self, names: Names, commands: Mapping[str, Command], local: Mapping[str, Chosen]) -> None:
        self.names, self.commands, self.local = names, commands, local

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        text = document.text_before_cursor
        head, space, rest = text.partition(" ")
        if not text.startswith("/"):
            yield from self._in_question(text)
        elif not space:
            yield from _words([f"/{name}" for name in (*self.commands, *self.local, *_ALWAYS)], head)
        elif head[1:] in self.local:
            yield from _words(self.local[head[1:]].choices, rest)
        elif head == "/help":
            yield from _words([*self.commands, *self.local], rest.lstrip("/"))
        elif head == "/sparql":
            yield from self._in_query(rest)
        elif head[1:] in self.commands:
            yield from self._argument(self.commands[head[1:]], rest)

    def _in_question(self, text: str) -> Iterator[Completion]:
        """The longest run of words that begins with a capital letter, ends at the cursor and begins a name."""
        for start in re.finditer(r"(?<!\S)[A-Z0-9]", text):
            begun = text[start.start() :]
            found = self.names.beginning(begun) if len(begun) > 1 else []
            if found:
                yield from self._named(found, begun, quote=False)
                return

    def _in_query(self, query: str) -> Iterator[Completion]:
        """Names within quotes, else predicates and prefixes, else words of the language."""
        from ...kg.sparql import PREFIXES

        if query.count('"') % 2:
            begun = query[query.rindex('"') + 1 :]
            yield from self._named(self.names.entities(begun), begun, quote=False)
            return
        begun = re.split(r"[\s{}();,]", query)[-1]
        if not begun:
            return
        offers = [*self.names.predicates(), *((f"{prefix}:", iri) for prefix, iri in PREFIXES.items())]
        fits = [(term, remark) for term, remark in offers if term.startswith(begun) and term != begun]
        yield from (
            Completion(render.one_line(term), -len(begun), display_meta=render.one_line(remark)) for term, remark in fits[:MOST]
        )
        yield from _words(_WORDS, begun.upper(), back=len(begun))

    def _argument(self, command: Command, rest: str) -> Iterator[Completion]:
        """The argument at the cursor: an option's name, a choice, an entity, or a relation of the entity before it."""
        before, begun = _cut(rest)
        if begun.startswith("-"):
            options = {f"--{a.name.replace('_', '-')}": a.help for a in command.arguments if a.option and not a.short}
            yield from (Completion(o, -len(begun), display_meta=text) for o, text in options.items() if o.startswith(begun))
            return
        asked = next((a for a in command.arguments if before and before[-1] == f"--{a.name.replace('_', '-')}"), None)
        places = [a for a in command.arguments if not a.option]
        here = asked or (places[min(len(before), len(places) - 1)] if places else None)
        if here is None:
            return
        if here.choices:
            yield from _words(here.choices, begun)
        elif here.name == "relation" and before:
            yield from self._relations(before[-1], begun)
        elif any(a.entity for a in places) and (here.entity or here.many):
            begun = rest if here.greedy else begun
            yield from self._named(
                self.names.entities(begun.lstrip('"')) if begun.strip('"') else [], begun, quote=not here.greedy
            )

    def _relations(self, name: str, begun: str) -> Iterator[Completion]:
        typed = normalize(begun.strip('"')) if begun.strip('"') else ""
        fits = [(label, remark) for label, remark in self.names.relations(name) if normalize(label).startswith(typed)]
        yield from (_completion(label, begun, remark, quote=True) for label, remark in fits[:MOST])

    def _named(self, entities: Sequence[Entity], begun: str, *, quote: bool) -> Iterator[Completion]:
        for entity, remark in zip(entities, self.names.about(entities)):
            yield _completion(entity.label, begun, remark, quote=quote)


def _completion(label: str, begun: str, remark: str, *, quote: bool) -> Completion:
    """A label in place of what was typed, in quotes where it needs them, and harmless on a terminal."""
    shown = render.one_line(label)
    text = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"' if quote and not shown.isalnum() else shown
    return Completion(text, -len(begun), display=shown, display_meta=render.one_line(remark))


def _words(words: Sequence[str], begun: str, *, back: int | None = None) -> Iterator[Completion]:
    yield from (
        Completion(word, -(len(begun) if back is None else back)) for word in words if word.startswith(begun) and word != begun
    )


def _cut(rest: str) -> tuple[list[str], str]:
    """The finished words of a line and the one at the cursor, with its opening quote."""
    words = re.findall(r'"(?:[^"\\]|\\.)*"?|\S+', rest)
    open_ = (bool(words) and not rest.endswith(" ")) or rest.count('"') % 2 == 1
    before, begun = (words[:-1], words[-1]) if open_ and words else (words, "")
    return [re.sub(r'^"|"$', "", word) for word in before], begun


__all__ = ["LineCompleter", "Names"]
