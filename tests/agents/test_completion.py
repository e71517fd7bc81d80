"""What Tab offers at each place of a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hoptrace import KnowledgeGraph
from hoptrace.agents.interfaces.completion import LineCompleter, Names
from hoptrace.agents.interfaces.shell import SLASHED
from hoptrace.agents.interfaces.sitting import LOCALS
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import to_plain_text

Offers = Callable[[str], dict[str, str]]


@pytest.fixture
def names(folder: Path) -> Iterator[Names]:
    with KnowledgeGraph.open(folder) as kg:
        made = Names(kg)
        made.adjacency = kg.adjacency()
        yield made


@pytest.fixture
def offers(names: Names) -> Offers:
    """Texts offered for a line, each with what stands beside it."""
    completer = LineCompleter(names, SLASHED, LOCALS)

    def ask(text: str) -> dict[str, str]:
        found = completer.get_completions(Document(text), CompleteEvent())
        return {one.text: to_plain_text(one.display_meta) for one in found}

    return ask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/sou", "/sources"),
        ("/as", "/as-of"),
        ("/qu", "/quit"),
        ("/gate ret", "retrieval"),
        ("/mode c", "csv"),
        ("/help as", "as-of"),
        ("/ask --ga", "--gate"),
        ("/ask --gate int", "internal"),
        ("/feedback 1 b", "bad"),
        ("/entity Brightw", "Brightwater Labs"),
        ("/path Brightw", '"Brightwater Labs"'),
        ('/path "Orla Vance" "Tarn', '"Tarn City"'),
        ("Who founded Brightw", "Brightwater Labs"),
        ("Where is Tarn C", "Tarn City"),
        ("/entity Brightwatr", "Brightwater Labs"),
        ('/teach "Orla Vance" f', "founded"),
        ('/teach "Orla Vance" founded Nor', "Norland"),
        ("/sparql SELECT ?s WHERE { ?s rel:fou", "rel:founded"),
        ("/sparql SELECT ?s WHERE { ?s rd", "rdfs:"),
        ("/sparql SEL", "SELECT"),
        ('/sparql SELECT ?s WHERE { ?s rdfs:label "Orl', "Orla Vance"),
    ],
)
def test_each_place_has_its_own_offers(offers: Offers, text: str, expected: str) -> None:
    assert expected in offers(text)


@pytest.mark.parametrize("text", ["", "who", "/stats Orla", "/nonsense Orla", "/path ", "/entity Zzyzx", "/sparql SELECT ?x"])
def test_nothing_is_offered_elsewhere(offers: Offers, text: str) -> None:
    assert offers(text) == {}


def test_after_the_subject_come_relations_that_leave_it_first(offers: Offers) -> None:
    found = offers('/teach "Orla Vance" ')
    assert next(iter(found.items())) == ("founded", "1 from here")
    assert '"headquartered in"' in found
    assert "Norland" not in found


def test_type_and_number_of_facts_stand_beside_a_name(offers: Offers) -> None:
    assert offers("/entity Brightw")["Brightwater Labs"] == "organization, 2 facts"
    assert offers("/entity Orl")["Orla Vance"] == "person, 1 fact"


def test_names_are_offered_before_the_graph_is_loaded(names: Names, offers: Offers) -> None:
    names.adjacency = None
    assert offers("/entity Orl") == {"Orla Vance": "person"}
    assert "founded" in offers('/teach "Orla Vance" f')


def test_a_hostile_name_is_harmless_where_it_is_offered(names: Names, offers: Offers) -> None:
    names.kg.add("Evil \x1b[31m\u202eCorp [link=http://x]y[/link]\x9b1m", "owns", "Thing")
    (text,) = offers("/entity Evil")
    assert text == "Evil [31mCorp [link=http://x]y[/link]1m"


def test_predicates_follow_what_is_taught(names: Names, offers: Offers) -> None:
    assert "rel:owns" not in offers("/sparql ASK { ?s rel:ow")
    names.kg.add("Orla Vance", "owns", "Norland")
    assert "rel:owns" in offers("/sparql ASK { ?s rel:ow")
