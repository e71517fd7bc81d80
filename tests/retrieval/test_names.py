"""Names near to what was written, against a full comparison with every name."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hoptrace.kg.graph import KnowledgeGraph
from hoptrace.kg.model import normalize
from hoptrace.kg.resolve import split_legal_form
from hoptrace.retrieval.names import NameIndex, allowed_slips, slipped
from rapidfuzz.distance import OSA

FIRMS = [
    "Brightwater Labs", "Quellmark Logistics Ltd", "Halden Marine", "The Tarn Society", "Tessarvo Coatings AG",
    "Tessarvo Coatings Ltd", "Orla Vance", "Ormond Vale Works", "Bank of Loch Orrin", "Müller Söhne", "Apollo 13",
]  # fmt: skip


def graph(folder: Path, write: Callable[..., None], names: list[str]) -> KnowledgeGraph:
    kg = KnowledgeGraph.open(folder)
    write(kg, [(name, "lies on", "Oster Moor") for name in names])
    return kg


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., None]) -> NameIndex:
    return NameIndex(graph(tmp_path_factory.mktemp("names") / "kg", write, FIRMS).store)


@pytest.mark.parametrize(
    ("written", "how", "names"),
    [
        ("Brightwater Labs Ltd", "form", ["brightwater labs"]),
        ("Halden Marine Group", "form", ["halden marine"]),
        ("Tarn Society", "form", ["the tarn society"]),
        ("Quellmark Logistics", "form", ["quellmark logistics ltd"]),
        ("Quellmark Logistics Limited", "form", ["quellmark logistics ltd"]),
        ("Tessarvo Coatings", "form", ["tessarvo coatings ag", "tessarvo coatings ltd"]),
        ("Quellmark", "part", ["quellmark logistics ltd"]),
        ("Loch Orrin", "part", ["bank of loch orrin"]),
        ("Brigthwater Labs", "spelling", ["brightwater labs"]),
        ("Bright water Labs", "spelling", ["brightwater labs"]),
        ("Tesarvo Coatings AG", "spelling", ["tessarvo coatings ag"]),
        ("Muler Sohne", "spelling", ["muller sohne"]),
    ],
)
def test_near_names(index: NameIndex, written: str, how: str, names: list[str]) -> None:
    found = index.near(normalize(written))
    assert [match.name for match in found] == names
    assert {match.how for match in found} == {how}


@pytest.mark.parametrize("written", ["Tessarvo Coatings GmbH", "Brightwater Mills", "Apollo 11", "Orla Vonk", "the", "x"])
def test_what_is_near_to_nothing(index: NameIndex, written: str) -> None:
    assert index.near(normalize(written)) == []


@pytest.mark.parametrize(
    ("letters", "names"),
    [("BLO", ["bank of loch orrin"]), ("BOLO", ["bank of loch orrin"]), ("BWL", ["brightwater labs"]),
     ("OVW", ["ormond vale works"]), ("XYZ", []), ("HM", []), ("LBW", [])],
)  # fmt: skip
def test_acronyms(index: NameIndex, letters: str, names: list[str]) -> None:
    assert [match.name for match in index.abbreviated(letters)] == names


def test_longer_names_are_those_that_begin_with_the_words(index: NameIndex) -> None:
    assert [match.name for match in index.begun("tessarvo coatings")] == ["tessarvo coatings ag", "tessarvo coatings ltd"]
    assert index.begun("coatings") == index.begun("tessarvo coatings ag") == index.begun("quell") == []


def test_an_acronym_of_too_many_names_stands_for_none(tmp_path: Path, write: Callable[..., None]) -> None:
    names = [f"Orla {second} Ware" for second in ("Vance", "Vale", "Vane", "Venn", "Vick", "Voss", "Vorn", "Vell")]
    with graph(tmp_path / "kg", write, names) as kg:
        index = NameIndex(kg.store)
        assert [match.name for match in index.abbreviated("ovw")] == sorted(map(normalize, names))
        write(kg, [("Orla Vim Ware", "lies on", "Oster Moor")], "more.txt")
        assert index.abbreviated("ovw") == []


def made(rng: random.Random) -> str:
    words = ("".join(rng.choices("abcdeno", k=rng.randint(2, 9))) for _ in range(rng.randint(1, 3)))
    return " ".join(words)


def damaged(name: str, rng: random.Random) -> str:
    letters = list(name)
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(letters))
        if rng.random() < 0.5 or len(letters) < 3:
            letters.insert(at, rng.choice(string.ascii_lowercase))
        else:
            letters.pop(at)
    return normalize("".join(letters))


def other_form(first: str, second: str) -> bool:
    forms = {split_legal_form(first)[1], split_legal_form(second)[1]}
    return len(forms) == 2 and "" not in forms


def test_no_misspelt_name_is_missed(tmp_path: Path, write: Callable[..., None]) -> None:
    rng = random.Random(3)
    names = sorted({made(rng) for _ in range(400)})
    with graph(tmp_path / "kg", write, names) as kg:
        index = NameIndex(kg.store)
        known, _ = kg.store.names()
        hits = 0
        for _ in range(400):
            written = damaged(rng.choice(names), rng)
            near = {
                name
                for name in known
                if 0 < OSA.distance(written, name) <= allowed_slips(written)
                and slipped(written, name)
                and not other_form(written, name)
            }
            assert {match.name for match in index.spelled(written)} == near, written
            hits += bool(near)
        assert hits > 100


def test_an_index_that_follows_the_store_is_like_a_new_one(tmp_path: Path, write: Callable[..., None]) -> None:
    rng = random.Random(4)
    with graph(tmp_path / "kg", write, FIRMS) as kg:
        index = NameIndex(kg.store)
        for i in range(6):
            names = [made(rng) for _ in range(40)]
            write(kg, [(name, "lies on", "Oster Moor") for name in names], f"more {i}.txt")
            fresh = NameIndex(kg.store)
            for written in (*(damaged(name, rng) for name in names), "quellmark", "brigthwater labs"):
                assert index.near(written) == fresh.near(written)
            assert index.abbreviated("bwl") == fresh.abbreviated("bwl") != []


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("halden marine", "halden marnie", True),
        ("brad pit", "brad pitt", True),
        ("tim hale", "tom hale", False),
        ("ivo van der zanden", "ivo van der linden", False),
        ("apollo 13", "apollo 12", False),
        ("tarn ltd", "tarn llc", False),
        ("bright water", "brightwater", True),
        ("bright water", "brightwaters", False),
    ],
)
def test_slips(first: str, second: str, same: bool) -> None:
    assert slipped(first, second) is slipped(second, first) is same
