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
from .fusion import Fusion, alike, beliefs, fit_fusion
from .gate import HEARD_AT, PAID, PRIORS, TIERS, Gate, bucket
from .outcomes import Outcomes
from .steps import Linked
from .utility import Price, Scorer, UtilityGate, fit_gate, oracle, realised, worth

if TYPE_CHECKING:
    from ..kg.graph import KnowledgeGraph
    from .agent import Agent
    from .answer import Answer

FILE, NAME = "gate.json", "gate"
Tried = Literal["path", "path+text", "internal", "verify"]
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
    cost, votes, groups = np.zeros(right.shape), np.zeros(right.shape, np.int64), np.zeros(len(questions), np.int64)
    buckets, entities = np.zeros(len(questions), np.int64), dict[str, int]()
    for i, question in enumerate(questions):
        scores, names_of = dict[str, float](), dict[str, int]()
        for a, action in enumerate(actions):
            answer = agent.ask(question.text, as_of=question.as_of, action=action)
            scores |= answer.route.scores
            said[i, a] = answer.status != "abstained"
            right[i, a] = said[i, a] and judge(question, answer)
            votes[i, a] = names_of.setdefault(alike(answer.answers), len(names_of)) if said[i, a] else -1
            cost[i, a] = answer.route.cost["retrievals"]
        x[i] = [scores.get(name, np.nan) for name in names]
        seeds = next(step.seeds for step in answer.trace if isinstance(step, Linked))
        about = seeds[0].node.id if seeds else question.text
        groups[i], buckets[i] = entities.setdefault(about, len(entities)), bucket(scores)
        report(i + 1, len(questions))
    return Outcomes(tuple(names), x, tuple(actions), right, cost, groups, buckets, said, votes)


def fit(outcomes: Outcomes, price: Price) -> UtilityGate:
    """The gate of outcomes, by the features that were measured at all.

    Raises:
        InputError: fewer than 20 outcomes.
    """
    tiers = [[name for name in tier if np.isfinite(outcomes.x[:, outcomes.features.index(name)]).any()] for tier in TIERS]
    return fit_gate(outcomes, tiers, price=price, tier_cost=PAID, priors=PRIORS)


def calibrate(outcomes: Outcomes, *, error: float, price: Price, seed: int = 0) -> tuple[Gate, dict[str, Any]]:
    """Fit the gate on some of the entities, and on the others fix the threshold that keeps an error rate.

    Args:
        outcomes: of all actions.
        error: share of wrong answers among those given that is asked for.
        price: of outcomes.
        seed: of the split.

    Returns:
        The gate, whose threshold is 0 where none keeps the error rate with confidence .9 (no guarantee is claimed then), and the
        figures of the held-out part.

    Raises:
        InputError: fewer than 20 outcomes to fit on.
    """
    fitted, held = outcomes.split(FITTED, seed)
    chooser = fit(fitted, price)
    fusion = fit_fusion(fitted, *_decided(chooser, fitted))
    grid, (choice, sure) = _sure(chooser, fusion, fitted)[1], _sure(chooser, fusion, held)
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
        "fusion": fusion.method if fusion is not None else "none",
        "utility": {**fixed, "gate": float(realised(chooser, held).mean()), "oracle": float(oracle(held, price).mean())},
        "retrievals": float(np.append(chooser.cost, 0.0)[choice].mean()),
        "answered": float(acted.mean()),
        "right_of_answered": float(right[acted].mean()) if acted.any() else 0.0,
        "ece": ece(sure[acted], right[acted]) if acted.any() else 0.0,
    }
    promised = error if np.isfinite(kept) else None
    return Gate(chooser, kept if np.isfinite(kept) else 0.0, promised, fusion), figures


def _decided(gate: UtilityGate, outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far each expert can be relied on when the gate has decided, float64 [n, actions], its choice [n], and who was heard by
    then, bool [n, actions]."""
    choice, _, tier = gate.choose(outcomes)
    tiers = [gate.probabilities(outcomes.x, outcomes.features, outcomes.buckets, at) for at in range(len(gate.tiers))]
    heard_at = np.array([HEARD_AT.get(action, len(tiers)) for action in outcomes.actions])
    return np.stack(tiers)[tier, np.arange(len(outcomes))], choice, tier[:, None] >= heard_at


def _sure(gate: UtilityGate, fusion: Fusion | None, outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """The choice [n] and how sure all who were heard are of it, float64 [n], 0 where nothing is answered."""
    p, choice, heard = _decided(gate, outcomes)
    acted = choice < len(outcomes.actions)
    if fusion is None:
        return choice, np.where(acted, np.append(p, np.zeros((len(p), 1)), axis=1)[np.arange(len(p)), choice], 0.0)
    sure = fusion.map(beliefs(outcomes, p, choice, heard, fusion.method), outcomes.buckets)
    return choice, np.where(acted, sure, 0.0)


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


def save_gate(agent: Agent, gate: Gate, figures: dict[str, Any]) -> Path:
    """Write a calibration where questions to the graph look for it, in place of the last one."""
    assert gate.calibrated is not None  # `calibrate` makes no other
    folder = gate_folder(agent.kg)
    new = folder.with_name("gate.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    fusion = asdict(gate.fusion) if gate.fusion is not None else None
    record = _plain({"utility": asdict(gate.calibrated), "fusion": fusion})
    (new / FILE).write_text(json.dumps(record, sort_keys=True), encoding="utf-8")
    meta = {"threshold": gate.threshold, "bound": bound(agent), "figures": figures}
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
        record = json.loads(artefact.path(FILE).read_text(encoding="utf-8"))
        made, figures, threshold = dict(artefact.meta["bound"]), artefact.meta["figures"], float(artefact.meta["threshold"])
        promised = figures["error_asked"] if figures["guaranteed"] else None
        gate = Gate(_checked(_gate(record["utility"])), threshold, promised, _fusion(record["fusion"]))
    except (ArtefactError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Gate(note=f"the calibration cannot be read ({error}), so rules decide")
    changed = [key for key, value in bound(agent).items() if made.get(key) != value]
    if changed:
        return Gate(note=f"the calibration is stale ({', '.join(changed)} changed), so rules decide (hoptrace train gate)")
    return gate


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
            tuple(_map(m) for m in one["maps"]),
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


def _map(record: dict[str, Any]) -> Calibration:
    knots, values, moved = (np.array(record[name], np.float64) for name in ("knots", "values", "moved"))
    return Calibration(knots, values, record["slope"], record["offset"], moved)


def _fusion(record: dict[str, Any] | None) -> Fusion | None:
    return Fusion(record["method"], _map(record["map"])) if record is not None else None


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
