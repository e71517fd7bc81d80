"""Linking of damaged names: `python benchmarks/links.py GRAPH_OR_DATASET [--limit N] [--seed N]`.

The argument is a knowledge graph folder, or files or a folder to ingest into a new one (`kb.txt` of MetaQA, `*_kb.tsv` of
PathQuestion, documents). N questions are mined from the graph itself (`retrieval.mining`), so the name, its node and the path
asked for are known; each is then damaged once, by turns as the name allows:

typo       two neighbouring letters swapped, or one dropped, doubled or replaced, in a word of four letters or more
alias      another name the graph has for it, else its acronym where it has three words or more
head       the last word left out; nothing else is called by the rest or by a name that begins with it
lower      the whole question in lower case
vague      the last word left out, and the rest is, or begins, another name too ("Tom" for one of many): no system can tell
           them apart by name; the line `clear` is without these

`link@1`: the first node of some mention is the one asked about. `path@5`: the relations asked for, from the right node, are
among the five best answer sets of the path search. Systems: `exact` takes names as they stand (no repair), `ratio` compares
the damaged name, whose place it is told, with every name of the graph (rapidfuzz ratio), `link` is `Retriever.link`, and
`rewrite` adds the knowledge-card rewriting. An acronym or a misspelt name may by chance stand for something else; such
questions stay in. `changed` is the share of undamaged questions that rewriting changes, `in words` without those in which it
only finds a name.
Times are CPU time of linking, of linking and rewriting, and of the same where a question was rewritten.
"""

from __future__ import annotations

import argparse
import random
import string
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from common import commit, peak_mb, percentiles, print_result, print_table, with_interval
from hoptrace import KnowledgeGraph
from hoptrace.kg.model import Entity, normalize
from hoptrace.retrieval.base import Seed
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.linking import Link
from hoptrace.retrieval.mining import MinedQuestion, QuestionMiner
from hoptrace.retrieval.names import JOINERS
from hoptrace.retrieval.retriever import Retriever
from hoptrace.retrieval.rewrite import rewrite
from rapidfuzz import fuzz, process

KINDS = ("typo", "alias", "head", "lower")
ROWS = {"all": (*KINDS, "vague"), "clear": KINDS, **{kind: (kind,) for kind in (*KINDS, "vague")}}
SYSTEMS = ("exact", "ratio", "link", "rewrite")


class Damaged(NamedTuple):
    """A question and what was done to its name, which stands in `[start, end)`."""

    text: str
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """How one system did on one question."""

    kind: str
    linked: bool
    found: bool


# ---- damage ----------------------------------------------------------------------------------------------------------


def typo(name: str, rng: random.Random) -> str:
    """One typing error in a word of four letters or more, past its first letter; the name itself when it has none."""
    words = name.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long:
        return name
    i = rng.choice(long)
    word, at = words[i], rng.randrange(1, len(words[i]) - 1)
    letter = rng.choice(string.ascii_lowercase)
    words[i] = rng.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + letter + word[at + 1 :],
        )
    )
    return " ".join(words)


def alias(entity: Entity, rng: random.Random) -> str:
    """Another name of an entity, else its acronym, else its label."""
    others = [name for name in entity.aliases if normalize(name) != normalize(entity.label)]
    if others:
        return rng.choice(others)
    initials = [word[0].upper() for word in normalize(entity.label).split(" ") if word not in JOINERS]
    acronym = "".join(initials)
    return acronym if 3 <= len(acronym) <= 6 and acronym.isalpha() else entity.label


def damage(question: MinedQuestion, entity: Entity, kind: str, rng: random.Random) -> Damaged | None:
    """The question with its name damaged; None where the name does not allow it."""
    name, words = entity.label, entity.label.split(" ")[:-1]
    while words and words[-1].lower() in JOINERS:
        words.pop()
    new = {"typo": typo(name, rng), "alias": alias(entity, rng), "head": " ".join(words), "lower": name.lower()}[kind]
    if not new or (kind != "lower" and normalize(new) == normalize(name)):
        return None
    text = question.text[: question.start] + new + question.text[question.end :]
    if kind == "lower":
        text = text.lower()
    return Damaged(text, question.start, question.start + len(new), kind)


