"""Entities and facts out of text, against gold: `python benchmarks/extract.py DATASET_DIR [--limit N]`.

The folder holds documents with marked entities and relations (Re-DocRED: *.jsonl with `entities` and `triples`) or sentences with
triples under an ontology (Text2KGBench: *_test.jsonl beside *_ontologies.jsonl). Documents that the packaged extractor may
have been trained on are left out (`held_out`: by the text itself); of Text2KGBench only the test files are read.

`entities`: mentions of names (dates and numbers aside), where all are marked; exact: same characters; fuzzy: they overlap by
half. `pairs`: unordered pairs of entities between which anything is said. `triples`: with the right label and direction; for
Text2KGBench the extractor is told the ontology's relations. Two ends are the same when their normalised names are (exact), or
when one holds the other or their words differ by little (fuzzy, at least .85 of 1). `stated` leaves out gold triples of which
an end does not stand in the text, which no extractor can find by reading. `published` is how Text2KGBench itself counts: found
triples of relations that are not among the sentence's gold ones are left out, since gold is incomplete, and precision, recall
and F1 of each sentence are averaged, over sentences and then over ontologies.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common import commit, peak_mb, print_result, print_table, read_jsonl
from hoptrace.data import model_folder
from hoptrace.kg.extraction.examples import Example, plain, read_documents, read_sentences
from hoptrace.kg.extraction.extractor import DistilledExtractor
from hoptrace.kg.extraction.train import held_out
from hoptrace.kg.ingest.dates import find_dates
from hoptrace.kg.ingest.extract import Extractor
from hoptrace.kg.ingest.rules import RuleExtractor
from hoptrace.kg.model import Document, Fact, Literal, Mention, normalize
from hoptrace.retrieval.encoder import Encoder
from rapidfuzz import fuzz

_VALUES = {"time", "number"}
_FUZZY = 85.0


@dataclass(slots=True)
class Counts:
    """Hits, found and gold of one measure, summed over texts."""

    hits: int = 0
    found: int = 0
    gold: int = 0
    hits_gold: int = 0

    def add(self, found: int, gold: int, hits: int, hits_gold: int) -> None:
        self.found, self.gold = self.found + found, self.gold + gold
        self.hits, self.hits_gold = self.hits + hits, self.hits_gold + hits_gold

    def figures(self, name: str) -> dict[str, float]:
        precision, recall = self.hits / max(self.found, 1), self.hits_gold / max(self.gold, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        return {f"{name}_precision": round(precision, 4), f"{name}_recall": round(recall, 4), f"{name}_f1": round(f1, 4)}


@dataclass(slots=True)
class Means:
    """Precision, recall and F1 of each sentence, by ontology."""

    each: dict[tuple[str, ...], list[tuple[float, float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, ontology: tuple[str, ...], found: int, gold: int, hits: int) -> None:
        precision, recall = hits / max(found, 1), hits / max(gold, 1)
        self.each[ontology].append((precision, recall, 2 * hits / max(found + gold, 1)))

    def figures(self, name: str) -> dict[str, float]:
        means = np.mean([np.mean(some, axis=0) for some in self.each.values()], axis=0)
        return {f"{name}_{m}": round(float(value), 4) for m, value in zip(("precision", "recall", "f1"), means, strict=True)}


def same(one: str, other: str, fuzzy: bool) -> bool:
    """Whether two names are one; both normalised."""
    if one == other:
        return True
    if not fuzzy or not one or not other:
        return False
    short, long = sorted((one, other), key=len)
    return f" {short} " in f" {long} " or fuzz.ratio(one, other) >= _FUZZY


def matched(found: Sequence[Any], gold: Sequence[Any], alike: Callable[[Any, Any], bool]) -> tuple[int, int, int, int]:
    """(found, gold, found that match some gold, gold that some found matches)."""
    hits = sum(any(alike(one, other) for other in gold) for one in found)
    return len(found), len(gold), hits, sum(any(alike(one, other) for one in found) for other in gold)


class Gold:
    """What should be found in one example, by name."""

    def __init__(self, example: Example) -> None:
        self.example = example
        forms: dict[int, set[str]] = {i: {normalize(plain(name))} for i, name in enumerate(example.names)}
        for start, end, entity in example.mentions:
            forms[entity].add(normalize(example.text[start:end]))
        for entity, known in forms.items():  # extractors state days and numbers by value
            if example.types[entity] in {*_VALUES, ""}:
                known |= {normalize(day.value) for form in known for day in find_dates(form)}
                known |= {form.replace(" ", "") for form in known}
        self.forms, self.mentioned = forms, {entity for *_, entity in example.mentions}
        self.spans = [(start, end) for start, end, entity in example.mentions if example.types[entity] not in _VALUES]

    def entity(self, names: Iterable[str], fuzzy: bool) -> int:
        """The entity that one of these names is of, -1 for none."""
        known = {normalize(name) for name in names}
        for i, forms in self.forms.items():
            if known & forms:
                return i
        for i, forms in self.forms.items():
            if fuzzy and any(same(one, other, True) for one in known for other in forms):
                return i
        return -1


def names_of(end: Any) -> tuple[str, ...]:
    return (end.value,) if isinstance(end, Literal) else (end.label, *end.aliases)


def judge(
    gold: Gold, facts: Sequence[Fact], mentions: Sequence[Mention], totals: dict[str, Counts], means: dict[str, Means]
) -> None:
    """Add one text to the totals."""
    example = gold.example
    if example.complete:
        spans = sorted({(m.start, m.end) for m in mentions})
        totals["entities exact"].add(*matched(spans, gold.spans, lambda a, b: a == b))
        totals["entities fuzzy"].add(*matched(spans, gold.spans, _overlaps))
    for how, fuzzy in (("exact", False), ("fuzzy", True)):
        read = [
            (gold.entity(names_of(f.subject), fuzzy), f.relation, gold.entity(names_of(f.object), fuzzy), i)
            for i, f in enumerate(facts)
        ]
        # an end that is no gold entity stays apart by its own number, so that the pair counts as found and wrong
        triples = {(s if s >= 0 else -1 - 2 * i, r, o if o >= 0 else -2 - 2 * i) for s, r, o, i in read if s < 0 or s != o}
        wanted = set(example.relations)
        if example.complete:
            pairs, true = ({frozenset((s, o)) for s, _, o in some} for some in (triples, wanted))
            totals[f"pairs {how}"].add(len(pairs), len(true), len(pairs & true), len(pairs & true))
        stated = {triple for triple in wanted if {triple[0], triple[2]} <= gold.mentioned}
        totals[f"triples {how}"].add(len(triples), len(wanted), len(triples & wanted), len(triples & wanted))
        totals[f"stated {how}"].add(len(triples), len(stated), len(triples & wanted), len(triples & stated))
        if not example.complete:
            asked = [triple for triple in triples if triple[1] in {relation for _, relation, _ in wanted}]
            means[f"published {how}"].add(example.labels, len(asked), len(wanted), len(triples & wanted))


def _overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared * 2 >= max(one[1] - one[0], other[1] - other[0])


def measure(name: str, examples: Sequence[Example], extractor: Callable[[tuple[str, ...]], Extractor]) -> dict[str, Any]:
    """Figures of one extractor; `extractor` gets the relations that a text may hold."""
    totals: dict[str, Counts] = defaultdict(Counts)
    means: dict[str, Means] = defaultdict(Means)
    spent, groups = 0.0, {example.labels: None for example in examples}
    for labels in groups:
        some = [example for example in examples if example.labels == labels]
        documents = [Document(f"{name}-{i}", "text/plain", example.text, str(i)) for i, example in enumerate(some)]
        chosen = extractor(labels)
        start = time.perf_counter()
        results = chosen.extract(documents)
        spent += time.perf_counter() - start
        for example, (facts, mentions) in zip(some, results, strict=True):
            judge(Gold(example), facts, mentions, totals, means)
    figures: dict[str, Any] = {"n": len(examples), "texts_per_s": round(len(examples) / spent, 1)}
    for measure, counts in [*totals.items(), *means.items()]:
        figures |= counts.figures(measure.replace(" ", "_"))
    return figures


def examples_of(folder: Path, limit: int | None, seed: int) -> list[Example]:
    """Texts to measure on, none of them trained on."""
    tests = sorted(folder.glob("*_test.jsonl"))
    if tests:
        found = [example for path in tests for example in read_sentences(path)]
    else:
        paths = [path for path in sorted(folder.glob("*.jsonl")) if {"entities", "triples"} <= read_jsonl(path)[0].keys()]
        found = [example for path in paths for example in read_documents(path) if held_out(example.text)]
    if not found:
        raise SystemExit(f"{folder}: neither documents with entities and triples nor *_test.jsonl with ontologies")
    return random.Random(seed).sample(found, min(limit or len(found), len(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int, help="texts (all)")
    parser.add_argument("--model", type=Path, help="folder of an extractor; the packaged one where left out")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    examples = examples_of(options.dataset, options.limit, options.seed)
    model = DistilledExtractor.load(options.model or model_folder("extractor"))
    encoder = Encoder.default()
    systems = {
        "rules": measure("rules", examples, lambda labels: RuleExtractor()),
        "distilled": measure("distilled", examples, lambda labels: model.asking(labels, encoder) if labels else model),
    }
    names = [key.removesuffix("_f1") for key in systems["distilled"] if key.endswith("_f1")]
    rows = [
        [name.replace("_", " "), system, *(figures.get(f"{name}_{m}", "-") for m in ("precision", "recall", "f1"))]
        for name in names
        for system, figures in systems.items()
    ]
    print_table(["measure", "system", "precision", "recall", "f1"], rows)
    print({system: figures["texts_per_s"] for system, figures in systems.items()}, "texts per second")
    print_result(
        {
            "benchmark": "extract",
            "dataset": options.dataset.name,
            "n": len(examples),
            "systems": systems,
            "peak_mb": peak_mb(),
            "commit": commit(),
        }
    )


if __name__ == "__main__":
    main()
