"""Part of `benchmarks/experts.py`: what tiny students hold, and whether what was planned for them is what they should hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from experts_common import Check
from hoptrace.kg.capacity import Candidate, CapacityPlanner, Measured, stored_bits
from tiny_models import Facts, Tiny, batches, facts, fit, last_loss, nats, recalled

VALUES, EXPOSURES, BATCH = 256, 150, 200
WIDTHS, HELD_OUT = (8, 16), 12  # widths that are measured; the width that is predicted
FACTS = {8: 1000, 12: 1800, 16: 2600}


def student(d: int, world: Facts, rows: np.ndarray, exposures: int = EXPOSURES) -> Any:
    """A student of width `d` that saw these facts so often."""
    torch.manual_seed(d)
    model = Tiny(world.vocabulary, d=d, layers=1, inner=2 * d, length=4)
    draw = batches(rows, BATCH, d)
    fit(model, lambda _: last_loss(model, draw()).mean(), exposures * len(rows) // BATCH, 2e-2, decay=0.0)
    return model


def measure(d: int) -> Measured:
    """What a student of width `d` keeps of more facts than it can hold."""
    world = facts(FACTS[d] // 2, 2, VALUES, seed=d)
    model = student(d, world, world.tokens)
    bits = stored_bits(nats(model, world.tokens), VALUES)
    size = sum(p.numel() for p in model.parameters())
    return Measured(size, EXPOSURES, len(world.tokens) * float(np.log2(VALUES)), bits)


def capacity() -> tuple[list[Check], dict[str, Any]]:
    """Stored bits predicted for a width that was not measured; recall of a planned set against random ones of as many bits."""
    known = [measure(d) for d in WIDTHS]
    planner, held = CapacityPlanner.calibrate(known), measure(HELD_OUT)
    predicted = planner.predict(held.parameters, held.demand)
    off = abs(predicted / held.stored - 1)
    planned, others = worth_of_plan(planner, held.parameters)
    gain = planned - float(np.mean(others))
    checks = [
        Check("stored bits of a held-out size", f"{predicted:.0f} of {held.stored:.0f}", "within 25 %", off <= 0.25),
        Check("planned set over random, value-weighted", f"{100 * gain:+.1f} points", ">= +10", gain >= 0.1),
    ]
    students = [
        [one.parameters, round(one.demand), round(one.stored), round(one.stored / one.parameters, 3)] for one in [*known, held]
    ]
    figures = {"students_parameters_demand_stored_rate": students, "bits_per_parameter": round(planner.bits_per_parameter, 3)}
    return checks, figures | {"off": round(off, 3), "planned": round(planned, 3), "random": [round(x, 3) for x in others]}


def worth_of_plan(planner: CapacityPlanner, parameters: int) -> tuple[float, list[float]]:
    """Value-weighted recall over all facts of a student of the planned facts, and of two of random facts of equal bits."""
    world, rng = facts(FACTS[HELD_OUT] // 2, 2, VALUES, seed=1), np.random.default_rng(1)
    frequency = rng.permutation(np.arange(1, len(world.tokens) + 1)) ** -0.85
    retrieved = np.where(rng.random(len(world.tokens)) < 0.82, 0.95, 0.08)
    candidates = [Candidate(str(i), frequency[i], retrieved[i], VALUES) for i in range(len(world.tokens))]
    value = frequency * (1 - retrieved + 0.1)
    plan = planner.plan(candidates, parameters, price=0.1)
    count = len(plan.internalise)
    sets = [np.array([int(i) for i in plan.internalise]), *(rng.permutation(len(candidates))[:count] for _ in range(2))]
    weighted = []
    for rows in sets:
        right = recalled(student(HELD_OUT, world, world.tokens[rows]), world.tokens[rows])
        weighted.append(float((right * value[rows]).sum() / value.sum()))
    return weighted[0], weighted[1:]
