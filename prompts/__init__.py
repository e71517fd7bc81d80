"""Prompts as files: one Markdown file per prompt, with the variables it takes declared in its header.

    ---
    variables: schema, text
    ---
    The text between the fences ... {{text}}

A prompt is named by its file. Its hash names its exact wording, so that a log can say which prompt was used.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_HEADER = re.compile(r"\A---\nvariables:[ \t]*(?P<variables>[\w, ]*)\n---\n")
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template.

    Attributes:
        name: the file without its suffix.
        variables: the names that `render` needs, no more and no less.
        template: the text, with `{{name}}` where a variable goes.
        hash: the first 12 hexadecimal digits of the SHA-256 of the file.
    """

    name: str
    variables: tuple[str, ...]
    template: str
    hash: str

    def render(self, **values: str) -> str:
        """The text with every variable put in. Values are put in once: what they hold is never expanded.

        Raises:
            ValueError: a variable is missing or unknown.
        """
        if set(values) != set(self.variables):
            raise ValueError(f"prompt {self.name!r} takes {sorted(self.variables)}, got {sorted(values)}")
        return _VARIABLE.sub(lambda match: values[match[1]], self.template)


def names() -> tuple[str, ...]:
    """The prompts there are, sorted."""
    return tuple(sorted(file.name[:-3] for file in resources.files(__name__).iterdir() if file.name.endswith(".md")))


@cache
def load(name: str) -> Prompt:
    """Read a prompt.

    Raises:
        ValueError: no such prompt (the message lists those there are), or its header and its text disagree.
    """
    if name not in names():
        raise ValueError(f"no prompt {name!r}; there are: {', '.join(names())}")
    raw = resources.files(__name__).joinpath(f"{name}.md").read_text("utf-8")
    return parse(name, raw)


def render(name: str, **values: str) -> str:
    """`load(name).render(**values)`."""
    return load(name).render(**values)


def parse(name: str, raw: str) -> Prompt:
    """A prompt from the text of its file.

    Raises:
        ValueError: there is no header, or it declares other variables than the text uses.

    >>> parse("greet", "---\\nvariables: who\\n---\\nHello {{who}}").render(who="{{you}}")
    'Hello {{you}}'
    """
    header = _HEADER.match(raw)
    if not header:
        raise ValueError(f"prompt {name!r} must start with a header that declares its variables")
    template = raw[header.end() :].strip()
    declared = tuple(word.strip() for word in header["variables"].split(",") if word.strip())
    used = set(_VARIABLE.findall(template))
    if set(declared) != used:
        raise ValueError(f"prompt {name!r} declares {sorted(declared)} but uses {sorted(used)}")
    return Prompt(name, declared, template, hashlib.sha256(raw.encode()).hexdigest()[:12])


__all__ = ["Prompt", "load", "names", "parse", "render"]
