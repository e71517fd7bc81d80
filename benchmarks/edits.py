"""Edits of facts that a memory knows: `python benchmarks/edits.py [--people N] [--edits N] [--seed N]`.

A made-up graph, each fact in a document of its own: where people were born, whom they work for, what they wrote, where firms and
towns lie. A closed-book memory learns all of it; then facts are erased, modified and inserted, and `edit_report` asks about them.
`old_answer_wins` is the control: what the memory says when nobody looks at the ledger.
"""

from __future__ import annotations

import argparse
import random
import tempfile

from common import commit, print_result, print_table
from hoptrace import Agent, KnowledgeGraph
from hoptrace.agents.editing import edit_report
from hoptrace.agents.experts.train_memory import train
from hoptrace.kg.model import Document, Fact, Mention, Name, text_hash
from hoptrace.retrieval.encoder import Encoder

_FIRST = "Orla Piet Ines Ravn Sela Toke Mira Joss Edda Levi Nila Odin Pira Quin Rhea Sten Tova Ulf Vera Wim".split()
_LAST = "Vance Aalders Tolland Ekholm Brack Dorn Fenn Garrow Hale Ister Jarl Krog Lund Marr Nyborg Oster Prynn Quist Rask Stroem"
_KIND = "Silent Amber Broken Hollow Winter Golden Paper Salt Iron Distant Velvet Copper Narrow Burning Quiet Scarlet".split()
_THING = "Harbour Lantern Orchard Compass Meridian Sparrow Causeway Almanac Threshold Cathedral Voyage Monsoon Tapestry Estuary"


def world(people: int, rng: random.Random) -> list[tuple[str, str, str]]:
    """Facts; of each person's three, some are missing."""
    last = _LAST.split()
    titles = rng.sample([f"{kind} {thing}" for kind in _KIND for thing in _THING.split()], min(people, 200))
    firms = [f"{name} {kind}" for name in last for kind in ("Mill", "Yard", "Labs")]
    towns = [f"{name}{end}" for name in _FIRST for end in ("ton", "by")]
    lands = [f"{name[:3]}{end}" for name in last for end in ("land", "mark")]
    facts = []
    for i, person in enumerate(rng.sample([f"{one} {two}" for one in _FIRST for two in last], people)):
        said = [(person, "born in", rng.choice(towns)), (person, "works for", rng.choice(firms))]
        said += [(person, "wrote", titles[i])] if i < len(titles) else []
        facts += [fact for fact in said if rng.random() < 0.85]
    facts += [(firm, "headquartered in", rng.choice(towns)) for firm in firms]
    return facts + [(town, "located in", rng.choice(lands)) for town in towns]


def write(kg: KnowledgeGraph, facts: list[tuple[str, str, str]]) -> None:
    """A document for each fact."""
    for i, (subject, relation, value) in enumerate(facts):
        text, one, two = f"{subject} {relation} {value}.", Name(subject), Name(value)
        mentions = (Mention(one, 0, len(subject)), Mention(two, len(text) - 1 - len(value), len(text) - 1))
        fact = Fact(one, relation, two, 0, len(text))
        document = Document(f"{i}.txt", "text/plain", text, text_hash(text), facts=(fact,), mentions=mentions)
        kg.write_document(document, [(0, len(text), "text")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    encoder = Encoder.default()
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(folder) as kg:
        write(kg, world(options.people, random.Random(options.seed)))
        agent = Agent(kg, encoder=encoder, reads=False, writer=False)
        memory = train(kg, agent.retriever.relations, encoder, seed=options.seed)
        report = edit_report(memory, agent, edits=options.edits, seed=options.seed)
    print_table(("measure", "rate", "questions"), [(name, rate, report.asked[name]) for name, rate in report.rates.items()])
    print_result({"benchmark": "edits", "commit": commit(), "seed": options.seed, "edits": report.edits, **report.rates})


if __name__ == "__main__":
    main()
