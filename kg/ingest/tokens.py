"""Sentences as tagged tokens: names, values and dates are single tokens, every other word gets one letter.

Tags: N name, J nationality, d date, # number or amount, P personal pronoun, O possessive pronoun, D determiner, w other word
(noun or adjective), Z/B/E/K/G verb forms (-s, base, past or participle, participle only, -ing), X be, H have, M modal,
t "to" before a verb, I preposition, U subordinator, C and/or, b but, Q relative pronoun, W whose, S possessive 's,
n negation, R adverb, p parenthesis, `,` `;` `:` and `.` as themselves.
The tags of a sentence form a string, so that phrases are found with regular expressions over tags (as in chunkers after
Abney, *Parsing by Chunks*, 1991).
"""

from __future__ import annotations

import re

from . import lexicon as lx
from .marks import Mark, Token
from .names import join_names

_WORD = re.compile(
    r"(?:[A-Z]\.\s?){2,}(?=[\s,A-Z(]|$)|[A-Z]\.(?=\s)|(?:St|Dr|Mr|Mrs|Ms|Ltd|Inc|Co|Corp|Jr|Sr|Prof|Bros|No)\.(?=[\s,)])"
    r"|[’']s\b|(?<=s)[’'](?=\s)|\d[\d,.]*\d|[^\W_]+(?:(?:-\s?|[’'](?!s\b)|&|\.(?=com\b))[^\W_]+)*|\S"
)
_PAREN = re.compile(r"\s?\((?:[^()]|\([^()]{0,60}\)){0,240}\)")
_MUTE_E = ("at", "iz", "is", "as", "uc", "v", "rg", "ac", "ut", "us", "ur", "ag", "dg", "nc", "in", "ir")


class Tagger:
    """Tags the sentences of one document.

    Args:
        text: the document.
        known: marks of the whole text (see `marks`), sorted.
        lowered: words that occur in lower case somewhere in the text: at the start of a sentence they are no names.
    """

    def __init__(self, text: str, known: list[Mark], lowered: frozenset[str]) -> None:
        self.text, self.known, self.lowered = text, known, lowered

    def sentence(self, start: int, end: int) -> list[Token]:
        """Tokens of the sentence at `[start, end)`; a parenthesis is one token, and its inside is tagged on demand."""
        raw = self._raw(start, end)
        named = join_names(raw, self.lowered)
        return _disambiguate([token if token.tag else token._replace(tag=_tag(token.text)) for token in named])

    def _raw(self, start: int, end: int) -> list[Token]:
        """Words, marks and parentheses, still untagged except for marks."""
        inside = [m for m in self.known if m.start < end and m.end > start]
        holes = [Token(m.group(), m.start(), m.end(), "p") for m in _PAREN.finditer(self.text, start, end)]
        holes = [h for h in holes if not any(m.start <= h.start and h.end <= m.end for m in inside)]
        free = [m for m in inside if m.end <= end and not any(h.start <= m.start < h.end for h in holes)]
        fixed = holes + [Token(m.text, m.start, m.end, m.tag) for m in free]
        fixed.sort(key=lambda token: token.start)
        tokens: list[Token] = []
        at = start
        for token in [*fixed, Token("", end, end, "")]:
            for m in _WORD.finditer(self.text, at, token.start):
                tokens.append(Token(m.group().strip(), m.start(), m.start() + len(m.group().rstrip()), ""))
            if token.tag:
                tokens.append(token)
            at = max(at, token.end)
        return tokens


def _tag(word: str) -> str:
    low = word.lower()
    if word[0].isdigit():
        return "#"
    for tag, words in _CLOSED:
        if low in words:
            return tag
    if low in lx.VERB_FORMS:
        return lx.VERB_FORMS[low][1]
    if len(word) == 1 and not word.isalnum():
        return word if word in ",;:.?!" else {"—": ";", "–": ";", "-": ";"}.get(word, "~")
    if low.endswith("ed") and len(low) > 4:
        return "E"
    return "w"


_CLOSED: tuple[tuple[str, frozenset[str]], ...] = (
    ("S", frozenset(("'s", "’s", "'", "’"))),
    ("n", lx.NEGATION),
    ("C", frozenset(("and", "or"))),
    ("b", frozenset(("but",))),
    ("W", frozenset(("whose",))),
    ("Q", lx.RELATIVE),
    ("P", lx.PERSONAL),
    ("O", lx.POSSESSIVE),
    ("D", lx.DETERMINERS),
    ("X", lx.BE),
    ("H", lx.HAVE),
    ("M", lx.MODAL),
    ("I", lx.PREPOSITIONS),
    ("U", lx.SUBORDINATORS),
    ("R", lx.ADVERBS),
)


