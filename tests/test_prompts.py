"""Prompt files: headers agree with texts, values are data."""

from __future__ import annotations

import pytest
from hoptrace import prompts


@pytest.mark.parametrize("name", prompts.names())
def test_every_prompt_renders_with_its_declared_variables(name: str) -> None:
    prompt = prompts.load(name)
    text = prompt.render(**{variable: f"<{variable}>" for variable in prompt.variables})
    assert "{{" not in text
    assert all(f"<{variable}>" in text for variable in prompt.variables)


def test_a_value_that_looks_like_a_variable_is_not_expanded() -> None:
    prompt = prompts.parse("p", "---\nvariables: a, b\n---\n{{a}} {{b}}")
    assert prompt.render(a="{{b}}", b="x") == "{{b}} x"


def test_unknown_prompt_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="extract"):
        prompts.load("no_such_prompt")


@pytest.mark.parametrize("values", [{}, {"a": "1", "c": "2"}])
def test_missing_or_unknown_values_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="takes"):
        prompts.parse("p", "---\nvariables: a\n---\n{{a}}").render(**values)


@pytest.mark.parametrize("raw", ["no header", "---\nvariables: a\n---\n{{b}}", "---\nvariables: a, b\n---\n{{a}}"])
def test_header_must_declare_what_the_text_uses(raw: str) -> None:
    with pytest.raises(ValueError, match="prompt 'p'"):
        prompts.parse("p", raw)


def test_hash_changes_with_the_wording() -> None:
    first, second = (prompts.parse("p", f"---\nvariables: a\n---\n{word} {{{{a}}}}") for word in ("one", "two"))
    assert first.hash != second.hash
    assert first.hash == prompts.parse("q", "---\nvariables: a\n---\none {{a}}").hash
