"""Rules applied to profiles, on a graph about pumps: nothing of the engine knows a field."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hoptrace import Agent, Answer, KnowledgeGraph
from hoptrace.agents.profiles import Profile
from hoptrace.kg.errors import CorruptionError, InputError, ProfileError
from hoptrace.retrieval.encoder import Encoder

RULES = [
    ("vibration", "is given in", "mm/s"),
    ("vibration", "cannot be below", "0 mm/s"),
    ("vibration", "cannot be above", "100 mm/s"),
    ("run time", "is given in", "hours"),
    ("rough running", "is read from", "vibration"),
    ("rough running", "lies above", "4 mm/s"),
    ("rough running", "is graded", "high severity"),
    ("rough running", "calls for", "balancing"),
    ("rough running", "may be caused by", "worn bearing"),
    ("rough running", "may be caused by", "dry bearing"),
    ("worn bearing", "is read from", "run time"),
    ("worn bearing", "lies at or above", "8000 hours"),
    ("worn bearing", "is graded", "low severity"),
    ("worn bearing", "calls for", "bearing change"),
    ("worn bearing", "concerns", "bearings"),
    ("dry bearing", "calls for", "greasing"),
    ("dry bearing", "concerns", "bearings"),
    ("balancing", "rests on", "weak evidence"),
    ("balancing", "is unsuitable with", "cracked shaft"),
    ("bearing change", "rests on", "strong evidence"),
    ("old type", "is read from", "age"),
    ("old type", "lies above", "10 years"),
    ("refit", "applies to", "old type"),
    ("rough running", "calls for", "refit"),
    ("smell of smoke", "calls first for", "stopping the pump"),
    ("fire", "calls only for", "fire brigade"),
    ("cracked shaft", "advises against", "greasing"),
]
ROUGH = {"vibration": "7.1 mm/s", "run time": "9000 hours", "age": "4 years"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("pumps") / "kg"
    with KnowledgeGraph.open(folder) as kg:
        from hoptrace.kg.model import Literal

        rules = [(s, r, Literal(o) if o[0].isdigit() else o) for s, r, o in RULES]
        write(kg, rules, uri="pumps.txt")
    return folder


@pytest.fixture(scope="module")
def pumps(folder: Path, encoder: Encoder) -> Iterator[Agent]:
    with KnowledgeGraph.open(folder, read_only=True) as kg:
        yield Agent(kg, encoder=encoder)


def pump(*conditions: str, **measurements: str) -> dict[str, Any]:
    named = {name.replace("_", " "): value for name, value in measurements.items()}
    return {"id": "pump-7", "measurements": {**ROUGH, **named}, "conditions": list(conditions)}


def cited(answer: Answer) -> bool:
    hops = [hop for path in answer.to_dict()["paths"] for hop in path["hops"]]
    return all(hop["citations"] for hop in hops) and all(claim.citations for claim in answer.rationale)


def test_measurements_lead_over_findings_and_causes_to_actions_every_hop_cited(pumps: Agent) -> None:
    answer = pumps.advise(pump())
    assert answer.answers == ("bearing change", "balancing")  # both of high severity: a cause inherits it; evidence decides
    assert str(answer.paths[0]) == (
        "pump-7 —reports→ vibration ←is read from— rough running —may be caused by→ worn bearing —calls for→ bearing change"
    )
    assert cited(answer)
    [claim] = [claim for claim in answer.rationale if claim.text.startswith("vibration 7.1 mm/s is above 4 mm/s")]
    quotes = {citation.quote for citation in answer.citations if citation.id in claim.citations}
    assert quotes == {'"vibration": "7.1 mm/s"', "rough running lies above 4 mm/s."}


def test_thresholds_are_compared_in_units_and_exactly(pumps: Agent) -> None:
    assert "balancing" not in pumps.advise(pump(vibration="4.0 mm/s")).answers
    assert "balancing" in pumps.advise(pump(vibration="4.0000000000000000001 mm/s")).answers
    assert "bearing change" in pumps.advise(pump(run_time="480000 minutes")).answers
    assert "bearing change" not in pumps.advise(pump(run_time="479999 minutes")).answers


def test_an_unsuitable_action_is_left_out_and_says_why(pumps: Agent) -> None:
    answer = pumps.advise(pump("cracked shaft"))
    assert answer.answers == ("bearing change",)
    assert "Left out: balancing, unsuitable with cracked shaft" in answer.text
    assert any(path.end.label == "balancing" for path in answer.paths)
    assert cited(answer)


def test_an_action_for_others_is_not_recommended_and_says_for_whom(pumps: Agent) -> None:
    assert "Not meant for pump-7: refit, which applies to old type" in pumps.advise(pump()).text
    assert "refit" in pumps.advise(pump(age="11 years")).answers


def test_urgent_comes_first_and_what_comes_alone_puts_the_rest_off(pumps: Agent) -> None:
    smoke, fire = pumps.advise(pump("smell of smoke")), pumps.advise(pump("fire"))
    assert smoke.answers[0] == "stopping the pump"
    assert smoke.text.startswith("First: stopping the pump, because of smell of smoke. After that: bearing change")
    assert fire.answers == ("fire brigade",)
    assert "Put off: bearing change, balancing" in fire.text


def test_advice_against_what_is_called_for_is_a_disagreement(pumps: Agent) -> None:
    answer = pumps.advise(pump("dry bearing", "cracked shaft"))
    assert "greasing" in answer.answers
    said = "Guidelines disagree on greasing: dry bearing calls for it, cracked shaft advises against it"
    assert said in answer.text
    assert cited(answer)


def test_what_is_not_measured_is_named_with_the_rule_that_asks_for_it(pumps: Agent) -> None:
    answer = pumps.advise({"id": "pump-8", "measurements": {"vibration": "7 mm/s"}})
    assert "Not assessed, as pump-8 does not say: age, run time" in answer.text
    said = "pump-8 does not say run time, from which worn bearing is read"
    assert any(claim.text.startswith(said) for claim in answer.rationale)


def test_a_profile_without_any_measurement_of_use_abstains(pumps: Agent) -> None:
    answer = pumps.advise({"id": "pump-9", "measurements": {"colour": "3 points"}, "conditions": ["rust"]})
    assert answer.status == "abstained"
    assert "age, run time, vibration" in answer.text


def test_what_no_rule_is_about_is_noted(pumps: Agent) -> None:
    assert pumps.advise(pump("rust", "bearings")).notes == ("no rule is about 'rust'", "no rule is about 'bearings'")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("7.1 kg", "not in mm/s"),
        ("7,1 mm/s", "no number with a unit"),
        ("-1 mm/s", "below 0 mm/s, which cannot be"),
        ("700 mm/s", "above 100 mm/s, which cannot be"),
        ("7", "not in mm/s"),
    ],
)
def test_a_value_that_cannot_be_is_a_typed_error(pumps: Agent, value: str, message: str) -> None:
    with pytest.raises(ProfileError, match=f"pump-7: vibration '{value}'.*{message}"):
        pumps.advise(pump(vibration=value))


def test_a_graph_without_rules_says_so(agent: Agent) -> None:
    with pytest.raises(InputError, match="no guidance"):
        agent.advise(pump())


@pytest.mark.parametrize(
    ("more", "message"),
    [([("hot", "is read from", "heat")], "no bound is given"), ([("rough running", "is read from", "noise")], "two measures")],
)
def test_rules_that_cannot_be_applied_are_an_error(tmp_path: Path, more: list[tuple[str, str, str]], message: str) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for rule in [*RULES[4:8], *more]:
            kg.add(*rule)
        with pytest.raises(InputError, match=message):
            Agent(kg).advise(pump())


def test_rules_and_statements_as_of_a_day(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for rule in RULES[4:6]:
            kg.add(*rule)
        kg.add("rough running", "calls for", "balancing", valid_from=date(2025, 1, 1))
        kg.add("rough running", "calls for", "waiting", valid_to=date(2025, 1, 1))
        profile = {"id": "p", "reports": [{"date": "2024-01-05", "measurements": {"vibration": "9 mm/s"}}]}
        assert Agent(kg).advise(profile, as_of="2024-06-01").answers == ("waiting",)
        assert Agent(kg).advise(profile, as_of="2026-06-01").answers == ("balancing",)
        assert Agent(kg).advise(profile, as_of="2023-06-01").status == "abstained"


def test_a_rule_whose_words_are_gone_supports_nothing(tmp_path: Path) -> None:
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        for rule in RULES[4:8]:
            kg.add(*rule)
        assert Agent(kg).advise(pump()).answers == ("balancing",)
        kg.retract(next(iter(kg.triples("rough running", "calls for"))).id)
        with pytest.raises(InputError, match="no guidance"):
            Agent(kg).advise(pump())


@pytest.mark.parametrize("words", ["rough running lies above 4", "fire calls only for"])
def test_damaged_rules_give_no_advice_and_no_contraindication_is_lost(folder: Path, tmp_path: Path, words: str) -> None:
    """The characters of a rule that is used, and others of its chunk, changed behind the store's back."""
    shutil.copytree(folder, tmp_path / "kg")
    with KnowledgeGraph.open(tmp_path / "kg") as kg:
        with sqlite3.connect(kg.path / "kg.sqlite") as db:
            assert db.execute("UPDATE chunk SET text = replace(text, ?, ?)", (words, words[::-1])).rowcount
        db.close()
        with pytest.raises(CorruptionError):
            Agent(kg).advise(pump())


