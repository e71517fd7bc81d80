"""Extraction by a chat model: the model proposes, the text decides.

A triple is kept only if the quote the model gives for it stands in the text, so every fact has real offsets whatever the
model writes. Its answer is data: it is read with `json.loads`, checked field by field, and never executed.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ..kg.ingest.extract import Extraction, unique
from ..kg.model import Document, Fact, Literal, Mention, Name
from ..prompts import load

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_TYPES = frozenset(("person", "organization", "place", "work", "product", "event", ""))
_MAX_LABEL, _CONFIDENCE = 200, 0.8


class _Rejected(ValueError):
    """An answer that cannot be used; the message is shown to the model."""


@dataclass(slots=True)
class Cost:
    """What extraction has cost so far. Tokens are the provider's own count, 0 where it gives none."""

    calls: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    characters: int = 0


@dataclass(slots=True)
class LLMExtractor:
    """Facts and mentions by a chat model.

    Args:
        model: any langchain-core chat model.
        batch: documents per `model.batch` call.
        retries: further attempts for a document whose answer cannot be used; the reason is told to the model.

    Attributes:
        cost: calls, tokens and characters of this extractor.
    """

    model: BaseChatModel
    batch: int = 8
    retries: int = 2
    name: str = "llm"
    cost: Cost = field(default_factory=Cost)

    @property
    def version(self) -> str:
        """The prompt's hash and the model's name: another prompt or model means extracting anew."""
        model = getattr(self.model, "model_name", None) or getattr(self.model, "model", None) or type(self.model).__name__
        return f"{load('extract').hash}-{model}"

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        """Facts and mentions of each document, in order. A document that stays unreadable gets none, with a warning."""
        results: list[Extraction] = [(document.facts, document.mentions) for document in documents]
        waiting = {i: "" for i, document in enumerate(documents) if not document.records and document.text.strip()}
        for _ in range(self.retries + 1):
            failed: dict[int, str] = {}
            rows = list(waiting)
            for start in range(0, len(rows), self.batch):
                part = rows[start : start + self.batch]
                answers = self._ask([_prompt(documents[i].text, waiting[i]) for i in part])
                for i, answer in zip(part, answers, strict=True):
                    try:
                        results[i] = self._read(documents[i], answer)
                    except _Rejected as error:
                        failed[i] = str(error)
            waiting = failed
        for i, reason in waiting.items():
            self.cost.failed += 1
            warnings.warn(f"{documents[i].uri}: no facts from the model: {reason}", stacklevel=2)
        return results

    def _ask(self, prompts: list[str]) -> list[str | Exception]:
        """One answer per prompt; a provider's error takes the place of the answer."""
        self.cost.calls += len(prompts)
        self.cost.characters += sum(map(len, prompts))
        answers: list[str | Exception] = []
        for message in self.model.batch(list(prompts), return_exceptions=True):
            if isinstance(message, Exception):
                answers.append(message)
                continue
            usage = getattr(message, "usage_metadata", None) or {}
            self.cost.prompt_tokens += int(usage.get("input_tokens", 0))
            self.cost.completion_tokens += int(usage.get("output_tokens", 0))
            answers.append(str(message.content))
        return answers

    def _read(self, document: Document, answer: str | Exception) -> Extraction:
        if isinstance(answer, Exception):
            raise _Rejected(f"{type(answer).__name__}: {answer}"[:200])
        data = _json_object(answer)
        entities = {entity.label: entity for entity in map(_entity, _list(data, "entities"))}
        facts = [fact for item in _list(data, "triples") if (fact := self._fact(item, entities, document.text))]
        mentions = [mention for entity in entities.values() for mention in _mentions(entity, document.text)]
        return unique([*document.facts, *facts]), (*document.mentions, *mentions)

    def _fact(self, item: object, entities: dict[str, Name], text: str) -> Fact | None:
        """A checked triple, or None where its quote is not in the text."""
        if not isinstance(item, dict):
            raise _Rejected(f"a triple must be an object, not {item!r}"[:200])
        subject, relation, other, evidence = (_string(item, key) for key in ("subject", "relation", "object", "evidence"))
        place = locate(evidence, text)
        if place is None or not (subject and relation and other):
            return None
        target = Literal(other) if item.get("value") is True else entities.get(other, Name(other))
        dates = _day(item, "valid_from"), _day(item, "valid_to")
        return Fact(entities.get(subject, Name(subject)), relation, target, *place, self.name, _CONFIDENCE, *dates)


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Where a quote stands: as it is, else with white space of any kind between the same words.

    >>> locate("b  c", "a b\\nc"), locate("x", "a")
    ((2, 5), None)
    """
    words = quote.split()
    if not words:
        return None
    start = text.find(quote)
    if start >= 0:
        return start, start + len(quote)
    match = re.search(r"\s+".join(map(re.escape, words)), text)
    return match.span() if match else None


def _prompt(text: str, error: str) -> str:
    """The prompt; its fence is made from the text's hash, so the text cannot close it."""
    fence = "=" * 5 + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    feedback = f"Your last answer could not be used: {error}\nAnswer again with the JSON object only." if error else ""
    return load("extract").render(fence=fence, text=text, feedback=feedback)


def _json_object(answer: str) -> dict[str, Any]:
    """The JSON object in an answer, with or without a Markdown fence around it."""
    match = re.search(r"\{.*\}", answer, re.S)
    if not match:
        raise _Rejected("there is no JSON object in the answer")
    try:
        data = json.loads(match.group())
    except (ValueError, RecursionError) as error:
        raise _Rejected(f"invalid JSON: {error}"[:200]) from error
    if not isinstance(data, dict):
        raise _Rejected("the answer must be a JSON object")
    return data


def _list(data: dict[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise _Rejected(f"{key!r} must be a list")
    return value


def _string(item: dict[str, Any], key: str) -> str:
    value = item.get(key, "")
    if not isinstance(value, str):
        raise _Rejected(f"{key!r} must be a string, not {value!r}"[:200])
    limit = _MAX_LABEL if key != "evidence" else 2000
    return value.strip() if len(value) <= limit else ""


def _entity(item: object) -> Name:
    if not isinstance(item, dict):
        raise _Rejected(f"an entity must be an object, not {item!r}"[:200])
    label, kind = _string(item, "name"), _string(item, "type")
    aliases = item.get("aliases", [])
    if not label:
        raise _Rejected("an entity has no 'name'")
    kept = tuple(a for a in aliases if isinstance(a, str) and a.strip() and a != label) if isinstance(aliases, list) else ()
    return Name(label, kind if kind in _TYPES else "", aliases=kept)


def _day(item: dict[str, Any], key: str) -> date | None:
    value = _string(item, key)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise _Rejected(f'{key!r} must be YYYY-MM-DD or "", not {value!r}'[:200]) from error


def _mentions(entity: Name, text: str) -> list[Mention]:
    """Every place where the entity's name or an alias stands as whole words; the longer form wins."""
    forms = sorted({entity.label, *entity.aliases}, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in forms)
    return [Mention(entity, match.start(), match.end()) for match in re.finditer(pattern, text)]
