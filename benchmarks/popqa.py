"""Retrieve or remember, on PopQA: part of `benchmarks/gate.py DATASET_DIR`.

The store holds the passages of the questions asked, without triples, read by the default extractor. Beside it stands a
closed-book memory of a head-biased half of the facts behind the questions, put into words by the lexicon and weighted by the page
views of the subject; it never sees a question of the data set. Every action is run once on every question: `internal` is the
memory, at no retrieval, `path` the path search, at one. The packaged reader of passages was trained on these questions, so it
stays off: `reads=False`.

An answer is right when the first value given, normalised, is one of the accepted answers. Questions about one subject are one
group; buckets are thirds by page views, the most viewed first.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import read_jsonl
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.experts.memory import Memory
from hoptrace.agents.experts.train_memory import train
from hoptrace.agents.experts.veto import asked
from hoptrace.agents.outcomes import Outcomes
from hoptrace.kg.model import Document, Entity, Fact, Mention, Name, normalize, text_hash
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.retriever import Retriever

ACTIONS = ("internal", "path")
TIER_0 = ("n_student", "n_store", "popularity", "known", "ambiguity", "coverage")
TIER_1 = ("margin", "entropy")
TIERS = (TIER_0, TIER_1)
SHARE = 0.5


def outcomes(dataset: Path, seed: int, *, limit: int | None = None) -> Outcomes:
    """What remembering and searching did on each question of PopQA.

    Args:
        dataset: the folder with `popqa_1000_passages.jsonl` and `passages.jsonl`.
        seed: of what the memory is shown, and of its training.
        limit: so many questions only, spread over the file, which is sorted by relation, and their passages.
    """
    every = read_jsonl(dataset / "popqa_1000_passages.jsonl")
    questions = every if limit is None else [every[i] for i in np.linspace(0, len(every) - 1, limit).round().astype(int)]
    encoder = Encoder.default()
    with (
        tempfile.TemporaryDirectory() as folder,
        KnowledgeGraph.open(Path(folder) / "facts") as facts,
        KnowledgeGraph.open(Path(folder) / "passages") as kg,
    ):
        memory = remembered(facts, questions, encoder, seed)
        kg.ingest([passages(dataset, questions, Path(folder))])
        agent = Agent(kg, encoder=encoder, reads=False, writer=False)
        rows = [_run(question, memory, agent) for question in questions]
    x, right = np.array([features for features, _ in rows]), np.array([done for _, done in rows], bool)
    views = np.array([question["s_pop"] for question in questions])
    rank = np.argsort(np.argsort(-views, kind="stable"))
    subjects = [question["s_uri"] for question in questions]
    return Outcomes(
        (*TIER_0, *TIER_1), x, ACTIONS, right, np.tile([0.0, 1.0], (len(questions), 1)),
        np.unique(subjects, return_inverse=True)[1].astype(np.int64), rank * 3 // len(questions),
    )  # fmt: skip


def remembered(kg: KnowledgeGraph, questions: Sequence[dict[str, Any]], encoder: Encoder, seed: int) -> Memory:
    """A memory of the facts behind questions, which become the content of `kg`."""
    lines, facts, mentions, at = [], [], [], 0
    for question in questions:
        subject, value = Name(question["s_wiki_title"], iri=question["s_uri"], aliases=(question["subj"],)), Name(question["obj"])
        line = f"{subject.label}, {question['prop']}: {value.label}.\n"
        facts.append(Fact(subject, question["prop"], value, at, at + len(line) - 1))
        mentions.append(Mention(subject, at, at + len(subject.label)))
        lines.append(line)
        at += len(line)
    text = "".join(lines)
    kg.write_document(
        Document("facts.txt", "text/plain", text, text_hash(text), facts=tuple(facts), mentions=tuple(mentions)),
        [(0, len(text), "records")],
    )
    by_iri = {question["s_uri"]: float(question["s_pop"]) for question in questions}
    popularity = {entity.id: by_iri[entity.iri] for entity in kg.entities() if entity.iri in by_iri}
    relations = Retriever(kg, encoder).relations
    return train(kg, relations, encoder, share=SHARE, popularity=popularity, seed=seed)


def passages(dataset: Path, questions: Sequence[dict[str, Any]], folder: Path) -> Path:
    """A folder with the passages of these questions alone."""
    wanted = {pid for question in questions for pid in (*question["supporting_pids"], *question["context_pids"])}
    made = folder / "popqa"
    made.mkdir()
    kept = [passage for passage in read_jsonl(dataset / "passages.jsonl") if passage["pid"] in wanted]
    text = "".join(json.dumps(passage, ensure_ascii=False) + "\n" for passage in kept)
    (made / "passages.jsonl").write_text(text, encoding="utf-8")
    return made


def _run(question: dict[str, Any], memory: Memory, agent: Agent) -> tuple[list[float], list[bool]]:
    """Features, and whether each action was right."""
    text, accepted = question["question"], {normalize(answer) for answer in question["possible_answers"]}
    recall = memory.answer(text)
    answers = agent.ask(text).answers
    retriever, kg = agent.retriever, agent.kg
    links = retriever.link(text)
    seeds = [seed.node for link in links for seed in link.seeds if isinstance(seed.node, Entity)]
    relations, _ = asked(retriever, text, links)
    covered = any(
        relations is None or triple.relation.id in relations
        for node in seeds[:3]
        for triple in kg.store.triples(node.id, evidence_only=True)
    )
    features = [
        math.log1p(memory.shown(recall.subjects[0]) if recall.subjects else 0),
        math.log1p(max((kg.store.support(node.id)["chunks"] for node in seeds[:3]), default=0)),
        math.log1p(question["s_pop"]),
        float(bool(seeds)),
        float(len(seeds)),
        float(covered),
        recall.margin,
        recall.entropy,
    ]
    right = [normalize(recall.opinion.best[0]) in accepted, bool(answers) and normalize(answers[0]) in accepted]
    return features, right


__all__ = ["TIERS", "outcomes"]
