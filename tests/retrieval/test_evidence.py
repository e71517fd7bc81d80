"""Packing evidence under a token budget."""

from __future__ import annotations

from typing import Any

import pytest
from hoptrace.agents.agent import Agent
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import Hop, Path
from hoptrace.retrieval.base import Budget, Hit
from hoptrace.retrieval.difficulty import EvidenceDifficulty
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.evidence import pack, tokens_for


@pytest.fixture
def paths(harbour: KnowledgeGraph) -> list[Path]:
    """One path of one hop for each of the three ships."""
    return [Path((Hop(triple, -1),)) for triple in harbour.triples(relation="built by")]


@pytest.fixture
def hits(harbour: KnowledgeGraph) -> list[Hit]:
    return [Hit(row, chunk, 1.0, {}) for row, chunk in harbour.store.chunks()]


def cost(encoder: Encoder, *texts: str) -> int:
    return sum(encoder.count_tokens(list(texts)))


def packed(harbour: KnowledgeGraph, encoder: Encoder, found: list[Path], hits: list[Hit], **limits: Any) -> Any:
    return pack(harbour, encoder, found, hits, Budget(**limits), set())


def quote(path: Path) -> str:
    return path.hops[0].triple.spans[0].quote


def test_everything_that_fits_is_kept_in_order(
    harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path], hits: list[Hit]
) -> None:
    evidence = packed(harbour, encoder, paths, hits, tokens=10_000)
    assert evidence.paths == tuple(paths)
    assert evidence.hits == tuple(hits)
    assert evidence.truncated == ()
    assert evidence.tokens == cost(encoder, *map(quote, paths), hits[0].chunk.text)
    assert evidence.window_tokens == cost(encoder, hits[0].chunk.text)


def test_paths_cost_less_than_the_chunks_around_them(harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path]) -> None:
    evidence = packed(harbour, encoder, paths, [])
    assert 0 < evidence.tokens < evidence.window_tokens


def test_a_quote_shared_by_two_paths_is_paid_once(harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path]) -> None:
    twice = packed(harbour, encoder, [paths[0], paths[0]], [])
    assert twice.tokens == cost(encoder, quote(paths[0]))
    assert len(twice.paths) == 2


def test_what_does_not_fit_is_left_out_and_named(
    harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path], hits: list[Hit]
) -> None:
    limit = cost(encoder, quote(paths[0]), quote(paths[1]))
    evidence = packed(harbour, encoder, paths, hits, tokens=limit)
    assert evidence.paths == tuple(paths[:2])
    assert evidence.hits == ()
    assert evidence.tokens <= limit
    assert evidence.truncated == ("tokens",)


def test_the_first_path_is_kept_whatever_it_costs(harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path]) -> None:
    assert packed(harbour, encoder, paths, [], tokens=1).paths == (paths[0],)


def test_paths_and_chunks_are_counted_too(harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path], hits: list[Hit]) -> None:
    evidence = packed(harbour, encoder, paths, hits * 3, tokens=10_000, paths=2, chunks=1)
    assert (len(evidence.paths), len(evidence.hits)) == (2, 1)


def test_nothing_found_costs_nothing(harbour: KnowledgeGraph, encoder: Encoder) -> None:
    evidence = packed(harbour, encoder, [], [])
    assert (evidence.paths, evidence.hits, evidence.tokens, evidence.window_tokens) == ((), (), 0, 0)


def test_budgets_hit_before_are_kept(agent: Agent, paths: list[Path]) -> None:
    assert agent.retriever.pack(paths, [], {"hub"}).truncated == ("hub",)


def test_paths_cost_what_their_difficulty_asks_for(harbour: KnowledgeGraph, encoder: Encoder, paths: list[Path]) -> None:
    budget = Budget(tokens=10_000)
    many = [path for path in paths for _ in range(3)]
    easy, hard = (pack(harbour, encoder, many, [], budget, set(), EvidenceDifficulty(scope, 0.5)) for scope in (1, 12))
    assert easy.tokens <= tokens_for(EvidenceDifficulty(1, 0.5), budget) < tokens_for(EvidenceDifficulty(12, 0.5), budget)
    assert len(easy.paths) <= len(hard.paths)
    assert easy.truncated == ()  # the budget of the caller was not hit
