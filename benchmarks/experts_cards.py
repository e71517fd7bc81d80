"""Part of `benchmarks/experts.py`: sentences that are true or false of a graph, and two cards of which one lies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from experts_common import Check
from hoptrace import KnowledgeGraph
from hoptrace.agents.experts.cards import Card, Text, bottom_up, brevity, factuality
from hoptrace.retrieval.encoder import Encoder

FIRMS, COVERED, QUESTIONS = 300, 0.82, 60
HEADS, TAILS = (
    "Brightwater Tarnfield Kelmoor Ostrel Vandry Pellgate Quarn".split(),
    "Labs Works Foundry Motors Instruments".split(),
)
TOWNS = [
    f"{first}{last}" for first in ("Al", "Bren", "Cor", "Dun", "El", "Fen") for last in ("mouth", "ford", "ham", "wick", "ton")
]
FILLER = "Visitors often remark on the quiet of the morning. Much has been written about it over the years, and opinions differ."


def world(rng: np.random.Generator) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of firms, the town of each, and which of them the graph covers."""
    names = [f"{HEADS[i % 7]} {chr(65 + i // 7 % 26)}{'aeiou'[i // 60]}rn {TAILS[i % 5]}" for i in range(FIRMS)]
    return names, rng.integers(len(TOWNS), size=FIRMS), rng.random(FIRMS) < COVERED


def auroc(scores: np.ndarray, true: np.ndarray) -> float:
    """Chance that a true sentence scores above a false one."""
    above = scores[true][:, None] - scores[~true][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def cards() -> tuple[list[Check], dict[str, Any]]:
    """Factuality over 300 sentences, a third of them false; words left; and answers with and without the check."""
    rng, encoder = np.random.default_rng(0), Encoder.default()
    names, towns, covered = world(rng)
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        for name, town, known in zip(names, towns, covered, strict=True):
            if known:
                kg.add(name, "headquartered in", TOWNS[town], subject_type="organization", object_type="place", functional=True)
        true = rng.random(FIRMS) >= 1 / 3
        said = np.where(true, towns, (towns + 1 + rng.integers(len(TOWNS) - 1, size=FIRMS)) % len(TOWNS))
        texts = [f"{name} is headquartered in {TOWNS[town]}." for name, town in zip(names, said, strict=True)]
        scores = np.array([factuality(kg, text) for text in texts])
        area, neutral = auroc(scores[covered], true[covered]), bool((scores[~covered] == 0.5).all())
        good = [text for text, keep in zip(texts, covered & true, strict=True) if keep][:QUESTIONS]
        long = [f"{FILLER} {text} {FILLER}" for text in good]
        short = [brevity(kg, encoder, text) for text in long]
        left = sum(encoder.count_tokens(short)) / sum(encoder.count_tokens(long))
        kept = float(np.mean([text in cut for text, cut in zip(good, short, strict=True)]))
        with_check, without = answers(kg, encoder, names, towns, np.flatnonzero(covered)[:QUESTIONS].tolist())
    checks = [
        Check("AUROC of factuality, covered", f"{area:.3f}", ">= 0.95", area >= 0.95),
        Check("exactly .5 where not covered", "yes" if neutral else "no", "yes", neutral),
        Check("tokens left", f"{100 * left:.0f} %", "<= 50 %", left <= 0.5),
        Check("supported facts kept", f"{100 * kept:.0f} %", ">= 95 %", kept >= 0.95),
        Check("answers with a liar: checked, unchecked", f"{with_check:.2f} and {without:.2f}", "more", with_check > without),
    ]
    return checks, {"auroc": round(area, 4), "tokens_left": round(left, 3), "kept": kept, "answers": [with_check, without]}


def answers(kg: KnowledgeGraph, encoder: Encoder, names: list[str], towns: np.ndarray, asked: list[int]) -> tuple[float, float]:
    """Share of questions whose first text names the right town, of an honest and a lying card, checked and not."""
    right: list[tuple[bool, bool]] = []
    for at in asked:
        lie = TOWNS[(towns[at] + 7) % len(TOWNS)]
        written = {
            "honest": f"{names[at]} is headquartered in {TOWNS[towns[at]]}.",
            "liar": f"{names[at]} is headquartered in {lie}.",
        }
        pool = [Card(name, "seats of firms", lambda _, text=text: [text]) for name, text in written.items()]
        question = f"Where is {names[at]} headquartered?"
        checked: list[Text] = bottom_up(kg, encoder, question, pool)
        cosines = encoder.encode([question, *written.values()])
        first = list(written.values())[int((cosines[1:] @ cosines[0]).argmax())]
        right.append((bool(checked) and TOWNS[towns[at]] in checked[0].text, TOWNS[towns[at]] in first))
    return float(np.mean([one for one, _ in right])), float(np.mean([one for _, one in right]))
