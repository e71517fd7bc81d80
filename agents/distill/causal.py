"""A causal language model from a folder as student, through transformers and peft: it writes the same schema, copied and checked.

Low-rank adapters (LoRA, or KaSA where peft has it) are trained and packaged; the model that they belong to stays where it is
and is known by the hash of its weights. What it writes becomes a `Reading` only as far as its answers stand in the evidence.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...kg.artefacts import file_hash
from ...kg.errors import ArtefactError, InputError, MissingExtraError, MissingPathError
from ...prompts import render
from ...retrieval.train_reader import import_torch
from ..student import Reading, Spot, Target, Task
from . import markers
from .students import EPOCHS, Pair, Report
from .teachers import Chain, parse_chain

_RANK, _ALPHA, _RATE, _BATCH, _SAVE, _TIMED = 8, 16, 2e-4, 4, 50, 4
_NEW_TOKENS = 128
ADAPTERS = ("lora", "kasa")
FILES = ["adapter_config.json", "adapter_model.safetensors"]
_IGNORED = -100  # label of tokens that are not learned


class CausalLearner:
    """Trains adapters of a causal model.

    Args:
        base: a folder with a model and its tokenizer, as `save_pretrained` writes them.
        adapter: "lora" or "kasa".

    Raises:
        MissingPathError: there is no such folder.
        InputError: it holds no weights, or there is no such adapter.
    """

    def __init__(self, base: Path, adapter: str = "lora") -> None:
        if adapter not in ADAPTERS:
            raise InputError(f"no adapter {adapter!r}; one of {', '.join(ADAPTERS)}")
        if not base.is_dir():
            raise MissingPathError(f"no student {str(base)!r}: packaged, or the folder of a causal language model")
        weights = sorted([*base.glob("*.safetensors"), *base.glob("*.bin")])
        if not weights:
            raise InputError(f"{base} holds no weights (*.safetensors)")
        self.base, self.adapter, self.name = base.resolve(), adapter, base.name
        self.meta = {"base": str(self.base), "adapter": adapter}
        self.origin = "-".join(file_hash(path)[:16] for path in weights)

    def affordable(self, pairs: Sequence[Pair], folder: Path, minutes: float) -> int:
        trainer = _Trainer(self, pairs, folder, 0, lambda line: None)
        begun = time.monotonic()
        for step in range(_TIMED):
            trainer.step(step, _TIMED)
        each = (time.monotonic() - begun) / _TIMED
        return max(1, min(int(60 * minutes / each), EPOCHS * len(pairs) // _BATCH))

    def train(self, pairs: Sequence[Pair], folder: Path, steps: int, seed: int, report: Report) -> list[str]:
        folder.mkdir(parents=True, exist_ok=True)
        model = _Trainer(self, pairs, folder, seed, report).run(steps)
        model.save_pretrained(folder)
        config = json.loads((folder / FILES[0]).read_text("utf-8")) | {"base_model_name_or_path": ""}
        (folder / FILES[0]).write_text(json.dumps(_sorted(config), indent=2, sort_keys=True) + "\n", "utf-8")
        return FILES

    def load(self, folder: Path) -> CausalReader:
        peft, model, tokenizer = _opened(self)
        try:
            return CausalReader(peft.PeftModel.from_pretrained(model, folder).eval(), tokenizer)
        except Exception as error:  # peft and safetensors raise classes of their own
            raise ArtefactError(f"{folder}: no adapter of {self.base}: {' '.join(str(error).split())[:200]}") from error

    def adapted(self, peft: Any, model: Any) -> Any:
        """The model with a fresh adapter."""
        more = {"kasa_config": peft.KasaConfig()} if self.adapter == "kasa" and hasattr(peft, "KasaConfig") else {}
        if self.adapter == "kasa" and not more:
            raise InputError("the adapter kasa needs a newer peft")
        config = peft.LoraConfig(r=_RANK, lora_alpha=_ALPHA, target_modules="all-linear", task_type="CAUSAL_LM", **more)
        return peft.get_peft_model(model, config)


class CausalReader:
    """Reads tasks by writing a chain.

    Args:
        model: with its adapter.
        tokenizer: of the model.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer

    def read(self, task: Task) -> Reading:
        """What the model writes, as far as it can be checked; that the evidence does not say it, otherwise."""
        torch = import_torch()
        ids = torch.tensor([_prompted(self._tokenizer, task, {})])
        with torch.no_grad():
            made = self._model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=_NEW_TOKENS, do_sample=False,
                pad_token_id=_end(self._tokenizer),
            )  # fmt: skip
        text = self._tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
        return reading(task, parse_chain(markers.parse(text)[1]))


def reading(task: Task, chain: Chain | str) -> Reading:
    """A chain as a reading: steps that are facts of the task, and the answers copied from it."""
    if isinstance(chain, str):
        return Reading("lookup", (), (), 1.0)
    steps = tuple(dict.fromkeys(step for step in chain.steps if step < len(task.items)))
    order = [*reversed(steps), *(i for i in range(len(task.items)) if i not in steps)]  # answers stand in the last step, mostly
    places = (_place(task, answer, order) for answer in dict.fromkeys(chain.answers))
    spots = [spot for spot in places if spot is not None]
    return Reading(
        chain.operation, tuple((step, 1.0) for step in steps), tuple((spot, 1 / len(spots)) for spot in spots), float(not spots)
    )