# ---- systems ---------------------------------------------------------------------------------------------------------


class Systems:
    """The systems compared, over one graph. Each gives a text and its mentions."""

    def __init__(self, retriever: Retriever) -> None:
        self.retriever, self.store = retriever, retriever.kg.store
        self.names = self.store.names()[0]
        self.milliseconds: dict[str, list[float]] = defaultdict(list)

    def ask(self, system: str, given: Damaged) -> tuple[str, list[Link]]:
        """The question as a system reads it, and the mentions it links."""
        if system == "ratio":
            return given.text, self._by_ratio(given)
        start = time.process_time()
        links = self.retriever.link(given.text)
        self.milliseconds["link"].append(1000 * (time.process_time() - start))
        if system == "exact":
            return given.text, [link if link.how == "exact" else replace(link, seeds=()) for link in links]
        if system == "rewrite":
            made = rewrite(given.text, links, self.retriever)
            spent = 1000 * (time.process_time() - start)
            for step in ("rewrite", *(["rewritten"] if made is not None else [])):
                self.milliseconds[step].append(spent)
            return (made.text, list(made.links)) if made is not None else (given.text, links)
        return given.text, links

    def _by_ratio(self, given: Damaged) -> list[Link]:
        said = given.text[given.start : given.end]
        (name, _, _) = process.extract(normalize(said), self.names, scorer=fuzz.ratio, limit=1)[0]
        rows = self.store.alias_rows(name)
        seeds = [Seed(row, node, given.start, given.end, 1.0) for row, node in zip(rows, self.store.nodes(rows), strict=True)]
        return [Link(given.start, given.end, said, tuple(seeds))]

    def row(self, system: str, given: Damaged, question: MinedQuestion) -> Row:
        """Whether a system links and finds what was asked."""
        text, links = self.ask(system, given)
        return self.judged(given.kind, text, links, question)

    def judged(self, kind: str, text: str, links: Sequence[Link], question: MinedQuestion) -> Row:
        linked = any(link.seeds and link.seeds[0].row == question.seed for link in links)
        if not any(seed.row == question.seed for link in links for seed in link.seeds):
            return Row(kind, linked, False)
        candidates = self.retriever.search(self.retriever.read(text, links), links).candidates[:5]
        gold = [s for c in candidates for s in c.states if s.seed.row == question.seed and s.steps == question.steps]
        return Row(kind, linked, bool(gold))


# ---- running ---------------------------------------------------------------------------------------------------------


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[KnowledgeGraph]:
    """The graph at a folder, or a new one that holds the given files."""
    if len(paths) == 1 and (paths[0] / "kg.sqlite").is_file():
        with KnowledgeGraph.open(paths[0], read_only=True) as kg:
            yield kg
        return
    found = [
        file for path in paths for file in ([path / "kb.txt"] if (path / "kb.txt").is_file() else sorted(path.glob("*_kb.tsv")))
    ]
    with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
        kg.ingest(found or list(paths))
        yield kg


def drawn(kg: KnowledgeGraph, retriever: Retriever, limit: int, rng: random.Random) -> list[tuple[MinedQuestion, Damaged]]:
    """Mined questions with the label as it is, each with one damaged form; the kinds take turns."""
    pairs: list[tuple[MinedQuestion, Damaged]] = []
    for question in QuestionMiner(kg, retriever.relations).mine(3 * limit, rng):
        entity = kg.store.nodes([question.seed])[0]
        if len(pairs) == limit or not isinstance(entity, Entity) or not any(c.isalpha() for c in entity.label):
            continue
        text = question.text[: question.start] + entity.label + question.text[question.end :]
        clean = replace(question, text=text, end=question.start + len(entity.label))
        turn = len(pairs) % len(KINDS)
        kinds = [KINDS[turn], *rng.sample(KINDS, len(KINDS))]
        made = next((form for kind in kinds if (form := damage(clean, entity, kind, rng)) is not None), None)
        if made is not None:
            pairs.append((clean, made if made.kind != "head" or _clear(kg, made) else made._replace(kind="vague")))
    return pairs


