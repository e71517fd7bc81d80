"""Relations in English: forms of verbs and nouns, and questions drawn from the lexicon."""

from __future__ import annotations

import random

import pytest
from hoptrace.retrieval.phrases import SLOT, Phraser, plural, say, verb
from hoptrace.retrieval.wordings import Family, families
from hypothesis import given
from hypothesis import strategies as st

FAMILIES = families()
STEPS = st.tuples(st.sampled_from(FAMILIES), st.sampled_from((1, -1)))


@pytest.mark.parametrize(
    ("phrase", "base", "past", "participle", "present", "gerund"),
    [
        ("acquire", "acquire", "acquired", "acquired", "acquires", "acquiring"),
        ("wrote", "write", "wrote", "written", "writes", "writing"),
        ("took over", "take", "took", "taken", "takes", "taking"),
        ("star in", "star", "starred", "starred", "stars", "starring"),
        ("co-wrote", "co-write", "co-wrote", "co-written", "co-writes", "co-writing"),
        ("remake", "remake", "remade", "remade", "remakes", "remaking"),
        ("runs", "run", "ran", "run", "runs", "running"),
        ("occur in", "occur", "occurred", "occurred", "occurs", "occurring"),
        ("supply", "supply", "supplied", "supplied", "supplies", "supplying"),
        ("open", "open", "opened", "opened", "opens", "opening"),
        ("play", "play", "played", "played", "plays", "playing"),
        ("die of", "die", "died", "died", "dies", "dying"),
        ("oversee", "oversee", "oversaw", "overseen", "oversees", "overseeing"),
        ("teach", "teach", "taught", "taught", "teaches", "teaching"),
        ("succeed", "succeed", "succeeded", "succeeded", "succeeds", "succeeding"),
        ("have", "have", "had", "had", "has", "having"),
        ("found", "found", "founded", "founded", "founds", "founding"),
    ],
)
def test_forms_of_a_verb(phrase: str, base: str, past: str, participle: str, present: str, gerund: str) -> None:
    found = verb(phrase)
    assert found is not None
    assert (found.base, found.past, found.participle, found.present, found.gerund) == (base, past, participle, present, gerund)
    assert found.rest == phrase.partition(" ")[2]


@pytest.mark.parametrize("phrase", ["behind", "based in", "competing with", "are about", "famous for", "previously led", "films"])
def test_what_is_no_verb_has_no_forms(phrase: str) -> None:
    assert verb(phrase) is None


AMBIGUOUS = {"find": "found", "lie": "lay", "emcee": "emceed"}  # past forms that are, or look like, other verbs


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_form_of_a_verb_of_the_lexicon_is_a_form_of_no_other_verb(family: Family) -> None:
    """What was inflected twice ("bringinged") would not come back to where it started."""
    for word in family.verbs:
        if (first := verb(word)) is not None:
            forms = {first.base, first.past, first.participle, first.present, first.gerund} - {AMBIGUOUS.get(first.base)}
            again = [v.base for form in forms if (v := verb(form)) is not None]
            assert set(again) == {first.base}, word


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("company", "companies"), ("day", "days"), ("actress", "actresses"), ("child", "children"), ("person", "people"),
        ("chairman of the board", "chairmen of the board"), ("place of birth", "places of birth"), ("series", "series"),
        ("award received", "awards received"), ("mind behind", "minds behind"), ("actor or actress", "actors or actresses"),
        ("company in the sector", "companies in the sector"), ("basis", "bases"), ("status", "statuses"),
        ("top speed", "top speeds"), ("wife", "wives"), ("lyrics", "lyrics"), ("branch", "branches"), ("sales", "sales"),
    ],
)  # fmt: skip
def test_plurals(noun: str, many: str) -> None:
    assert plural(noun) == many


def words_of(family: Family) -> set[str]:
    """What a wording of a family may be: one of its own, or its label and what the label says of either end."""
    own = {*family.verbs, *family.subject_nouns, *family.object_nouns}
    return own | {family.name, family.name.removeprefix("has "), family.name.removesuffix(" of")}


@given(st.lists(STEPS, min_size=1, max_size=3), st.integers(0, 2**32))
def test_a_question_holds_the_name_once_and_only_words_of_its_families(steps: list[tuple[Family, int]], seed: int) -> None:
    said = say(steps, Phraser(random.Random(seed)))
    if said is None:
        return
    text, wordings = said
    assert text.count(SLOT) == 1
    assert not set("{}()|") & set(text)
    assert text == " ".join(text.split())
    assert len(wordings) in {len(steps), len(steps) - 1}, "a hop and its return may share one wording"
    if len(wordings) == len(steps):
        assert all(word in words_of(family) for word, (family, _) in zip(wordings, steps, strict=True))
    assert set(wordings) <= set().union(*(words_of(family) for family, _ in steps))


@given(STEPS, st.integers(0, 2**32))
def test_a_wording_that_is_not_allowed_is_never_drawn(step: tuple[Family, int], seed: int) -> None:
    asked: set[tuple[str, int]] = set()

    def allowed(family: Family, direction: int, phrase: str) -> bool:
        asked.add((family.name, direction))
        return len(phrase) % 2 == 0

    said = say([step], Phraser(random.Random(seed), allowed))
    assert said is None or all(len(word) % 2 == 0 for word in said[1])
    assert asked <= {(step[0].name, 1), (step[0].name, -1)}


def test_a_family_without_words_cannot_be_said() -> None:
    assert say([(Family("of"), 1)], Phraser(random.Random(0), lambda family, direction, phrase: False)) is None


def test_the_same_draws_give_the_same_questions() -> None:
    steps = [(FAMILIES[3], 1), (FAMILIES[5], -1)]
    first, again = (
        [say(steps, phraser) for _ in range(20)] for phraser in (Phraser(random.Random(4)), Phraser(random.Random(4)))
    )
    assert first == again
    assert len({said for said in first if said}) > 10


def test_nothing_is_hung_on_the_last_noun_of_a_longer_phrase() -> None:
    owns, rival = (next(f for f in FAMILIES if f.name == name) for name in ("owns", "competes with"))
    phraser = Phraser(random.Random(5))
    for phrase in (f"the firms that supply {SLOT}", f"the owner of {SLOT}", f"the firms {SLOT} was founded by"):
        said = [phraser.asked((rival, 1), phrase) for _ in range(300)]
        said += [phraser.described((owns, -1), phrase) for _ in range(300)]
        assert not any(phrase + tail in text for text, _ in filter(None, said) for tail in ("'s ", " competitor", " owner"))
    assert any("'s" in said[0] for said in [phraser.described((owns, -1), SLOT) for _ in range(100)] if said)


def test_who_is_born_somewhere_is_not_born_by_it() -> None:
    born = next(f for f in FAMILIES if f.name == "born in")
    phraser = Phraser(random.Random(2))
    said = [phraser.asked((born, way), SLOT) for way in (1, -1) for _ in range(300)]
    assert not any("born by" in text for text, _ in filter(None, said))
