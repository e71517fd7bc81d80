"""Calibrate the gate of a graph: run every action on questions with known answers, fit, and show what the choice is worth.

The artefact is bound to what it was measured with (the graph at its ledger number, the models, the memory): on anything else
the gate falls back to its rules, and says so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from .. import prompts
from ..kg.artefacts import MANIFEST, file_hash, load_artefact, write_manifest
from ..kg.errors import ArtefactError, InputError
from .calibrate import Calibration, ece, threshold
from .evaluate import Question, is_right
from .gate import PAID, PRIORS, TIERS, Gate, bucket
from .outcomes import Outcomes
from .steps import Linked
from .utility import Price, Scorer, UtilityGate, fit_gate, oracle, realised, worth

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .agent import Agent
    from .answer import Answer

FILE, NAME = "gate.json", "gate"
Tried = Literal["path", "path+text", "internal"]
FITTED = 0.6  # share of the entities whose questions the gate is fitted on; the others fix the threshold


def gate_folder(kg: KnowledgeGraph) -> Path:
    """Where the calibration of a graph lies."""
    return kg.path / "models" / "gate"


def observe(
    agent: Agent,
    questions: Sequence[Question],
    report: Callable[[int, int], None] = lambda done, total: None,
    judge: Callable[[Question, Answer], bool] = is_right,
) -> Outcomes:
    """Run every action that the agent can do on each question, whatever a gate would choose.

    Args:
        agent: over the graph.
        questions: with their answers.
        report: called with how many were run and of how many.
        judge: whether an answer that was given is right.

    Raises:
        InputError: no questions.
    """
    if not questions:
        raise InputError("no questions to calibrate with")
    actions = cast("tuple[Tried, ...]", agent.actions)
    names = [name for tier in TIERS for name in tier]
    x = np.full((len(questions), len(names)), np.nan)
    right, said = np.zeros((2, len(questions), len(actions)), bool)
    cost = np.zeros(right.shape)
    groups = np.zeros(len(questions), np.int64)
    buckets, entities = np.zeros(len(questions), np.int64), dict[str, int]()
    for i, question in enumerate(questions):
        scores: dict[str, float] = {}
        for a, action in enumerate(actions):
            answer = agent.ask(question.text, as_of=question.as_of, action=action)
            scores |= answer.route.scores
            said[i, a] = answer.status != "abstained"
            right[i, a] = said[i, a] and judge(question, answer)
            cost[i, a] = answer.route.cost["retrievals"]
        x[i] = [scores.get(name, np.nan) for name in names]
        seeds = next(step.seeds for step in answer.trace if isinstance(step, Linked))
        about = seeds[0].node.id if seeds else question.text
        groups[i], buckets[i] = entities.setdefault(about, len(entities)), bucket(scores)
        report(i + 1, len(questions))
    return Outcomes(tuple(names), x, tuple(actions), right, cost, groups, buckets, said)


def fit(outcomes: Outcomes, price: Price) -> UtilityGate:
    """The gate of outcomes, by the features that were measured at all.

    Raises:
        InputError: fewer than 20 outcomes.
    """
    tiers = [[name for name in tier if np.isfinite(outcomes.x[:, outcomes.features.index(name)]).any()] for tier in TIERS]
    return fit_gate(outcomes, tiers, price=price, tier_cost=PAID, priors=PRIORS)


def calibrate(outcomes: Outcomes, *, error: float, price: Price, seed: int = 0) -> tuple[UtilityGate, float, dict[str, Any]]:
    """Fit the gate on some of the entities, and on the others fix the threshold that keeps an error rate.

    Args:
        outcomes: of all actions.
        error: share of wrong answers among those given that is asked for.
        price: of outcomes.
        seed: of the split.

    Returns:
        The gate, the threshold on the probability of being right (inf where none keeps the error rate with confidence .9: no
        guarantee is claimed then), and the figures of the held-out part.

    Raises:
        InputError: fewer than 20 outcomes to fit on.
    """
    fitted, held = outcomes.split(FITTED, seed)
    gate = fit(fitted, price)
    _, grid, _ = gate.choose(fitted)
    choice, sure, _ = gate.choose(held)
    at = (np.arange(len(held)), np.minimum(choice, len(held.actions) - 1))
    acted = (choice < len(held.actions)) & (held.said[at] if held.said is not None else True)
    right = held.right[at] & acted
    kept = threshold(sure[acted], right[acted], error, grid[grid > 0])
    fixed = {f"always {action}": float(worth(held, np.full(len(held), a), price).mean()) for a, action in enumerate(held.actions)}
    figures = {
        "outcomes": len(outcomes),
        "held_out": len(held),
        "error_asked": error,
        "guaranteed": bool(np.isfinite(kept)),
        "utility": {**fixed, "gate": float(realised(gate, held).mean()), "oracle": float(oracle(held, price).mean())},
        "retrievals": float(np.append(gate.cost, 0.0)[choice].mean()),
        "answered": float(acted.mean()),
        "right_of_answered": float(right[acted].mean()) if acted.any() else 0.0,
        "ece": ece(sure[acted], right[acted]) if acted.any() else 0.0,
    }
    return gate, kept, figures


def bound(agent: Agent) -> dict[str, Any]:
    """What a calibration was measured with: the graph as it stands, and hashes of every model and prompt that has a say."""
    packaged, own = Path(__file__).resolve().parents[1] / "data" / "models", agent.kg.path / "models"
    hashes = {f"packaged {file.parent.name}": file_hash(file) for file in sorted(packaged.glob(f"*/{MANIFEST}"))}
    hashes |= {file.parent.name: file_hash(file) for file in sorted(own.glob(f"*/{MANIFEST}")) if file.parent.name != NAME}
    return {
        "store": agent.kg.store.identity,
        "seq": agent.kg.store.seq,
        "models": hashes,
        "prompts": {name: prompts.load(name).hash for name in prompts.names()},
        "actions": list(agent.actions),
        "chat model": agent.chats,
    }


def save_gate(agent: Agent, gate: UtilityGate, kept: float, figures: dict[str, Any]) -> Path:
    """Write a calibration where questions to the graph look for it, in place of the last one."""
    folder = gate_folder(agent.kg)
    new = folder.with_name("gate.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    (new / FILE).write_text(json.dumps(_plain(asdict(gate)), sort_keys=True), encoding="utf-8")
    meta = {"threshold": kept if np.isfinite(kept) else None, "bound": bound(agent), "figures": figures}
    write_manifest(new, NAME, [FILE], meta)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def load_gate(agent: Agent) -> Gate:
    """The gate of a graph: calibrated where a calibration fits, else by rules, with the reason."""
    folder = gate_folder(agent.kg)
    if not (folder / MANIFEST).is_file():
        return Gate()
    try:
        artefact = load_artefact(folder)
        gate = _checked(_gate(json.loads(artefact.path(FILE).read_text(encoding="utf-8"))))
        made, asked, kept = dict(artefact.meta["bound"]), artefact.meta["figures"].get("error_asked"), artefact.meta["threshold"]
        threshold = float(kept or 0.0)
    except (ArtefactError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Gate(note=f"the calibration cannot be read ({error}), so rules decide")
    changed = [key for key, value in bound(agent).items() if made.get(key) != value]
    if changed:
        return Gate(note=f"the calibration is stale ({', '.join(changed)} changed), so rules decide (hoptrace train gate)")
    return Gate(gate, threshold, None if kept is None else asked)


def _plain(value: Any) -> Any:
    """Arrays as lists, all the way down."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _gate(record: dict[str, Any]) -> UtilityGate:
    tiers = tuple(
        Scorer(
            tuple(one["features"]),
            np.array(one["mean"]),
            np.array(one["scale"]),
            np.array(one["weights"]),
            tuple(
                Calibration(np.array(m["knots"]), np.array(m["values"]), m["slope"], m["offset"], np.array(m["moved"]))
                for m in one["maps"]
            ),
        )
        for one in record["tiers"]
    )
    return UtilityGate(
        tuple(record["actions"]),
        tiers,
        tuple(record["closer"]),
        np.array(record["cost"]),
        np.array(record["tier_cost"]),
        Price(**record["price"]),
        record["seen"],
        tuple(record["priors"]),
    )


def _checked(gate: UtilityGate) -> UtilityGate:
    """The gate, whose parts fit each other.

    Raises:
        ValueError: they do not, or are no numbers.
    """
    actions, known = len(gate.actions), {name for tier in TIERS for name in tier}
    for one in gate.tiers:
        n = len(one.features)
        fits = one.mean.shape == one.scale.shape == (n,) and one.weights.shape == (actions, n + 1)
        numbers = all(np.isfinite(part).all() for part in (one.mean, one.scale, one.weights)) and (one.scale > 0).all()
        if not (fits and numbers and len(one.maps) == actions and known.issuperset(one.features)):
            raise ValueError("its parts do not fit each other")
    if not len(gate.tiers) == len(gate.closer) == len(gate.tier_cost) == len(TIERS):
        raise ValueError(f"it has {len(gate.tiers)} tiers, not {len(TIERS)}")
    if not len(gate.cost) == len(gate.priors) == actions:
        raise ValueError("it has not one cost and one prior for each action")
    return gate


__all__ = ["bound", "calibrate", "fit", "gate_folder", "load_gate", "observe", "save_gate"]