def _clear(kg: KnowledgeGraph, made: Damaged) -> bool:
    """Whether the damaged name is that of nothing and begins one name only."""
    said = normalize(made.text[made.start : made.end])
    begun = {entity.id for entity in kg.store.entities(prefix=said) if f"{normalize(entity.label)} ".startswith(f"{said} ")}
    return not kg.store.alias_rows(said) and len(begun) == 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH")
    parser.add_argument("--limit", type=int, default=500, help="questions (500)")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (0)")
    options = parser.parse_args()
    missing = [str(path) for path in options.paths if not path.exists()]
    if missing:
        sys.exit(f"no such file or folder: {', '.join(missing)}")
    with opened(options.paths) as kg:
        retriever = Retriever(kg, Encoder.default())
        retriever.adjacency()
        pairs = drawn(kg, retriever, options.limit, random.Random(options.seed))
        if not pairs:
            sys.exit("the graph is too small: no question could be mined from it")
        systems = Systems(retriever)
        retriever.link("Who was Zyxqv Wvutsr?")  # the names are read
        systems.milliseconds.clear()
        rows: dict[str, list[Row]] = defaultdict(list)
        changed, worded, lost = [], [], []
        for clean, damaged in pairs:
            plain = Damaged(clean.text, clean.start, clean.end, damaged.kind)
            rows["clean"].append(before := systems.row("link", plain, clean))
            text, links = systems.ask("rewrite", plain)
            changed.append(float((text, links) != systems.ask("link", plain)))
            worded.append(float(text != clean.text))
            lost.append(float(before.found and changed[-1] and not systems.judged("", text, links, clean).found))
            for system in SYSTEMS:
                rows[system].append(systems.row(system, damaged, clean))
    report("+".join(path.resolve().name for path in options.paths), rows, (changed, worded, lost), systems.milliseconds)


def report(
    name: str,
    rows: dict[str, list[Row]],
    undamaged: tuple[list[float], list[float], list[float]],
    milliseconds: dict[str, list[float]],
) -> None:
    """The table for people and the line for programs."""
    figures: dict[str, dict[str, Any]] = {
        system: with_interval("link@1", [float(row.linked) for row in some])
        | with_interval("path@5", [float(row.found) for row in some])
        for system, some in rows.items()
    }
    print(f"{name}: {len(rows['clean'])} mined questions, each damaged once; 95 % bootstrap intervals")
    table: list[list[object]] = []
    for kind, held in ROWS.items():
        for system, some in rows.items():
            these = [row for row in some if row.kind in held]
            if not these:
                continue
            shares = [sum(row.linked for row in these) / len(these), sum(row.found for row in these) / len(these)]
            ends = [figures[system][f"{measure}_ci95"] for measure in ("link@1", "path@5")] if kind == "all" else []
            spans = [f" [{low:.3f}, {high:.3f}]" for low, high in ends] or ["", ""]
            table.append(
                [f"{kind} ({len(these)})", system, *(f"{share:.3f}{span}" for share, span in zip(shares, spans, strict=True))]
            )
            figures[system].setdefault("by_kind", {})[kind] = {
                "n": len(these),
                "link@1": round(shares[0], 4),
                "path@5": round(shares[1], 4),
            }
    print_table(["damage", "system", "link@1", "path@5"], table)
    changed, worded, lost = (sum(share) / len(share) for share in undamaged)
    print(f"\nundamaged questions changed {changed:.3f}, in words {worded:.3f}, their path lost {lost:.3f}")
    latency = {system: percentiles(times) for system, times in milliseconds.items()}
    print_table(["step", "p50 CPU ms", "p95 CPU ms"], [[step, times["p50"], times["p95"]] for step, times in latency.items()])
    print_result(
        {
            "benchmark": "links",
            "dataset": name,
            "n": len(rows["clean"]),
            "systems": figures,
            "clean_changed": round(changed, 4),
            "clean_worded": round(worded, 4),
            "clean_lost": round(lost, 4),
            "latency_ms": latency,
            "peak_mb": peak_mb(),
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
