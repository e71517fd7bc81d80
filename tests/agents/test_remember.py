"""The memory of a graph: it knows what it was shown, says nothing of what has changed, and never of what was erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hoptrace import Agent, KnowledgeGraph
from hoptrace.kg.errors import ArtefactError, InputError
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.relations import RelationIndex

pytest.importorskip("torch")

NAMES = "Alda Bering Calder Dorn Eklund Falk Grieg Hollis Ibsen Jansen Krog Lund".split()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph of firms, a document each, and the memory of all its facts."""
    from hoptrace.agents.experts.train_memory import install, train

    folder = tmp_path_factory.mktemp("memory")
    for name in NAMES:
        (folder / f"{name}.md").write_text(
            f"{name} Mills is owned by {name} Holding. {name} Mills is based in {name}stad.\n", "utf-8"
        )
    with KnowledgeGraph.open(folder / "kg") as kg:
        kg.ingest(sorted(folder.glob("*.md")))
        encoder = Encoder.default()
        install(train(kg, RelationIndex(kg, encoder), encoder, minutes=2))
    return folder


@pytest.fixture
def agent(trained: Path, tmp_path: Path) -> Iterator[Agent]:
    import shutil

    shutil.copytree(trained / "kg", tmp_path / "kg")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        yield Agent(kg, reads=False)


def test_it_knows_what_it_was_shown(agent: Agent) -> None:
    right = [agent.ask(f"Where is {name} Mills based?", action="internal").answers == (f"{name}stad",) for name in NAMES]
    assert sum(right) >= 11
    answer = agent.ask("Where is Bering Mills based?", action="internal")
    assert answer.route.action == "internal"
    assert answer.citations == ()
    assert "no source was read" in answer.text
    assert answer.route.scores["taught"] > 0


def test_it_is_one_of_the_actions_and_not_the_rules_choice(agent: Agent) -> None:
    assert "internal" in agent.actions
    assert agent.ask("Where is Bering Mills based?").route.action == "path"


def test_what_has_changed_is_not_said_from_memory(agent: Agent) -> None:
    fact = next(t for t in agent.kg.triples(subject="Bering Mills") if "headquartered" in t.relation.label)
    agent.kg.edit(fact.id, object="Quornstad")
    answer = agent.ask("Where is Bering Mills based?", action="internal")
    assert answer.status == "abstained"
    assert "changed since" in answer.route.reason
    assert agent.ask("Where is Bering Mills based?").answers == ("Quornstad",)
    assert agent.ask("Where is Calder Mills based?", action="internal").answers == ("Calderstad",)


def test_what_was_erased_stands_nowhere_in_the_answer(agent: Agent) -> None:
    agent.kg.forget(next(source.uri for source in agent.kg.sources() if "Bering" in source.uri))
    for question in ("Where is Bering Mills based?", "In which city is Bering Mills headquartered?"):
        answer = agent.ask(question, action="internal")
        assert answer.status == "abstained"
        assert "Beringstad" not in json.dumps(answer.to_dict())


def test_a_damaged_memory_is_left_aside_with_a_warning(agent: Agent) -> None:
    from hoptrace.agents.experts.memory import Memory, memory_folder

    file = memory_folder(agent.kg) / "memory.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArtefactError):
        Memory.load(agent.kg)
    with pytest.warns(UserWarning, match="memory is not used"):
        assert agent.ask("Where is Bering Mills based?").answers == ("Beringstad",)
    assert "internal" not in agent.actions


def test_candidates_are_ranked_by_what_it_was_shown(agent: Agent) -> None:
    from hoptrace.agents.experts.memory import Memory

    memory = Memory.load(agent.kg)
    names = ["Aldastad", "Beringstad", "Calderstad"]
    ranks = memory.rank("Where is Bering Mills based?", [agent.kg.entity(name).id for name in names])
    assert names[int(ranks.argmax())] == "Beringstad"
    with pytest.raises(InputError):
        memory.rank("Who owns what?", [])


def test_an_empty_graph_has_nothing_to_learn(tmp_path: Path) -> None:
    from hoptrace.agents.experts.train_memory import train

    with KnowledgeGraph.open(tmp_path / "kg") as kg, pytest.raises(InputError):
        train(kg, RelationIndex(kg, Encoder.default()), Encoder.default())
