"""Distil a student for one graph: audit, mine, teach, filter, trim, train, evaluate, package.

The work lies in a folder and goes on where it was killed. What a clock decides (how many steps a budget of minutes pays for) is
decided once and written into `plan.json`; everything else follows from the graph and the seed, so an interrupted run ends with
the same bytes as one that was not.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.artefacts import MANIFEST, file_hash, write_manifest
from ...kg.errors import InputError
from ...retrieval.train_paths import Split
from ..student import Reading
from .audit import Audit, audit, enough
from .card import card, text
from .evidence import Example
from .regression import examples as regressions
from .score import Figures, Policy, Said, choose, decide, figures, overlap, taught
from .students import Learner, Pair, Reader, Report
from .tasks import Part, TaskMiner
from .teachers import Chain, Teacher, fault, target
from .trained import unfit
from .trim import Attempt, trim_outliers

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...retrieval.relations import RelationIndex

TASKS, MIN_TASKS = 5000, 50
HELD_OUT = 300  # tasks in each part that is held out; two thirds of it to choose the policy on
_SHARE = 0.42  # of the time left after teaching, for each of two trainings
_ALPHA, _MARGIN = 2.0, 1  # of `trim_outliers` over chains of one form: with 3, chains thrice as long pass where a tenth are
_REPEATED = 3  # times that what people taught stands among the tasks
PLAN, CHAINS, REPORT, CARD = "plan.json", "chains.jsonl", "report.json", "card.md"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is of. `steps` is decided when the tasks are there."""

    graph: str
    seed: int
    tasks: int
    held_out: int
    teacher: str
    student: str
    origin: str
    meta: dict[str, str] = field(default_factory=dict)
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: the artefact's folder, its hash (of the manifest, which names every file's), and the report."""

    folder: Path
    hash: str
    report: dict[str, Any]

    def __str__(self) -> str:
        why = unfit(self.report["figures"]["entities"]["student"]) or "questions use it from now on"
        return f"{text(self.report)}\n\nwritten to {self.folder} ({self.hash[:16]}); {why}"


class Distiller:
    """One run over one graph.

    Args:
        kg: the graph.
        relations: its families.
        teacher: gives chains.
        learner: the kind of student.
        work: folder of the run; the same run goes on from it, another one begins anew.
        minutes: wall clock that the run may take, about.
        tasks: at most so many are mined for training.
        held_out: tasks in each part that is held out.
        seed: of all draws.
        report: called with a line of progress now and then.
    """

    def __init__(
        self,
        kg: KnowledgeGraph,
        relations: RelationIndex,
        teacher: Teacher,
        learner: Learner,
        work: Path,
        *,
        minutes: float = 30,
        tasks: int = TASKS,
        held_out: int = HELD_OUT,
        seed: int = 0,
        report: Report = lambda line: None,
    ) -> None:
        if minutes <= 0 or tasks < MIN_TASKS or held_out < 1:
            raise InputError(
                f"minutes must be above 0, tasks at least {MIN_TASKS} and held_out at least 1, "
                f"not {minutes:g}, {tasks} and {held_out}"
            )
        self.kg, self.teacher, self.learner, self.work, self.report = kg, teacher, learner, work, report
        self.relations, self.minutes, self.begun, self.split = relations, minutes, time.monotonic(), Split(seed)
        self.plan = Plan(kg.content_hash(), seed, tasks, held_out, teacher.name, learner.name, learner.origin, learner.meta)

    def run(self, out: Path) -> Outcome:
        """Do what is left to do, and put the student at `out`.

        Raises:
            InputError: the graph is too small, or the teacher leaves too few chains that hold.
            MissingExtraError: torch (or what else the student needs) is not installed.
        """
        self._resume()
        miner = TaskMiner(self.kg, self.relations)
        found = audit(miner)
        self.report(str(found))
        enough(found)
        examples, dev, tests = self._mined(miner)
        pairs, faults, trimmed = self._checked(examples, self._taught(examples))
        if len(pairs) < MIN_TASKS:
            raise InputError(f"{self.teacher.name} leaves only {len(pairs)} tasks to learn from; at least {MIN_TASKS} are needed")
        self.report(f"{len(pairs)} tasks taught by {self.teacher.name}; {sum(faults.values())} chains left out, {trimmed} cut")
        steps = self._steps(pairs)
        files = self.learner.train(pairs, self.work / "student", steps, self.plan.seed, self._prefixed("student"))
        bare = [(task, replace(aim, steps=())) for task, aim in pairs]
        self.learner.train(bare, self.work / "answers_only", steps, self.plan.seed, self._prefixed("answers only"))
        policy, systems = self._evaluated(dev, tests)
        record = self._record(found, len(examples), faults, trimmed, systems)
        return self._package(out, files, policy, record)

    # ---- before training

    def _resume(self) -> None:
        """Keep what is there of the same run; steps that it has decided on count."""
        known = _read(self.work / PLAN)
        steps = known.pop("steps", 0) if known else 0
        if known and known == {key: value for key, value in asdict(self.plan).items() if key != "steps"}:
            self.plan = replace(self.plan, steps=steps)
            self.report("going on with the run that was begun")
        else:
            shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True, exist_ok=True)
        self._write_plan()

    def _write_plan(self) -> None:
        _write(self.work / PLAN, json.dumps(asdict(self.plan), indent=2, sort_keys=True))

    def _mined(self, miner: TaskMiner) -> tuple[list[Example], list[Example], dict[str, list[Example]]]:
        """Tasks to learn from, to choose the policy on, and held out; `tasks.jsonl` shows them to people."""
        seed, training = self.plan.seed, Part.training(self.split)
        examples = miner.mine(self.plan.tasks, random.Random(f"{seed}/train"), training)
        own = regressions(self.kg, miner, random.Random(f"{seed}/taught"))
        known = {example.id for example in examples}
        dev = [e for e in miner.mine(2 * self.plan.held_out // 3, random.Random(f"{seed}/dev"), training) if e.id not in known]
        parts = Part.held_out(self.split)
        tests = {name: miner.mine(self.plan.held_out, random.Random(f"{seed}/{name}"), part) for name, part in parts.items()}
        self.report(f"{len(examples)} tasks mined, {len(own)} from what people taught, {len(dev)} to choose on, "
                    + ", ".join(f"{len(some)} with unseen {name}" for name, some in tests.items()))  # fmt: skip
        lines = [json.dumps({"id": e.id, "question": e.task.question, "facts": [item.text for item in e.task.items]})
                 for e in [*examples, *own]]  # fmt: skip
        _write(self.work / "tasks.jsonl", "\n".join(lines))
        return [*examples, *own * _REPEATED], dev, tests

    def _taught(self, examples: Sequence[Example]) -> dict[str, list[Chain]]:
        """Chains by task; each is written down when it is there, so that no teacher is asked twice."""
        path = self.work / CHAINS
        known = {name: [Chain(op, tuple(steps), tuple(answers)) for op, steps, answers in chains]
                 for name, chains in _lines(path)}  # fmt: skip
        with path.open("a", encoding="utf-8") as file:
            for i, example in enumerate(examples):
                if example.id not in known:
                    chains = known[example.id] = list(self.teacher.teach(example))
                    file.write(json.dumps([example.id, [[c.operation, c.steps, c.answers] for c in chains]]) + "\n")
                    if i % 100 == 99:
                        file.flush()
        return known

    def _checked(self, examples: Sequence[Example], taught: dict[str, list[Chain]]) -> tuple[list[Pair], Counter[str], int]:
        """Pairs to learn from, the faults of chains left out, and how many chains were cut."""
        faults: Counter[str] = Counter()
        groups: dict[tuple[Any, ...], list[Attempt[tuple[Example, Chain]]]] = {}
        for example in examples:
            for chain in taught.get(example.id, []):
                if what := fault(example, chain):
                    faults[what] += 1
                else:
                    form = (example.query.operation, example.query.steps, example.query.value, len(example.answers))
                    groups.setdefault(form, []).append(Attempt((example, chain), chain.steps))

        def holds(attempt: Attempt[tuple[Example, Chain]]) -> bool:
            example, chain = attempt.about
            return not fault(example, replace(chain, steps=attempt.steps))

        before = list(groups.values())
        after = trim_outliers(before, holds, alpha=_ALPHA, margin=_MARGIN)
        flat = [pair for old, new in zip(before, after, strict=True) for pair in zip(old, new, strict=True)]
        pairs = [_pair(*new.about, new.steps) for _, new in flat if new.right]
        return pairs, faults, sum(len(old.steps) > len(new.steps) for old, new in flat)

    def _steps(self, pairs: Sequence[Pair]) -> int:
        if not self.plan.steps:
            left = self.minutes - (time.monotonic() - self.begun) / 60
            steps = self.learner.affordable(pairs, self.work / "student", max(0.1, _SHARE * left))
            self.plan = replace(self.plan, steps=steps)
            self._write_plan()
        self.report(f"{self.plan.steps} steps of training pay within {self.minutes:g} minutes")
        return self.plan.steps

    def _prefixed(self, what: str) -> Report:
        return lambda line: self.report(f"{what}: {line}")

    # ---- after training

    def _evaluated(self, dev: Sequence[Example], tests: dict[str, list[Example]]) -> tuple[Policy, dict[str, dict[str, Figures]]]:
        """The policy chosen for the student, and figures by part and system."""
        policies: dict[str, Policy] = {}
        readers: dict[str, Reader] = {}
        for name in ("student", "answers only"):
            readers[name] = self.learner.load(self.work / name.replace(" ", "_"))
            policies[name] = choose(dev, [readers[name].read(example.task) for example in dev])
        found: dict[str, dict[str, Figures]] = {}
        for part, examples in tests.items():
            self.report(f"evaluating on unseen {part}")
            chains = self._taught(examples)
            answers = {"teacher": [taught(chains[e.id]) for e in examples], "extractive": [overlap(e) for e in examples]}
            for name, reader in readers.items():
                readings = [reader.read(example.task) for example in examples]
                answers[name] = _decided(examples, readings, policies[name])
            order = ("teacher", "student", "answers only", "extractive")
            found[part] = {name: figures(examples, answers[name]) for name in order}
        return policies["student"], found

    def _record(
        self, found: Audit, mined: int, faults: Counter[str], trimmed: int, systems: dict[str, dict[str, Figures]]
    ) -> dict[str, Any]:
        return {
            "plan": asdict(self.plan),
            "audit": asdict(found),
            "tasks": mined,
            "left_out": dict(sorted(faults.items())),
            "cut": trimmed,
            "figures": {part: {name: one.to_dict() for name, one in rows.items()} for part, rows in systems.items()},
        }

    def _package(self, out: Path, files: list[str], policy: Policy, record: dict[str, Any]) -> Outcome:
        new = out.with_name(out.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for file in files:
            shutil.copy2(self.work / "student" / file, new / file)
        _write(new / REPORT, json.dumps(record, indent=2, sort_keys=True))
        _write(new / CARD, card(record))
        self.relations.refresh()
        made = _meta(self.work / "student")
        relations = sorted(family.name for family in self.relations.families)
        made |= {"graph": self.plan.graph, "relations": relations, "policy": asdict(policy), "origin": self.plan.origin}
        held_out = record["figures"]["entities"]["student"]
        made["held_out"] = {name: held_out[name] for name in ("accuracy", "abstained")}
        write_manifest(new, "distilled-student", [*files, REPORT, CARD], made | self.learner.meta)
        replaced(new, out)
        shutil.rmtree(self.work, ignore_errors=True)
        return Outcome(out, file_hash(out / MANIFEST), record)


def _pair(example: Example, chain: Chain, steps: tuple[int, ...]) -> Pair:
    return example.task, target(example, replace(chain, steps=steps))


def replaced(new: Path, folder: Path) -> None:
    """Put a folder in place of another one."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _decided(examples: Sequence[Example], readings: Sequence[Reading], policy: Policy) -> list[Said]:
    return [decide(reading, example.task, policy) for example, reading in zip(examples, readings, strict=True)]


def _meta(folder: Path) -> dict[str, Any]:
    """What the trainer of the student wrote about it."""
    found: dict[str, Any] = _read(folder / MANIFEST).get("meta", {})
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _lines(path: Path) -> list[Any]:
    """JSON lines that are whole; one that a kill has cut is left out."""
    rows = []
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _write(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(text + "\n", "utf-8")
    os.replace(new, path)


__all__ = ["CARD", "HELD_OUT", "MIN_TASKS", "REPORT", "TASKS", "Distiller", "Outcome", "Plan"]
