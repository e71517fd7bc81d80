"""Entity resolution: what merges, what must not, and that the order of entities never matters."""

from __future__ import annotations

from itertools import combinations

import pytest
from hoptrace.kg.model import normalize
from hoptrace.kg.resolve import Candidate, Link, block_of, canonical, links, one_slip, pair, split_legal_form, type_path
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA


def clusters(*names: tuple[str, str] | tuple[str, str, str], apart: set[tuple[int, int]] | None = None) -> set[frozenset[str]]:
    """Names that came to be one, as `label/type` sets; single ones left out."""
    members = {key: Candidate(key, normalize(name[0]), *name[1:]) for key, name in enumerate(names)}
    heads = canonical(members, links(members.values(), apart or ()), (), apart or ())
    grouped: dict[int, list[str]] = {}
    for key, head in heads.items():
        grouped.setdefault(head, []).append("/".join(names[key][:2]))
    return {frozenset(group) for group in grouped.values() if len(group) > 1}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Halden Marine Ltd", ""), ("Halden Marine Limited", "")),
        (("Halden Marine Inc.", "company"), ("Halden Marine, Incorporated", "company")),
        (("Halden Marine Co. Ltd", ""), ("Halden Marine Company Limited", "")),
        (("Halden Marine", ""), ("Halden Marine S.A.", "")),
        (("Halden Marine", "company"), ("Halden Marine", "supplier")),
        (("Halden Marine", ""), ("Halden Marine", "ship")),
        (("Corvane", "place"), ("Corvane", "city")),
        (("The Halden Company", ""), ("Halden Co", "")),
        (("The Corvane Harbour Board", ""), ("Corvane Harbour Board", "agency")),
        (("Halden Marine", ""), ("Halden Marnie", "")),
        (("Halden Marine", ""), ("Halden Marrine", "company")),
        (("Corvane", "city", "urn:corvane"), ("Corvane", "city")),
    ],
)
def test_same(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert len(clusters(one, other)) == 1
    assert len(clusters(other, one)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Halden Marine", ""), ("Halden Marina", "")),
        (("Halden Marine Ltd", ""), ("Halden Marine Inc", "")),
        (("Halden Marine GmbH", "company"), ("Halden Marine AG", "company")),
        (("Halden", "company"), ("Halden", "city")),
        (("Halden", "city"), ("Halden", "country")),
        (("Halden", "", "urn:a"), ("Halden", "", "urn:b")),
        (("Tarn Engine 1200", ""), ("Tarn Engine 1220", "")),
        (("Tarn 2019", ""), ("Tarn 2091", "")),
        (("Ines Tarr", "person"), ("Ines Tarre", "person")),
        (("J Vance", "person"), ("John Vance", "person")),
        (("Ines Company", "person"), ("Ines", "person")),
    ],
)
def test_not_the_same(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not clusters(one, other)


def test_a_choice_between_two_is_no_choice() -> None:
    assert not clusters(("Tarn", ""), ("Tarn Ltd", ""), ("Tarn Inc", ""))
    assert not clusters(("Titanic", ""), ("Titanic", "film"), ("Titanic", "ship"))
    assert not clusters(("Corvane", ""), ("Corvane", "", "urn:a"), ("Corvane", "", "urn:b"))
    assert not clusters(("Halden Marine", ""), ("Halden Marrine", ""), ("Halden Marnie", ""))


def test_rules_build_on_one_another() -> None:
    assert clusters(
        ("Tarn Pumps", ""), ("Tarn Pumps Ltd", ""), ("Tarn Pumps Limited", "company"), ("Tarn Pumps", "supplier")
    ) == {frozenset({"Tarn Pumps/", "Tarn Pumps Ltd/", "Tarn Pumps Limited/company", "Tarn Pumps/supplier"})}


def test_a_person_outranks_the_rules() -> None:
    assert not clusters(("Tarn Ltd", ""), ("Tarn Limited", ""), apart={(0, 1)})
    members = {key: Candidate(key, norm) for key, norm in enumerate(["tarn", "tarn ltd", "acme"])}
    found = links(members.values())
    heads = canonical(members, found, {(0, 2)}, {(1, 2)})
    assert heads[0] == heads[2] != heads[1]


def test_the_representative_is_the_most_telling() -> None:
    members = {
        1: Candidate(1, "tarn"),
        2: Candidate(2, "tarn limited", "company"),
        3: Candidate(3, "tarn", "company", "urn:tarn"),
    }
    assert set(canonical(members, links(members.values()), (), ()).values()) == {3}
    del members[3]
    assert set(canonical(members, links(members.values()), (), ()).values()) == {2}


LABELS = st.sampled_from(
    ["tarn", "tarn ltd", "tarn limited", "tarn inc", "the tarn co", "tarn marine", "tarn marnie", "tarn marrine"]
)
TYPES = st.sampled_from(["", "company", "supplier", "place", "city", "person"])
CANDIDATES = st.lists(
    st.tuples(LABELS, TYPES, st.sampled_from(["", "", "", "urn:a", "urn:b"])), min_size=1, max_size=9, unique=True
).map(lambda rows: [Candidate(key, *row) for key, row in enumerate(rows)])


@given(
    CANDIDATES,
    st.randoms(use_true_random=False),
    st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda two: pair(*two))),
)
def test_order_never_matters_and_nothing_conflicting_is_joined(
    candidates: list[Candidate], random: object, apart: set[tuple[int, int]]
) -> None:
    apart = {couple for couple in apart if couple[0] != couple[1]}
    shuffled = sorted(candidates, key=lambda _: random.random())  # type: ignore[attr-defined]
    found = links(candidates, apart)
    assert sorted(found) == sorted(links(shuffled, apart))
    members = {candidate.key: candidate for candidate in candidates}
    heads = canonical(members, found, (), apart)
    for one, other in combinations(candidates, 2):
        if heads[one.key] == heads[other.key]:
            assert pair(one.key, other.key) not in apart
            assert not (one.iri and other.iri and one.iri != other.iri)
            paths = sorted((type_path(one.type), type_path(other.type)), key=len)
            assert paths[1][: len(paths[0])] == paths[0]
            forms = {split_legal_form(each.norm)[1] for each in (one, other)} - {""}
            assert len(forms) < 2 or "person" in (one.type, other.type)


@given(st.text("abc", min_size=4, max_size=9), st.text("abc", min_size=4, max_size=9))
def test_a_slip_is_one_edit(first: str, second: str) -> None:
    """Against an independent distance: swaps and doubled letters are among the single edits, and nothing else is a slip."""
    if one_slip(first, second):
        assert OSA.distance(first, second) == 1
        if len(first) == len(second):
            assert sorted(first) == sorted(second)
    if (
        first != second
        and len(first) == len(second) >= 6
        and OSA.distance(first, second) == 1
        and sorted(first) == sorted(second)
    ):
        assert one_slip(first, second)


def test_blocks_ignore_articles() -> None:
    assert block_of("the tarn company") == block_of("tarn co") == "tarn"
    assert block_of("a") == "a"


def test_an_article_tells_short_names_apart_and_not_long_ones() -> None:
    assert links([Candidate(1, "comedy"), Candidate(2, "the comedy")]) == []
    assert len(links([Candidate(1, "tarn group"), Candidate(2, "the tarn group")])) == 1


def test_large_blocks_stay_linear() -> None:
    found = links([Candidate(key, f"john smith{key:05d}") for key in range(20_000)])
    assert found == []
    assert isinstance(links([Candidate(1, "tarn"), Candidate(2, "tarn ltd")])[0], Link)