def _place(task: Task, answer: str, order: Sequence[int]) -> Spot | None:
    found = ((i, task.items[i].text.find(answer)) for i in order if answer)
    return next((Spot(i, at, at + len(answer)) for i, at in found if at >= 0), None)


class _Trainer:
    """Steps over batches, with checkpoints of the adapter."""

    def __init__(self, learner: CausalLearner, pairs: Sequence[Pair], folder: Path, seed: int, report: Report) -> None:
        if not pairs:
            raise InputError("no examples to learn from")
        self.torch, self.pairs, self.folder, self.seed, self.report = import_torch(), pairs, folder, seed, report
        self.torch.manual_seed(seed)
        peft, base, self.tokenizer = _opened(learner)
        self.model = learner.adapted(peft, base)
        self.learned = {name: value for name, value in self.model.named_parameters() if value.requires_grad}
        self.optimizer = self.torch.optim.AdamW(self.learned.values(), lr=_RATE, weight_decay=0.0)

    def run(self, steps: int) -> Any:
        for step in range(self._resumed(), steps):
            loss = self.step(step, steps)
            if (step + 1) % _SAVE == 0 or step + 1 == steps:
                self._save(step + 1)
                self.report(f"step {step + 1} of {steps}: {loss:.3f}")
        return self.model.eval()

    def step(self, step: int, steps: int) -> float:
        self.torch.manual_seed(self.seed * 1_000_003 + step)
        rng = random.Random(f"{self.seed}/{step}")
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / 20, (steps - step) / steps + 0.1)
        rows = [written(self.tokenizer, *self.pairs[i], rng) for i in self._batch(step)]
        longest, end = max(len(ids) for ids, _ in rows), _end(self.tokenizer)
        ids = self.torch.tensor([[*row, *[end] * (longest - len(row))] for row, _ in rows])
        labels = self.torch.tensor(
            [[*[_IGNORED] * start, *row[start:], *[_IGNORED] * (longest - len(row))] for row, start in rows]
        )
        seen = self.torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row, _ in rows])
        loss = self.model(input_ids=ids, attention_mask=seen, labels=labels).loss
        regular = getattr(self.model.base_model, "_get_kasa_loss", lambda: 0.0)()  # 0 without KaSA
        (loss + regular).backward()
        self.torch.nn.utils.clip_grad_norm_(self.learned.values(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return float(loss.item())

    def _batch(self, step: int) -> list[int]:
        each = max(1, len(self.pairs) // _BATCH)
        order = list(range(len(self.pairs)))
        random.Random(f"{self.seed}/epoch/{step // each}").shuffle(order)
        at = step % each * _BATCH
        return order[at : at + _BATCH]

    def _save(self, done: int) -> None:
        state = self.folder / "checkpoint.pt"
        kept = {name: value.detach() for name, value in self.learned.items()}
        self.torch.save({"adapter": kept, "optimizer": self.optimizer.state_dict(), "done": done}, state.with_suffix(".new"))
        os.replace(state.with_suffix(".new"), state)

    def _resumed(self) -> int:
        state = self.folder / "checkpoint.pt"
        if not state.exists():
            return 0
        saved = self.torch.load(state, weights_only=True)
        with self.torch.no_grad():
            for name, value in self.learned.items():
                value.copy_(saved["adapter"][name])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.report(f"going on after step {saved['done']}")
        return int(saved["done"])


def written(tokenizer: Any, task: Task, target: Target, rng: random.Random) -> tuple[list[int], int]:
    """The tokens of an example, prompt and completion, and where the completion begins."""
    known = {
        "steps": str(len(target.steps)),
        "facts": str(len(task.items)),
        "evidence": "full" if target.answers else "absent",
    }
    prompt = _prompted(tokenizer, task, markers.drop(known, rng))
    answers = list(dict.fromkeys(task.items[spot.item].text[spot.start : spot.end] for spot in target.answers))
    chain = {"operation": target.operation, "steps": [step + 1 for step in target.steps], "answers": answers}
    text = f" {markers.render(known)} {json.dumps(chain, ensure_ascii=False)}"
    return [*prompt, *tokenizer.encode(text, add_special_tokens=False), _end(tokenizer)], len(prompt)


def _prompted(tokenizer: Any, task: Task, known: dict[str, str]) -> list[int]:
    evidence = "\n".join(f"[{i}] {item.text}" for i, item in enumerate(task.items, 1))
    text = render("distilled", markers=markers.render(known), evidence=evidence, question=task.question)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


def _end(tokenizer: Any) -> int:
    return int(tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.pad_token_id or 0)


def _opened(learner: CausalLearner) -> tuple[Any, Any, Any]:
    """peft, the model in fp32, and its tokenizer.

    Raises:
        MissingExtraError: transformers or peft is not installed.
        InputError: the folder holds no causal language model.
    """
    try:
        import peft
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise MissingExtraError("training a language model", "models") from None
    torch = import_torch()
    try:
        model = AutoModelForCausalLM.from_pretrained(learner.base, local_files_only=True, dtype=torch.float32)
        return peft, model, AutoTokenizer.from_pretrained(learner.base, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{learner.base}: no causal language model: {' '.join(str(error).split())[:200]}") from error


def _sorted(value: Any) -> Any:
    """Lists of names in one order: peft keeps them as sets."""
    if isinstance(value, dict):
        return {key: _sorted(one) for key, one in value.items()}
    return sorted(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else value


__all__ = ["ADAPTERS", "CausalLearner", "CausalReader", "reading", "written"]
