"""Parts that keep in step with the store, asked by one thread while another is bringing them in step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import normalize
from hoptrace.retrieval import names, temporal, words
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.names import NameIndex
from hoptrace.retrieval.question import Unit, understand
from hoptrace.retrieval.relations import RelationIndex
from hoptrace.retrieval.temporal import TightGraph
from hoptrace.retrieval.words import WordIndex


@pytest.fixture
def overlapped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """`overlapped(owner, name, ask)`: what `ask` gives to a first thread, held up in `owner.name`, and to a second meanwhile."""

    def run(owner: Any, name: str, ask: Callable[[], Any]) -> list[Any]:
        inside, go_on, whole = threading.Event(), threading.Event(), getattr(owner, name)

        def held(*arguments: Any, **options: Any) -> Any:
            if not inside.is_set():
                inside.set()
                go_on.wait(20)
            return whole(*arguments, **options)

        monkeypatch.setattr(owner, name, held)
        given: dict[int, Any] = {}

        def asking(number: int) -> None:
            given[number] = ask()

        first, second = (threading.Thread(target=asking, args=(number,)) for number in (0, 1))
        first.start()
        assert inside.wait(20)
        second.start()
        second.join(0.2)  # long enough for an answer that does not wait
        go_on.set()
        first.join(20)
        second.join(20)
        return [given.get(0), given.get(1)]

    return run


def units(question: str) -> tuple[Unit, ...]:
    return understand(question, []).units


def test_names_are_whole_for_the_second_thread(harbour: KnowledgeGraph, overlapped: Callable[..., list[Any]]) -> None:
    index = NameIndex(harbour.store)
    first, second = overlapped(names, "_Block", lambda: index.near(normalize("Brightwater Lab")))
    assert first == second != []


def test_relations_are_whole_for_the_second_thread(
    harbour: KnowledgeGraph, encoder: Encoder, overlapped: Callable[..., list[Any]]
) -> None:
    index = RelationIndex(harbour, encoder)
    first, second = overlapped(index, "_step_vectors", lambda: index.gains(units("Who founded it?")).tolist())
    assert first == second != []


def test_tightened_intervals_are_made_once(
    harbour: KnowledgeGraph, encoder: Encoder, overlapped: Callable[..., list[Any]]
) -> None:
    graph = TightGraph(harbour, RelationIndex(harbour, encoder))
    first, second = overlapped(temporal, "tighten", graph.adjacency)
    assert first is second is not None


def test_the_word_table_is_made_once(harbour: KnowledgeGraph, overlapped: Callable[..., list[Any]]) -> None:
    index = WordIndex(harbour)
    first, second = overlapped(words, "position", index.table)
    assert first is second is not None


def test_gains_are_those_of_the_units_asked_for(harbour: KnowledgeGraph, encoder: Encoder) -> None:
    mine, other = units("Who founded it?"), units("Where are the suppliers headquartered?")

    class Interrupted(RelationIndex):
        """Another thread asks whenever gains have just been kept."""

        kept: Any = ((-1, ()), None)

        @property  # type: ignore[override]
        def _last(self) -> Any:
            return self.kept

        @_last.setter
        def _last(self, value: Any) -> None:
            self.kept = value
            if value[0][1] == mine:
                self.gains(other)

    expected = RelationIndex(harbour, encoder).gains(mine)
    assert Interrupted(harbour, encoder).gains(mine).tolist() == expected.tolist()
