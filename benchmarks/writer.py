"""What the writer says, and whether it may: `python benchmarks/writer.py DATASET_DIR [--limit N] [--skip N] [--show N]`.

The folder is one of `kgqa` (graphs with questions), or the demo (`data/demo`: documents and questions.jsonl). Every question is
asked; the rest is about those that the graph answers. With `--sentences FILE` (Text2KGBench) texts are also rated by a bigram
model of those sentences, names being one word.

`written`: the text is the writer's and not the plain one. `rejected`: texts that did not read back as the facts, of those looked
at. `faithful`, checked here by other means than the writer's own: every word of the text outside of the names stands in the
question, a label or quote of a cited fact, by its stem, or is a function word, or a form of a word of the lexicon's for the
relation; and both ends of every fact and every citation of a claim stand in a written text, and no other citation. `copied`: the
same without the lexicon's forms. Of the text, of what the grammar alone would write, and of the plain text: `words`, and `bits`
of all of it under the bigram model. `ms`: CPU time of writing one text.
"""

from __future__ import annotations

import argparse
import itertools
import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import commit, peak_mb, percentiles, print_result, print_table, read_jsonl
from hoptrace import Agent, Answer, KnowledgeGraph
from hoptrace.agents.predicates import base, predicates
from hoptrace.agents.writer import Story, Writer, story
from hoptrace.agents.writer.check import function_words
from hoptrace.retrieval.encoder import Encoder
from hoptrace.retrieval.wordings import stem
from kgqa import graphs, sample

FUNCTION = {word.lower() for word in function_words()} | {
    "may",
    "incomplete",
    "nothing",
    "recorded",
    "under",
    "sources",
    "disagree",
}
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Row:
    """An answer, its story, and what the writer made of it."""

    answer: Answer
    story: Story | None
    grammar: str
    rejected: int
    milliseconds: float

    @property
    def written(self) -> bool:
        return self.answer.text != self.answer.realised


class Bigrams:
    """A bigram model of texts, interpolated with unigrams; what was seen once is one word."""

    def __init__(self, texts: Sequence[list[str]]) -> None:
        counts = Counter(word for text in texts for word in text)
        self.known = {word for word, n in counts.items() if n > 1}
        self.one: Counter[str] = Counter()
        self.two: Counter[tuple[str, str]] = Counter()
        for text in map(self._known, texts):
            self.one.update(text[1:])
            self.two.update(itertools.pairwise(text))
        self.before = Counter(a for a, _ in self.two.elements())
        self.total = sum(self.one.values())

    def bits(self, text: list[str]) -> float:
        """Bits per word."""
        words = self._known(text)
        each = [
            0.7 * self.two[a, b] / max(self.before[a], 1) + 0.3 * (self.one[b] + 0.1) / (self.total + 0.1 * len(self.known))
            for a, b in itertools.pairwise(words)
        ]
        return -sum(map(math.log2, each)) / len(each)

    def _known(self, text: list[str]) -> list[str]:
        return ["<s>", *(word if word in self.known else "<other>" for word in text), "</s>"]


def words(text: str, names: Sequence[str]) -> list[str]:
    """Words of a text, each name as one, without citations."""
    text = re.sub(r" \[\d+\]", "", text)
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " \N{WHITE SQUARE} ", text)
    return re.findall(r"\w+|[^\w\s]", text.lower())


def faithful(row: Row, *, lexicon: bool) -> bool:
    """See above."""
    answer = row.answer
    names = {node.label for path in answer.paths for hop in path.hops for node in (hop.triple.subject, hop.triple.object)}
    labels = {hop.triple.relation.label for path in answer.paths for hop in path.hops}
    sources = [answer.question, *answer.answers, *answer.notes, *labels, *(c.quote for c in answer.citations)]
    sources += [claim.text for claim in answer.rationale]
    sources += [said.words for label in labels for said in predicates(label)] if lexicon else []
    known = {key(word.lower()) for text in sources for word in WORD.findall(text) for key in (stem, base)}
    shown = re.sub(r" and \d+ more\b", "", answer.text)  # a count of what is left out
    text = " ".join(word for word in words(shown, [*names, *answer.answers]) if WORD.fullmatch(word))
    strange = [word for word in text.split() if word not in FUNCTION and not {stem(word), base(word)} & known]
    cited = {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)}
    claimed = {i for claim in answer.rationale for i in claim.citations}
    return not strange and (not row.written or (cited == claimed and all(name in answer.text for name in names)))


