"""Compose with any langchain-core chat model, under the same schema and the same checks as the path composer.

The model sees numbered evidence inside a fence it cannot guess, answers in JSON, and may cite only the numbers it was
given. Sentences without a valid citation are dropped, and so are answers with words that stand nowhere in the evidence; what
cannot be parsed falls back to the path composer's draft.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

from ..kg.model import Path, Span, normalize
from ..prompts import render
from ..retrieval.base import Evidence
from .answer import Usage
from .compose import Draft, Reason, abstain

_RETRIES = 2
_MODEL_CONFIDENCE = 0.7


class ChatComposer:
    """Composer over a chat model.

    Args:
        model: a langchain-core `BaseChatModel` (anything with `invoke(messages)`).
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.name = str(getattr(model, "model_name", "") or getattr(model, "model", "") or type(model).__name__)

    def compose(self, question: str, evidence: Evidence, fallback: Draft) -> tuple[Draft, Usage]:
        """A draft from the model, or `fallback` when it gives nothing usable after two retries."""
        numbered = _number(evidence)
        if not numbered:
            return fallback, Usage()
        fence = secrets.token_hex(8)
        lines = "\n".join(f"[{i}] {text}" for i, (text, _) in numbered.items())
        system, user = render("answer", question=question, evidence=lines, fence=fence).split("\n---\n", 1)
        messages = [("system", system), ("human", user)]
        usage = Usage()
        for _ in range(1 + _RETRIES):
            try:
                reply = self.model.invoke(messages)
            except Exception as error:  # a provider may raise anything; the question must still be answered
                return _fallen(fallback, f"{type(error).__name__}"), usage
            usage = add_usage(usage, reply)
            parsed = _parse(reply.content)
            if isinstance(parsed, dict):
                return self._draft(parsed, numbered, evidence.paths), usage
            complaint = f"That was not valid: {parsed}. Reply with the JSON only."
            messages = [*messages, ("ai", str(reply.content)[:2000]), ("human", complaint)]
        return _fallen(fallback, "no valid JSON"), usage

    def _draft(self, parsed: dict[str, Any], numbered: dict[int, tuple[str, Span]], paths: tuple[Path, ...]) -> Draft:
        reasons = []
        for claim in parsed["rationale"]:
            spans = tuple(numbered[i][1] for i in dict.fromkeys(claim["citations"]) if i in numbered)
            if spans:
                reasons.append(Reason(claim["text"].strip().rstrip("."), spans))
        said = {word for text, _ in numbered.values() for word in normalize(text).split()}
        answers = tuple(answer for answer in parsed["answers"] if stands_in(answer, said))
        if parsed["status"] != "answered" or not answers or not reasons:
            return replace(abstain("the evidence does not say", paths=paths), composer=self.name)
        return Draft(", ".join(answers) + ".", answers, tuple(reasons), paths, _MODEL_CONFIDENCE, composer=self.name)


def stands_in(answer: str, said: set[str]) -> bool:
    """Whether every word of an answer stands in the evidence; yes and no are judgements and need not."""
    words = set(normalize(answer).split())
    return words in ({"yes"}, {"no"}) or (bool(words) and words <= said)


def _fallen(fallback: Draft, why: str) -> Draft:
    return replace(fallback, composer=f"path (model failed: {why})")


def _number(evidence: Evidence) -> dict[int, tuple[str, Span]]:
    """Evidence as numbered lines, each with the span it stands for; quotes of paths first, then chunks."""
    spans: dict[tuple[str, int, int], Span] = {}
    for hop in (hop for path in evidence.paths for hop in path.hops):
        for span in hop.triple.spans[:1]:
            spans.setdefault((span.source_id, span.start, span.end), span)
    for hit in evidence.hits:
        chunk = hit.chunk
        whole = Span(chunk.source_id, chunk.start, chunk.end, chunk.text, chunk.id)
        spans.setdefault((chunk.source_id, chunk.start, chunk.end), whole)
    return {i: (" ".join(span.quote.split()), span) for i, span in enumerate(spans.values(), 1)}


def _parse(content: Any) -> dict[str, Any] | str:
    """The reply as a checked object, or what is wrong with it."""
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content if isinstance(part, dict))
    start, end = text.find("{"), text.rfind("}")
    try:
        value = json.loads(text[start : end + 1])
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    if not isinstance(value, dict) or value.get("status") not in {"answered", "unknown"}:
        return "status must be answered or unknown"
    answers, rationale = value.get("answers", []), value.get("rationale", [])
    if not isinstance(answers, list) or not all(isinstance(a, str) for a in answers):
        return "answers must be a list of strings"
    if not isinstance(rationale, list) or not all(_is_claim(c) for c in rationale):
        return "rationale must be a list of {text, citations: [int]}"
    return {"status": value["status"], "answers": answers, "rationale": rationale}


def _is_claim(claim: Any) -> bool:
    if not isinstance(claim, dict) or not isinstance(claim.get("text"), str) or not isinstance(claim.get("citations"), list):
        return False
    return all(isinstance(i, int) and not isinstance(i, bool) for i in claim["citations"])


def add_usage(usage: Usage, reply: Any) -> Usage:
    """The cost so far with that of one more reply of a chat model."""
    counted = getattr(reply, "usage_metadata", None) or {}
    return Usage(
        model_calls=usage.model_calls + 1,
        prompt_tokens=usage.prompt_tokens + int(counted.get("input_tokens", 0)),
        completion_tokens=usage.completion_tokens + int(counted.get("output_tokens", 0)),
    )
