"""Makes `notebook.ipynb`, the example of hoptrace in a notebook, by running its cells: `python docs/notebook.py`.

It runs in an empty folder and needs nbclient and ipykernel (the extras `dev`, `documents` and `arrow`). `tests/test_notebook.py`
runs the same cells again and compares what they show.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
CELLS = (
    "# hoptrace in a notebook\n\nThree facts from a table and two sentences; then questions that no single one of them answers. "
    "Every hop below is traced to the characters that state it.",
    "%load_ext hoptrace\n"
    "from pathlib import Path\n\n"
    "from hoptrace import KnowledgeGraph\n\n"
    'Path("labs.txt").write_text("Orla Vance founded Brightwater Labs in 2011. '
    'Brightwater Labs is headquartered in Tarn City.\\n")\n'
    'with KnowledgeGraph.open("my.kg") as kg:\n'
    '    kg.ingest(["labs.txt"])',
    "## A frame becomes a source\n\nRows go in with their days; the frame's CSV is the text that citations point into.",
    "import pandas\n\n"
    "suppliers = pandas.DataFrame({\n"
    '    "subject": ["Kell Optics", "Moran Glass", "Tarn City"],\n'
    '    "relation": ["supplies", "supplies", "located in"],\n'
    '    "object": ["Brightwater Labs", "Brightwater Labs", "Norland"],\n'
    '    "valid_from": ["2021-03-01", "2023-07-01", None],\n'
    '    "valid_to": ["2023-07-01", None, None],\n'
    "})\n"
    "kg = %hop_kg my.kg\n"
    'kg.add_frame(suppliers, "suppliers").uri',
    "kg",
    "## Questions",
    "answer = %hop In which country is the company founded by Orla Vance headquartered?\nanswer",
    "%hop Who supplies Brightwater Labs? --as-of 2022-05-01",
    "%hop_path Kell Optics -> Norland",
    "%%sparql\nSELECT ?who ?city WHERE { ?who rel:founded ?firm . ?firm rel:headquartered_in ?city }",
    "## Answers and facts as frames\n\nThe same columns for pandas, polars and Arrow.",
    'answer.to_pandas()[["subject", "relation", "object", "source", "start", "end"]]',
    "kg.to_arrow().schema.names",
    "## Out to other tools",
    'kg.export("graph.graphml"), kg.export("facts.xlsx"), kg.export("why.svg", paths=answer.paths)',
)


def make() -> Any:
    """The notebook with the outputs of its cells, run in an empty folder."""
    kinds = (nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell)
    book = nbformat.v4.new_notebook(cells=[kinds[_is_text(cell)](cell, id=f"cell-{i}") for i, cell in enumerate(CELLS)])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.metadata.update(kernelspec=kernel, language_info={"name": "python"})
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.record_timing = False
        client.execute(env={**os.environ, "OMP_NUM_THREADS": "1"})
    for cell in book.cells:
        for output in cell.get("outputs", ()):  # times differ from run to run
            output.get("data", {}).pop("application/vnd.hoptrace+json", None)
    book.metadata["language_info"] = {"name": "python"}
    return book


def _is_text(cell: str) -> bool:
    return cell.startswith("#")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "notebook.ipynb"
    nbformat.write(make(), target)
    print(f"written to {target}")