def ask(agent: Agent, writer: Writer, question: str) -> Row:
    """Ask, then write the answer once more to see what that costs."""
    answer = agent.ask(question)
    reading = agent.retriever.read(question, agent.retriever.link(question))
    told = story(reading, answer.answers, answer.paths, answer.rationale) if answer.rationale else None
    start = time.process_time()
    rejected = writer.write(told).rejected if told else 0
    spent = 1000 * (time.process_time() - start)
    return Row(answer, told, Writer().write(told).text if told else "", rejected, spent)


def figures(rows: list[Row], bigrams: Bigrams | None) -> dict[str, Any]:
    """Of the answers to questions of one group."""
    answered = [row for row in rows if row.answer.status == "answered"]
    looked = sum(row.rejected + row.written for row in answered)
    found: dict[str, Any] = {
        "n": len(rows),
        "answered": len(answered),
        "written": _mean([row.written for row in answered]),
        "rejected": round(sum(row.rejected for row in answered) / max(looked, 1), 4),
        "faithful": _mean([faithful(row, lexicon=True) for row in answered]),
        "copied": _mean([faithful(row, lexicon=False) for row in answered]),
        "ms": percentiles([row.milliseconds for row in answered]) if answered else None,
    }
    for name in ("text", "grammar", "realised"):
        told = [(row, row.story.names) for row in answered if row.story and row.written]
        said = [words(row.grammar if name == "grammar" else _facts(row, name), names) for row, names in told]
        found[f"{name}_words"] = _mean([len(text) for text in said])
        found[f"{name}_bits"] = _mean([bigrams.bits(text) * len(text) for text in said]) if bigrams else None
    return found


def _facts(row: Row, name: str) -> str:
    """A text without what it says about gaps."""
    text: str = getattr(row.answer, name)
    return text.partition(" May be incomplete: ")[0]


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def sentences(path: Path) -> list[list[str]]:
    """The sentences of a file of Text2KGBench, names as one word."""
    rows = read_jsonl(path)
    return [words(row["sent"], [end for s, _, o in row["triples"] for end in (s, o)]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--limit", type=int, default=100, help="questions of a file")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many that are drawn before")
    parser.add_argument("--show", type=int, default=0, help="print so many answers, both texts of each")
    parser.add_argument("--sentences", type=Path, help="Text2KGBench, for the bigram model")
    options = parser.parse_args()
    encoder, rows = Encoder.default(), dict[str, list[Row]]()
    documents = options.dataset / "documents"
    if documents.is_dir():
        asked = {documents: [("demo", q["question"]) for q in read_jsonl(options.dataset / "questions.jsonl")]}
    else:
        asked = {
            kb: [(q.group, q.text) for file in files for q in sample(file, options.limit, options.skip)]
            for kb, files in graphs(options.dataset, "dev").items()
        }
    for kb, questions in asked.items():
        with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(Path(folder) / "kg") as kg:
            kg.ingest([kb])
            agent = Agent(kg, encoder=encoder)
            for group, question in questions:
                rows.setdefault(group, []).append(ask(agent, Writer.default(), question))
    report(options.dataset.resolve().name, rows, Bigrams(sentences(options.sentences)) if options.sentences else None)
    for row in [row for some in rows.values() for row in some if row.written][: options.show]:
        print(f"\n{row.answer.question}\n  {row.answer.text}\n  {row.answer.realised}")


def report(dataset: str, rows: dict[str, list[Row]], bigrams: Bigrams | None) -> None:
    """The table for people and the line for programs."""
    groups = {name: figures(some, bigrams) for name, some in rows.items()}
    columns = [name for name in next(iter(groups.values())) if name not in {"n", "ms"}]
    lines = [
        [
            f"{name} ({one['n']})",
            *("-" if one[c] is None else one[c] for c in columns),
            *(one["ms"] or {"p50": "-", "p95": "-"}).values(),
        ]
        for name, one in groups.items()
    ]
    print_table(["questions", *columns, "p50 ms", "p95 ms"], lines)
    print_result({"benchmark": "writer", "dataset": dataset, "groups": groups, "peak_mb": peak_mb(), "commit": commit()})


if __name__ == "__main__":
    main()