def _disambiguate(tokens: list[Token]) -> list[Token]:
    """Settles words that may be noun or verb, "her", "to", "that", from their neighbours."""
    out: list[Token] = []
    for i, token in enumerate(tokens):
        before = out[-1].tag if out else ""
        after = tokens[i + 1].tag if i + 1 < len(tokens) else ""
        if out and before in ("E", "Z", "B", "G", "K") and f"{out[-1].lemma} {token.text.lower()}" in lx.PHRASAL:
            out[-1] = out[-1]._replace(lemma=f"{out[-1].lemma} {token.text.lower()}")
            out.append(token._replace(tag="R"))
            continue
        out.append(_settled(token, before, after, out))
    return out


def _settled(token: Token, before: str, after: str, done: list[Token]) -> Token:
    tag, low = token.tag, token.text.lower()
    if tag == "O" and low == "her" and (after in "IC,.;:dpU" or not after):
        return token._replace(tag="P")
    if tag == "Q" and low == "that" and after in ("w", "J") and before != "w" and before != "N":
        return token._replace(tag="D")
    if tag == "D" and low == "that":
        return token._replace(tag="Q" if before in "wNp" and before and after not in ("w", "J") else "D")
    if tag == "I" and low == "to" and after in ("B", "X", "H", "R") and after:
        return token._replace(tag="t")
    if tag == "D" and low == "no" and after == "R":
        return token._replace(tag="n")
    if tag in "ZBEGK" and tag:
        noun = before in "DOSJ#" and bool(before)
        modifier = noun or (before in ("Z", "E", "B", "I", "C", "G") and after == "w")
        if tag == "E" and modifier and after in ("w", "N", "J", "E", "G") and not (before in ("E", "C") and after != "w"):
            return token._replace(tag="w", lemma=low)  # "the merged company"
        if tag in "ZB" and (noun or (before in "IE" and tag == "B") or (before == "I" and tag == "Z")):
            return token._replace(tag="w", lemma=low)
        if low in ("managing", "acting", "founding", "holding") and after == "w":
            return token._replace(tag="w", lemma=low)
        if tag in "ZB" and before in ("Z", "B"):
            return token._replace(tag="w", lemma=low)  # approves paints
        if tag == "G" and before == "C" and after in ("w", "N") and len(done) > 1 and done[-2].tag in ("w", "J"):
            return token._replace(tag="w", lemma=low)
        if tag == "G" and (noun or (before in "I" and after not in "DNOPJ#w")):
            return token._replace(tag="w", lemma=low)
        if tag in "ZB" and before in ("w", "C", "N") and not _verb_wanted(done, after, tag):
            return token._replace(tag="w", lemma=low)
        if tag == "B" and before in ("", ",") and after in ("w", "I", "X"):
            return token._replace(tag="w", lemma=low)
        bare = low.removeprefix("re-")
        return token._replace(lemma=lx.VERB_FORMS.get(low, lx.VERB_FORMS.get(bare, (_stem(bare), "")))[0])
    return token._replace(lemma=token.lemma or low)


def _verb_wanted(done: list[Token], after: str, tag: str) -> bool:
    """Whether the clause so far has no verb and the next word can start an object."""
    clause = 0
    for n, token in enumerate(done):
        if token.tag in ",;:UQb":
            clause = n + 1
    verbs = any(token.tag in "ZEKXHM" for token in done[clause:])
    if done and done[-1].tag == "C":
        return verbs and tag == "Z"
    plural = tag == "Z" or any(token.tag == "C" for token in done[clause:]) or done[-1].text.endswith("s")
    if done and done[-1].tag == "N" and tag == "Z":
        return not verbs or after in ("D", "N", "O", "#")
    return not verbs and plural and after in ("D", "N", "I", "#", "O", "J", "w", "R", "Q", "")


def _stem(low: str) -> str:
    """Lemma of a regular verb the lexicon does not hold."""
    if low.endswith("ied"):
        return low[:-3] + "y"
    stem = low[:-2] if low.endswith("ed") else low
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "sl":
        return stem[:-1]
    return stem + "e" if stem.endswith(_MUTE_E) else stem
