"""Make the packaged student: `python -m hoptrace.agents.student.make FOLDER --documents FILE --sentences FILE [...]`.

Trains in about an hour on two cores; the same command goes on after an interruption. Needs the extra `models`.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from ...kg.extraction.examples import read_documents, read_sentences
from ...kg.extraction.train import held_out
from ...retrieval.encoder import Encoder
from .corpora import Drawer, Lesson, asked, reports
from .train import average, package, train


def lessons(options: argparse.Namespace, rng: random.Random) -> list[Lesson]:
    """Tasks of every source that is given."""
    documents = [one for one in read_documents(options.documents) if not held_out(one.text)]
    found = [
        *Drawer(documents, rng).draw(options.count),
        *Drawer(read_sentences(options.sentences), rng).draw(options.count // 3),
    ]
    if options.asked:
        found += asked(options.asked[0], options.asked[1], rng)
    if options.reports:
        found += reports(options.reports, rng)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=Path, required=True, help="of the form of Re-DocRED")
    parser.add_argument("--sentences", type=Path, required=True, help="of the form of Text2KGBench")
    parser.add_argument(
        "--asked", type=Path, nargs=2, metavar=("QUESTIONS", "PASSAGES"), help="questions of people, one passage each"
    )
    parser.add_argument("--reports", type=Path, help="of the form of TAT-QA")
    parser.add_argument(
        "--count", type=int, default=8000, help="tasks drawn from the documents; a third of it from the sentences"
    )
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="a packaged student to go on from")
    parser.add_argument("--keep", type=float, default=0.0, help="share of the weights gone on from in those that are packaged")
    options = parser.parse_args()
    made = lessons(options, random.Random(options.seed))
    print(f"{len(made)} tasks, {sum(not target.answers for _, target in made)} without an answer", flush=True)
    net = train(
        made,
        options.folder,
        start=options.start,
        epochs=options.epochs,
        seed=options.seed,
        report=lambda line: print(line, flush=True),
    )
    if options.start and options.keep:
        average(net, options.start, options.keep)
    package(
        net, options.folder / "student", Encoder.default(), {"tasks": len(made), "epochs": options.epochs, "seed": options.seed}
    )


if __name__ == "__main__":
    main()
