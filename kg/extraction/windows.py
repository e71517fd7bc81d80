"""Texts in pieces that the model reads at once: whole sentences, as many as fit, with the offsets of their words.

The first sentence stands in front of every later piece of the same text, because it mostly says what the text is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_TOKENS = 320  # WordPieces of a window, the two special ones included


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Sentences read together, t tokens with the special ones, w words.

    Attributes:
        ids: int64 [t] WordPieces.
        first, last: int64 [w] tokens at which each word begins and ends.
        starts, ends: int64 [w] where the words stand in the text.
        sentence: int64 [w] which of the text's sentences each word is of.
        repeated: words at the front that an earlier window has read already.
    """

    ids: np.ndarray
    first: np.ndarray
    last: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    sentence: np.ndarray
    repeated: int = 0


def windows(text: str, sentences: Sequence[tuple[int, int]], tokenizer: Any) -> list[Window]:
    """Tile the sentences of a text.

    Args:
        text: any text.
        sentences: `[start, end)` of its sentences; a sentence longer than a window is cut.
        tokenizer: of the `tokenizers` package, without truncation and padding.
    """
    encoded = [
        (i, start, encoding)
        for i, ((start, _), encoding) in enumerate(
            zip(sentences, tokenizer.encode_batch([text[a:b] for a, b in sentences], add_special_tokens=False), strict=True)
        )
    ]
    room = MAX_TOKENS - 2
    groups: list[list[tuple[int, int, Any]]] = []
    size = room + 1
    for item in encoded:
        length = len(item[2].ids)
        if size + length > room and length:
            head = [encoded[0]] if groups and len(encoded[0][2].ids) + length <= room else []
            groups.append(head)
            size = sum(len(one[2].ids) for one in head)
        if length:
            groups[-1].append(item)
            size += length
    return [_window(group, i > 0 and group[0] is encoded[0], tokenizer) for i, group in enumerate(groups)]


def _window(group: list[tuple[int, int, Any]], repeats: bool, tokenizer: Any) -> Window:
    ids: list[int] = [tokenizer.token_to_id("[CLS]")]
    words: list[list[int]] = []  # first token, last token, start, end, sentence
    repeated = 0
    for number, (sentence, offset, encoding) in enumerate(group):
        before = None
        for token, (word, (start, end)) in enumerate(zip(encoding.word_ids, encoding.offsets, strict=True)):
            if len(ids) + token >= MAX_TOKENS - 1:
                break
            at = len(ids) + token
            if word == before:
                words[-1][1], words[-1][3] = at, offset + end
            else:
                words.append([at, at, offset + start, offset + end, sentence])
            before = word
        ids += encoding.ids[: MAX_TOKENS - 1 - len(ids)]
        if repeats and number == 0:
            repeated = len(words)
    first, last, starts, ends, of = np.array(words, np.int64).reshape(-1, 5).T
    return Window(np.array([*ids, tokenizer.token_to_id("[SEP]")], np.int64), first, last, starts, ends, of, repeated)


__all__ = ["MAX_TOKENS", "Window", "windows"]