def test_a_comparison_of_which_one_citation_fails_takes_the_answer_with_it(pumps: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = pumps.consult(pump())
    assert talk.advise().status == "answered"
    monkeypatch.setattr(Profile, "supposing", _misquoting(Profile.supposing))
    answer = talk.ask("And if vibration were 9?")
    assert answer.status == "abstained"
    assert answer.answers == ()


def _misquoting(supposing: Callable[..., Profile]) -> Callable[..., Profile]:
    def call(profile: Profile, words: str, made: list[Any]) -> Profile:
        said = supposing(profile, words, made)
        wrong = replace(said.statements[-1], span=replace(said.statements[-1].span, quote="other words"))
        return replace(said, statements=(*said.statements[:-1], wrong))

    return call


# ---- questions about it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("Why the bearing change?", ("worn bearing",)),
        ("Why not the refit?", ("meant for others",)),
        ("What about the bearings?", ("bearing change",)),
        ("How is our vibration?", ("7.1 mm/s",)),
        ("Should we do balancing?", ("yes",)),
        ("Is balancing dangerous for us?", ("balancing",)),
        ("Should we avoid balancing?", ("balancing",)),
        ("Do we have rough running?", ("yes",)),
        ("Do we need greasing?", ("not called for",)),
        ("What should we do first?", ("bearing change",)),
        ("Is anything of ours not measured?", ("nothing",)),
        ("What if we had a cracked shaft?", ("bearing change",)),
        ("And if it were 12?", ("bearing change", "balancing", "refit")),
        ("And if vibration were 2 and run time 1,000 hours?", ("nothing",)),
        ("And without rough running?", ("bearing change",)),
        ("What about the paint?", ()),
        ("And if it had 12 widgets?", ()),
        ("What if pigs could fly?", ()),
    ],
)
def test_questions_about_the_advice(pumps: Agent, question: str, answers: tuple[str, ...]) -> None:
    talk = pumps.consult(pump())
    assert talk.refers(question)
    answer = talk.ask(question)
    assert answer.answers == answers
    assert cited(answer)
    assert all(citation.verified for citation in answer.citations)
    assert bool(answers) == (answer.status == "answered")


def test_why_that_speaks_of_what_was_said_last(pumps: Agent) -> None:
    talk = pumps.consult(pump())
    talk.advise()
    assert talk.ask("Why that?").answers == ("worn bearing",)
    assert talk.ask("Should we do balancing?").answers == ("yes",)
    assert talk.ask("But why?").answers == ("rough running",)


def test_a_supposed_value_that_cannot_be_is_an_error_and_the_talk_goes_on(pumps: Agent) -> None:
    talk = pumps.consult(pump())
    with pytest.raises(ProfileError, match="above 100 mm/s"):
        talk.ask("And if vibration were 500?")
    assert talk.ask("What do you recommend for us?").answers == ("bearing change", "balancing")


@pytest.mark.parametrize(
    "question",
    ["What does rough running call for?", "Which cause does rough running have?", "Why do pumps fail so often in hot weather?"],
)
def test_questions_about_the_field_are_not_about_the_profile(pumps: Agent, question: str) -> None:
    talk = pumps.consult(pump())
    assert not talk.refers(question)
    assert "pump-7" not in str(talk.ask(question).to_dict())
