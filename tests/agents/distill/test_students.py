"""The packaged architecture as a learner, and readings as answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hoptrace.agents.distill.evidence import Example
from hoptrace.agents.distill.score import Policy, choose, decide, figures, overlap, right, taught
from hoptrace.agents.distill.students import PackagedLearner, learner
from hoptrace.agents.distill.teachers import OracleTeacher
from hoptrace.agents.student import Item, Mention, Reading, Spot, Task
from hoptrace.kg.errors import MissingPathError

ACME = Task(
    "How many firms does Acme supply?",
    (Mention(20, 24, 0),),
    (
        Item("Acme supplies Borg", (Mention(0, 4, 0), Mention(14, 18, 1))),
        Item("Acme supplies Cato", (Mention(0, 4, 0), Mention(14, 18, 2))),
        Item("Dole supplies Acme", (Mention(0, 4, 3), Mention(14, 18, 0))),
    ),
)
BORG, CATO, DOLE, SELF = Spot(0, 14, 18), Spot(1, 14, 18), Spot(2, 0, 4), Spot(2, 14, 18)


def said(operation: str, *answers: tuple[Spot, float], absent: float = 0.1, policy: Policy | None = None) -> tuple[str, ...]:
    steps = ((0, 0.9), (1, 0.8))
    return decide(Reading(operation, steps, answers, absent), ACME, policy or Policy()).answers


def test_a_reading_becomes_an_answer_by_its_operation() -> None:
    both = ((BORG, 0.5), (CATO, 0.4))
    assert said("list", *both) == ("Borg", "Cato")
    assert said("count", *both) == ("2",)
    assert said("compare", (BORG, 0.6), (Spot(0, 0, 4), 0.4)) == ("Acme",), "one of those that the question names"
    assert said("list", (Spot(0, 0, 4), 0.6), (BORG, 0.4)) == ("Borg",), "what the question names is no answer"
    assert said("superlative", *both) == ("Borg",)
    assert said("yes-no", (BORG, 0.9)) == ("no",)
    assert said("yes-no", (Spot(0, 0, 4), 0.9)) == ("yes",)
    assert said("list", *both, absent=0.6) == ()
    assert said("list") == ()


def test_answers_far_less_likely_or_in_facts_that_are_not_used_are_none() -> None:
    assert said("list", (BORG, 0.8), (CATO, 0.1)) == ("Borg",)
    assert said("list", (BORG, 0.8), (CATO, 0.1), policy=Policy(share=0.1)) == ("Borg", "Cato")
    assert said("list", (DOLE, 0.6), (BORG, 0.4)) == ("Borg",)
    assert said("list", (DOLE, 0.6)) == ("Dole",), "where nothing else is said"


def test_figures_count_what_they_name(examples: list[Example]) -> None:
    perfect = figures(examples, [taught(OracleTeacher().teach(example)) for example in examples])
    assert (perfect.accuracy, perfect.step_f1, perfect.abstained, perfect.false_abstained, perfect.followed) == (1, 1, 1, 0, 1)
    silent = figures(examples, [decide(Reading("lookup", (), (), 1.0), e.task, Policy()) for e in examples])
    assert (silent.answered, silent.abstained, silent.false_abstained) == (0, 1, 1)
    assert silent.accuracy == pytest.approx(sum(not e.answers for e in examples) / len(examples), abs=1e-3)
    guessed = figures(examples, [overlap(e) for e in examples])
    assert 0 < (guessed.accuracy or 0) < 0.6


def test_the_policy_is_the_one_that_is_right_most_often(examples: list[Example]) -> None:
    lists = [e for e in examples if e.query.operation == "list" and len(e.answers) == 2][:8]
    assert lists
    readings = []
    for example in lists:
        places = {example.task.items[s.item].text[s.start : s.end]: s for s in example.gold.spots}
        likely = tuple((spot, share) for spot, share in zip(places.values(), (0.7, 0.1), strict=False))
        readings.append(Reading("list", tuple((step, 1.0) for step in example.gold.steps), likely, 0.55))
    policy = choose(lists, readings)
    assert policy.absent > 0.55
    assert policy.share <= 0.1 / 0.7
    assert all(right(e, decide(r, e.task, policy)) for e, r in zip(lists, readings, strict=True))


def test_training_that_was_interrupted_gives_the_same_bytes(
    examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("hoptrace.agents.student.train._SAVE", 1)
    monkeypatch.setattr("hoptrace.agents.distill.students._TOKENS", 300)
    pairs = [(e.task, e.target) for e in examples[:6]]
    (file,) = PackagedLearner().train(pairs, tmp_path / "whole", 3, 0, lambda line: None)

    class Killed(Exception):
        pass

    def kill(line: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        PackagedLearner().train(pairs, tmp_path / "cut", 3, 0, kill)
    PackagedLearner().train(pairs, tmp_path / "cut", 3, 0, lambda line: None)
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "cut" / file).read_bytes()
    assert 0 <= PackagedLearner().load(tmp_path / "whole").read(pairs[0][0]).absent <= 1


def test_a_student_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert isinstance(learner("packaged"), PackagedLearner)
    with pytest.raises(MissingPathError, match="packaged, or the folder"):
        learner(str(tmp_path / "none"))
