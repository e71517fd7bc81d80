"""A causal language model as student: a tiny one, made here with random weights, runs to a packaged artefact through peft."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hoptrace.agents.distill import markers
from hoptrace.agents.distill.causal import CausalLearner, reading, written
from hoptrace.agents.distill.evidence import Example
from hoptrace.agents.distill.teachers import Chain
from hoptrace.agents.interfaces.cli import main
from hoptrace.agents.student import Spot
from hoptrace.kg.artefacts import load_artefact
from hoptrace.kg.errors import ArtefactError, InputError, MissingPathError
from hoptrace.kg.graph import KnowledgeGraph
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("peft")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two narrow layers with random weights and a tokenizer of single characters."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: i for i, word in enumerate(["<end>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    ends = {"eos_token": "<end>", "pad_token": "<end>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=2048, eos_token_id=0, pad_token_id=0, bos_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("adapter", ["lora", "kasa"])
def test_adapters_learn_and_are_the_same_when_training_was_interrupted(
    tiny: Path, examples: list[Example], tmp_path: Path, adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hoptrace.agents.distill.causal._SAVE", 2)
    learner, pairs, lines = CausalLearner(tiny, adapter), [(e.task, e.target) for e in examples[:12]], list[str]()
    files = learner.train(pairs, tmp_path / "whole", 6, 0, lines.append)
    losses = [float(line.rpartition(" ")[2]) for line in lines]
    assert len(losses) == 3

    class Killed(Exception):
        pass

    def kill(line: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        learner.train(pairs, tmp_path / "cut", 6, 0, kill)
    again = list[str]()
    learner.train(pairs, tmp_path / "cut", 6, 0, again.append)
    assert again[0] == "going on after step 2"
    for file in files:
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "cut" / file).read_bytes(), file
    found = learner.load(tmp_path / "whole").read(examples[0].task)
    assert 0.0 <= found.absent <= 1.0


@pytest.mark.parametrize("hops", [1, 3])
def test_a_completion_holds_the_chain_and_its_markers(tiny: Path, examples: list[Example], hops: int) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    example = next(e for e in examples if e.query.hops == hops and e.answers and e.query.operation in ("lookup", "list"))
    ids, start = written(tokenizer, example.task, example.target, random.Random(0))
    prompt, said = tokenizer.decode(ids[:start]), tokenizer.decode(ids[start:], skip_special_tokens=True)
    assert example.task.question in prompt
    assert all(f"[{i}] {item.text}" in prompt for i, item in enumerate(example.task.items, 1))
    known, chain = markers.parse(said)
    assert known["evidence"] == "full"
    assert set(json.loads(chain)["answers"]) == set(example.answers)
    assert json.loads(chain)["steps"] == [step + 1 for step in example.target.steps]


def test_what_it_writes_is_believed_as_far_as_it_stands_in_the_evidence(examples: list[Example]) -> None:
    example = next(e for e in examples if e.query.operation == "lookup" and e.answers)
    spot = example.gold.spots[0]
    chain = Chain("lookup", (*example.gold.steps, 99), (*example.answers, "Nobody Known"))
    found = reading(example.task, chain)
    assert [step for step, _ in found.steps] == list(example.gold.steps)
    assert [place for place, _ in found.answers] == [Spot(example.gold.steps[-1], spot.start, spot.end)]
    assert found.absent == 0
    assert reading(example.task, Chain("lookup", (), ("Nobody Known",))).absent == 1
    assert reading(example.task, "not JSON").absent == 1


@given(st.text())
def test_any_text_is_read_for_markers(text: str) -> None:
    known, rest = markers.parse(text)
    assert set(known) <= set(markers.NAMES)
    assert rest in text


@given(st.dictionaries(st.sampled_from(markers.NAMES), st.sampled_from(["1", "full"])), st.integers())
def test_markers_come_back_and_dropping_only_drops(known: dict[str, str], seed: int) -> None:
    assert markers.parse(markers.render(known) + " rest") == (known, "rest")
    assert markers.drop(known, random.Random(seed)).items() <= known.items()


def test_folders_that_hold_no_model_are_refused(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(MissingPathError, match="packaged, or the folder"):
        CausalLearner(tmp_path / "none")
    with pytest.raises(InputError, match="no weights"):
        CausalLearner(tmp_path)
    with pytest.raises(InputError, match="lora, kasa"):
        CausalLearner(tiny, "other")
    with pytest.raises(ArtefactError, match="no adapter"):
        CausalLearner(tiny).load(tmp_path)


def test_the_command_runs_to_a_packaged_student(
    tiny: Path, trade: KnowledgeGraph, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hoptrace.agents.distill.causal._NEW_TOKENS", 8)
    words = [
        "--student",
        str(tiny),
        "--tasks",
        "60",
        "--minutes",
        "0.01",
        "--held-out",
        "6",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    assert main(["distill", "--kg", str(trade.path), *words]) == 0
    record = json.loads(capsys.readouterr().out)
    artefact = load_artefact(tmp_path / "out")
    assert record["folder"] == str(tmp_path / "out")
    assert set(artefact.files) == {"adapter_config.json", "adapter_model.safetensors", "report.json", "card.md"}
    assert artefact.meta["base"] == str(tiny)
    assert artefact.meta["origin"] == CausalLearner(tiny).origin
    assert str(tiny) not in (tmp_path / "out" / "adapter_config.json").read_text()
