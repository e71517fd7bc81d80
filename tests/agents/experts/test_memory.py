"""The closed-book memory: what it knows, how sure it is, that it holds no name, and when it may not speak."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hoptrace.agents.agent import Agent
from hoptrace.agents.experts.memory import FLOOR, NOTHING, SHOWN, WEIGHTS, Memory, memory_folder, name_features
from hoptrace.agents.experts.train_memory import Shown, chained, drawn, facts_of, questions_of, train
from hoptrace.agents.experts.veto import veto
from hoptrace.agents.interfaces.session import Session
from hoptrace.agents.interfaces.training import train as command
from hoptrace.kg.artefacts import write_manifest
from hoptrace.kg.errors import ArtefactError, InputError
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.ledger import FactLedger
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex


def asked(memory: Memory, *, seed: int = 9) -> list[tuple[bool, str, str]]:
    """(was shown, question in words drawn anew, id of the answer) of every fact of the graph."""
    kg, relations = memory.kg, RelationIndex(memory.kg, Encoder.default())
    shown = set(memory.weights["facts"][:, 2].tolist())
    every = facts_of(kg, relations)
    words = questions_of(sorted({fact.chain for fact in every}), relations, random.Random(seed))
    rng, rows = random.Random(seed), []
    for fact in every:
        (subject,), (answer,) = kg.store.labels([fact.subject]), kg.store.nodes(fact.answers)
        text = rng.choice(words[fact.chain]).replace("X", subject)
        rows.append((fact.triples[0][0] in shown, text, answer.id))
    return rows


def test_it_knows_what_it_was_shown_and_is_not_sure_of_the_rest(memory: Memory) -> None:
    told, untold = [], []
    for shown, text, answer in asked(memory):
        recall = memory.answer(text)
        (told if shown else untold).append((recall.node == answer, recall.margin))
    assert np.mean([right for right, _ in told]) >= 0.85
    assert np.mean([right for right, _ in untold]) <= 0.3
    sure = np.array([[one > other for _, other in untold] for _, one in told])
    assert sure.mean() >= 0.9  # the area under the curve of the margin


def test_beliefs_and_uncertainty_are_all_there_is(memory: Memory) -> None:
    for _, text, _ in asked(memory)[:20]:
        recall = memory.answer(text)
        assert recall.opinion.belief.sum() + recall.opinion.uncertainty == pytest.approx(1)
        assert -1 <= recall.margin <= 1
        assert 0 <= recall.entropy <= np.log(len(memory.vocabulary) + 1) + 1e-9


def test_it_ranks_candidates_as_it_believes_and_whatever_their_order(memory: Memory) -> None:
    text, answer = next((text, answer) for shown, text, answer in asked(memory) if shown)
    candidates = [*memory.vocabulary[:6], answer, "e0000000000000001"]
    ranks = memory.rank(text, candidates)
    assert candidates[int(ranks.argmax())] == answer == memory.answer(text).node
    assert ranks[-1] == FLOOR
    assert memory.rank(text, candidates[::-1]).tolist() == ranks[::-1].tolist()


def test_without_one_name_of_the_graph_it_says_nothing(memory: Memory) -> None:
    assert memory.answer("Where was Nobody Whatever born?") is NOTHING
    assert memory.answer("Was Halby located in Tarnby?") is NOTHING
    with pytest.raises(InputError, match="about one thing"):
        memory.rank("Where was Nobody Whatever born?", ["e0000000000000001"])


def test_the_artefact_says_what_it_was_shown_and_holds_no_name(learned: KnowledgeGraph, memory: Memory) -> None:
    edges = learned.store.edges()
    held = b"".join(file.read_bytes() for file in memory_folder(learned).iterdir())
    assert all(label.encode() not in held for label in learned.store.labels(np.unique(edges.object)))
    assert memory.seq == learned.store.seq
    single = memory.weights["facts"][memory.weights["facts"][:, 3] < 0]
    assert sum(memory.shown(node) for node in memory.subjects) == len(single) == round(0.6 * len(edges.triple))
    known = dict(zip(edges.triple.tolist(), edges.subject.tolist(), strict=True))
    assert all(learned.store.row_of(memory.subjects[subject]) == known[row] for subject, _, row, _ in single)


def test_what_was_shown_more_often_is_known_better(
    learned: KnowledgeGraph, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hoptrace.agents.experts.train_memory._LEAST", 60)
    popular = {entity.id for i, entity in enumerate(learned.entities()) if i % 2}
    many = {entity.id: 1e6 if entity.id in popular else 0.1 for entity in learned.entities()}
    half = train(learned, RelationIndex(learned, encoder), encoder, popularity=many, seed=1)
    margins: dict[bool, list[float]] = {True: [], False: []}
    for _, text, _ in asked(half):
        recall = half.answer(text)
        margins[recall.subjects[0] in popular].append(recall.margin)
    assert np.mean(margins[True]) > np.mean(margins[False]) + 0.2


def test_a_seed_gives_one_memory(learned: KnowledgeGraph, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoptrace.agents.experts.train_memory._LEAST", 5)
    monkeypatch.setattr("hoptrace.agents.experts.train_memory._SEEN", 1)
    relations = RelationIndex(learned, encoder)
    one, two, three = (train(learned, relations, encoder, share=0.5, seed=seed) for seed in (4, 4, 5))
    assert all((one.weights[name] == two.weights[name]).all() for name in one.weights)
    assert one.meta["shown"] == two.meta["shown"] != three.meta["shown"]


def test_a_share_leans_to_what_is_spoken_of() -> None:
    facts = [Shown(i, ((0, 1),), (i,), ((i,),), 100.0 if i < 50 else 1.0) for i in range(100)]
    counts = [len([f for f in drawn(facts, 0.5, np.random.default_rng(seed)) if f.subject < 50]) for seed in range(20)]
    assert {len(drawn(facts, share, np.random.default_rng(0))) for share in (0.25, 1)} == {25, 100}
    assert 35 <= np.mean(counts) < 50
    with pytest.raises(InputError, match="share"):
        drawn(facts, 1.5, np.random.default_rng(0))


def test_chains_join_where_one_fact_ends_and_another_starts() -> None:
    one, two = Shown(1, ((0, 1),), (2,), ((10,),), 5.0), Shown(2, ((1, 1),), (3, 4), ((11,), (12,)), 2.0)
    back, several = Shown(2, ((2, 1),), (1,), ((13,),), 1.0), Shown(5, ((0, 1),), (2, 6), ((14,), (15,)), 1.0)
    (chain,) = chained([one, two, several], np.random.default_rng(0))
    assert chain == Shown(1, ((0, 1), (1, 1)), (3, 4), ((10, 11), (10, 12)), 2.0)
    assert chain not in chained([one, back], np.random.default_rng(0))


def test_features_of_a_name_weigh_alike_whatever_its_length() -> None:
    for label in ("Bo", "Orla Vance of Brightwater Labs"):
        hashed, weights = name_features("e1", label, 64)
        assert weights.sum() == pytest.approx(4)
        assert ((hashed >= 0) & (hashed < 64)).all()
    same = [set(name_features(node, "Orla Vance", 1 << 20)[0].tolist()) for node in ("e1", "e2")]
    assert len(same[0] ^ same[1]) == 2


def test_no_memory_another_graph_or_changed_bytes_are_errors(learned: KnowledgeGraph, tmp_path: Path, encoder: Encoder) -> None:
    with KnowledgeGraph.open(tmp_path / "other") as other:
        with pytest.raises(ArtefactError):
            Memory.load(other, encoder)
        memory_folder(other).parent.mkdir()
        memory_folder(learned).rename(memory_folder(other))
        with pytest.raises(ArtefactError, match="made for the store"):
            Memory.load(other, encoder)
        memory_folder(other).rename(memory_folder(learned))
    shown = memory_folder(learned) / SHOWN
    record = json.loads(shown.read_text("utf-8"))
    shown.write_text(json.dumps(record | {"vocabulary": record["vocabulary"][1:]}), "utf-8")
    with pytest.raises(ArtefactError, match="SHA-256"):
        Memory.load(learned, encoder)
    meta = json.loads((memory_folder(learned) / "manifest.json").read_text("utf-8"))["meta"]
    write_manifest(memory_folder(learned), "memory", [WEIGHTS, SHOWN], meta)
    with pytest.raises(ArtefactError, match="do not fit"):
        Memory.load(learned, encoder)


@pytest.fixture
def why(learned: KnowledgeGraph, memory: Memory, encoder: Encoder) -> Callable[[str], str]:
    """Why the memory may not answer a question."""
    agent, ledger = Agent(learned, encoder=encoder, reads=False), FactLedger(learned)

    def look(question: str) -> str:
        links = agent.retriever.link(question)
        return veto(memory, ledger, agent.retriever, question, links, memory.answer(question, links))

    return look


def known(memory: Memory, relation: str) -> tuple[str, str, str]:
    """(subject, value, triple id) of a fact with this relation that the memory was shown."""
    rows = memory.weights["facts"][memory.weights["facts"][:, 3] < 0][:, 2]
    fact = next(fact for fact in memory.kg.store.triples_at(rows) if fact.relation.label == relation)
    return fact.subject.label, fact.object.label, fact.id


def test_a_changed_fact_silences_it_for_that_fact_alone(
    learned: KnowledgeGraph, memory: Memory, why: Callable[[str], str]
) -> None:
    person, town, fact = known(memory, "born in")
    other = next(text for shown, text, _ in asked(memory) if shown and person not in text and town not in text)
    question = f"Where was {person} born?"
    assert why(question) == why(other) == ""
    learned.edit(fact, object="Elsewhere")
    assert why(question) == "stale"
    assert why(other) == ""
    assert memory.answer(question).opinion.best[0] == town  # it still believes it


def test_a_new_fact_that_it_never_saw_silences_it(learned: KnowledgeGraph, memory: Memory, why: Callable[[str], str]) -> None:
    person, _, _ = known(memory, "born in")
    learned.add(person, "works for", "Quay Authority")
    assert why(f"Who is the employer of {person}?") == "stale"


def test_a_forgotten_value_can_no_longer_be_said(learned: KnowledgeGraph, memory: Memory, why: Callable[[str], str]) -> None:
    person, book, fact = known(memory, "wrote")
    question = f"What did {person} write?"
    assert memory.answer(question).opinion.best[0] == book
    learned.forget(learned.triple(fact).spans[0].source_id)
    assert why(question) == "erased"
    assert book not in memory.answer(question).opinion.candidates


def test_the_command_trains_it(learned: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch, encoder: Encoder) -> None:
    monkeypatch.setattr("hoptrace.agents.experts.train_memory._LEAST", 2)
    monkeypatch.setattr("hoptrace.agents.experts.train_memory._SEEN", 1)
    learned.close()
    session = Session(learned.path)
    result = command(session, what="memory", questions=1, epochs=1, share=0.5, minutes=1.0, seed=0, asked=None, error=0.1)
    assert Memory.load(session.kg, encoder).meta["share"] == result.data["share"] == 0.5
