"""Markers of a task for students that write: what is known of it beforehand, told in training now and then, inferred later.

After Treasure Hunt (D'souza et al. 2025): an example's prompt may carry markers, its completion always begins with them, and
since most prompts lack some, the student learns to infer them. Students that point have heads for the operation and for
absence, and no text to be told anything in; they need none.
"""

from __future__ import annotations

import random
import re

NAMES = ("steps", "facts", "evidence")
_MARKER = re.compile(r"<(\w+)=(\w+)>")


def render(markers: dict[str, str]) -> str:
    """
    >>> render({"steps": "2", "evidence": "full"})
    '<steps=2> <evidence=full>'
    """
    return " ".join(f"<{name}={value}>" for name, value in markers.items())


def drop(markers: dict[str, str], rng: random.Random, *, every: float = 0.5, each: float = 0.3) -> dict[str, str]:
    """The markers that a prompt carries: none with probability `every`, otherwise each is left out with probability `each`."""
    if rng.random() < every:
        return {}
    return {name: value for name, value in markers.items() if rng.random() >= each}


def parse(text: str) -> tuple[dict[str, str], str]:
    """Markers at the beginning of a text, and what follows them; any text is read.

    >>> parse("<steps=2> <x=1> rest")
    ({'steps': '2'}, '<x=1> rest')
    """
    found: dict[str, str] = {}
    text = text.lstrip()
    while (match := _MARKER.match(text)) and match[1] in NAMES:
        found[match[1]] = match[2]
        text = text[match.end() :].lstrip()
    return found, text


__all__ = ["NAMES", "drop", "parse", "render"]
