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
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from . import lexicon as lx

_WORD = re.compile(
    r"(?:[A-Z]\.\s?){2,}(?=[\s,A-Z(]|$)|[A-Z]\.(?=\s)|(?:St|Dr|Mr|Mrs|Ms|Ltd|Inc|Co|Corp|Jr|Sr|Prof|Bros|No)\.(?=[\s,)])"
    r"|[’']s\b|(?<=s)[’'](?=\s)|\d[\d,.]*\d|[^\W_]+(?:(?:-\s?|[’'](?!s\b)|&|\.(?=com\b))[^\W_]+)*|\S"
)
_MONEY = re.compile(
    r"(?:(?:EUR|USD|GBP|NOK|SEK|DKK|CHF|JPY|US\$|A\$|C\$|[$€£¥₹])\s?\d(?:[\d,.]*\d)?(?:\s?(?:thousand|million|billion|trillion|m|bn|k)\b)?"
    r"|\d(?:[\d,.]*\d)?\s?(?:thousand |million |billion |trillion )?(?:euros?|dollars?|pounds|crowns|kroner|francs|EUR|USD|GBP)\b"
    r"|\d(?:[\d,.]*\d)?\s?(?:%|per ?cent\b|percentage points))"
)
_QUOTED = re.compile(r'[“"]\s?([A-Z0-9¿¡][^“”"\n]{0,80}?)[,.]?\s?[”"]|``\s?([A-Z0-9][^`\n]{0,80}?)\s?\'\'')
_TRIM = re.compile(r"^[\s\"“”]+|[\s\"“”,]+$")
_PAREN = re.compile(r"\s?\((?:[^()]|\([^()]{0,60}\)){0,240}\)")
_NEVER_INSIDE = frozenset("the he she his her its is was are were has had in at on".split())
_LOWER_FORMS = frozenset("plc ltd".split())
_FOR_HEADS = frozenset("institute centre center council society association agency office school academy ministry fund".split())
_POSTNOMINALS = frozenset("CBE OBE MBE KBE GBE DSO MP FRS QC KC MC PhD MD KCB GCB CMG KCMG RAF VC".split())
_AND_INSIDE = frozenset("sons partners brothers co company daughters associates".split())


_MUTE_E = ("at", "iz", "is", "as", "uc", "v", "rg", "ac", "ut", "us", "ur", "ag", "dg", "nc", "in", "ir")


class Token(NamedTuple):
    text: str
    start: int
    end: int
    tag: str
    lemma: str = ""


class Mark(NamedTuple):
    """A stretch of text known beforehand: a date (d), an amount (#) or a title (N)."""

    start: int
    end: int
    tag: str
    text: str


def clean(label: str) -> str:
    """A name without stray spaces, quotes and the article."""
    label = re.sub(r"\s+", " ", label.replace("- ", "-"))
    return _TRIM.sub("", label).strip()


def marks(text: str, dates: Iterable[tuple[int, int]], names: Iterable[str]) -> list[Mark]:
    """Dates, amounts, quoted titles and the given names where they stand, the earliest and longest winning."""
    found = [Mark(start, end, "d", text[start:end]) for start, end in dates]
    found += [Mark(m.start(), m.end(), "#", " ".join(m.group().split())) for m in _MONEY.finditer(text)]
    for m in _QUOTED.finditer(text):
        title = clean(m[1] or m[2])
        if title:
            found.append(Mark(m.start(), m.end(), "N" if _title_like(title) else "~", title))
    for name in names:
        found += [Mark(m.start(), m.end(), "N", clean(name)) for m in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    found.sort(key=lambda mark: (mark.start, -mark.end))
    kept: list[Mark] = []
    for mark in found:
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return kept


def _title_like(quote: str) -> bool:
    """Whether a quotation is the title of a work and not something said."""
    words = quote.split()
    large = [word for word in words if len(word) > 3]
    return (
        len(words) <= 12
        and quote[-1] not in ",;"
        and sum(word[0].isupper() or word[0].isdigit() for word in large) * 2 >= len(large)
    )


def is_name_word(word: str) -> bool:
    return word[:1].isupper()


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
        return _disambiguate(_join_names(raw, self.lowered))

    def _raw(self, start: int, end: int) -> list[Token]:
        """Words, marks and parentheses, still untagged except for marks."""
        inside = [m for m in self.known if m.start < end and m.end > start]
        holes = [Token(m.group(), m.start(), m.end(), "p") for m in _PAREN.finditer(self.text, start, end)]
        holes = [h for h in holes if not any(m.start <= h.start and h.end <= m.end for m in inside)]
        fixed = holes + [
            Token(m.text, m.start, m.end, m.tag)
            for m in inside
            if not any(h.start <= m.start < h.end for h in holes) and m.end <= end
        ]
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


def _join_names(raw: list[Token], lowered: frozenset[str]) -> list[Token]:
    tokens: list[Token] = []
    i = 0
    while i < len(raw):
        token = raw[i]
        if token.tag:
            end = _name_end(raw, i) if token.tag == "N" and token.text[0] == raw[i].text[0] and not _quoted(token) else i + 1
            tokens.append(token if end == i + 1 else Token(_joined(raw[i:end]), token.start, raw[end - 1].end, "N"))
            i = end
            continue
        if is_name_word(token.text) and not _common_start(
            raw, i, lowered, bool(tokens and any(t.tag not in "p:" for t in tokens))
        ):
            end = _name_end(raw, i)
            tokens += _split_name(raw[i:end])
            i = end
        else:
            tokens.append(token._replace(tag=_tag(token.text)))
            i += 1
    return tokens


def _quoted(token: Token) -> bool:
    """Whether a marked name stands in quotation marks: it is then complete."""
    return token.end - token.start > len(token.text)


def _common_start(raw: list[Token], i: int, lowered: frozenset[str], inner: bool) -> bool:
    """Whether a capitalised word is an ordinary one: closed classes anywhere, others only at the start of a sentence."""
    word = raw[i].text
    low = word.lower()
    if low in ("i", "the", "a", "an", "in", "on", "at", "of", "and") or low in lx.PERSONAL or low in lx.POSSESSIVE:
        return True
    if low in lx.ROLE_WORDS or word in lx.DEMONYMS:
        return False  # _split_name decides
    if inner:
        return False
    if low in lx.COMMON_STARTERS or low in lx.PREPOSITIONS or low in lx.SUBORDINATORS or low in lx.ADVERBS or low in lx.MODAL:
        return True
    following = raw[i + 1].text if i + 1 < len(raw) else ""
    if is_name_word(following) and following.lower() not in ("the", "i"):
        return low in lx.VERB_FORMS and lx.VERB_FORMS[low][1] in "EKG"
    if low in lowered or low in lx.DETERMINERS or low in lx.RELATIVE or low in lx.BE or low in lx.HAVE:
        return True
    if low in lx.VERB_FORMS or low in lx.CLASS_TYPES or low.rstrip("s") in lx.CLASS_TYPES:
        return True
    return low.endswith(("ing", "ly", "tions", "ments", "ness", "ities", "ances", "ences")) or (low.isalpha() and len(low) < 2)


def _name_end(raw: list[Token], i: int) -> int:
    """Index after the last token of the name that starts at `i`."""
    j = i + 1
    while j < len(raw):
        if raw[j].tag:
            if raw[j].tag != "N" or _quoted(raw[j]) or raw[j].start - raw[j - 1].end > 1:
                break
            j += 1
            continue
        word = raw[j].text
        after = raw[j + 1].text if j + 1 < len(raw) and not raw[j + 1].tag else ""
        last = raw[j - 1].text
        if (is_name_word(word) or word in _LOWER_FORMS) and word.lower() not in _NEVER_INSIDE:
            j += 1
        elif word.isdigit() and len(word) < 4 and len(raw[i].text) > 1 and not last.isdigit():
            j += 1  # Marisil 9, Frostline 40
        elif word.lower() in lx.NAME_JOINTS and _joins(raw, i, j):
            j += 2 if is_name_word(after) else 3
        elif (
            (word == "for" and is_name_word(after) and any(w.text.lower() in _FOR_HEADS for w in raw[i:j]))
            or (word == "&" and is_name_word(after))
            or (word == "and" and (after.lower() in _AND_INSIDE or _is_office(raw[i:j], after)))
            or (
                word in ("'s", "’s", "'", "’") and after.lower() in lx.ORGANIZATION_WORDS | lx.PLACE_WORDS and is_name_word(after)
            )
            or (word == "," and (after.rstrip(".").lower() in ("inc", "ltd", "llc", "jr", "sr", "plc") or _nobility(raw, j)))
        ):
            j += 2
        else:
            break
    return j


def _joins(raw: list[Token], i: int, j: int) -> bool:
    """Whether a small word inside a name ("of", "van der") goes on to another capitalised word."""
    word, last = raw[j].text.lower(), raw[j - 1].text.lower().rstrip(".")
    after = raw[j + 1].text if j + 1 < len(raw) else ""
    two = word in ("of", "van", "de", "von", "y", "e") and after.lower() in (
        "the",
        "der",
        "den",
        "la",
        "las",
        "los",
        "von",
        "de",
        "del",
    )
    target = raw[j + 2].text if two and j + 2 < len(raw) else after
    if not is_name_word(target) or (j + 1 < len(raw) and raw[j + 1].tag):
        return False
    if word == "the":  # Boso the Elder
        return j - i < 3 and guess_part(raw[i].text)
    if word == "do":
        return False
    if word == "of":
        owner = last in lx.ROLE_WORDS and last not in lx.NOBILITY
        return (
            not owner
            and last not in lx.LEGAL_FORMS
            and target not in lx.DEMONYMS
            and not (last in lx.ORGANIZATION_WORDS and j - i > 2)
        )
    return True


def guess_part(word: str) -> bool:
    """Whether a word can be a given name before an epithet, and not the name of an office or a firm."""
    low = word.lower()
    return low not in lx.ORGANIZATION_WORDS and low not in lx.PLACE_WORDS and low not in lx.CLASS_TYPES


def _is_office(words: list[Token], after: str) -> bool:
    """Ministry of Trade and Industry."""
    return (
        len(words) >= 3
        and words[1].text == "of"
        and words[0].text in ("Ministry", "Department", "Office")
        and is_name_word(after)
    )


def _nobility(raw: list[Token], j: int) -> bool:
    """Leofric, Earl of Mercia; Edward Sutton, 2nd Baron Dudley."""
    rest = [token.text for token in raw[j + 1 : j + 4]]
    if len(rest) < 2:
        return False
    if rest[0].lower() in lx.NOBILITY and rest[0][0].isupper():
        lesser = rest[0].lower() not in ("king", "queen", "prince", "princess", "emperor", "pope", "sultan")
        return (len(rest) == 3 and rest[1] == "of" and is_name_word(rest[2])) or (lesser and is_name_word(rest[1]))
    return rest[0][0].isdigit() and rest[1].lower() in lx.NOBILITY


def _split_name(words: list[Token]) -> list[Token]:
    """Takes roles, nationalities and civil titles off the front of a name: "Cuban President Fulgencio Batista"."""
    out: list[Token] = []
    while words:
        low, rest = words[0].text.lower().rstrip("."), words[1:]
        if low in lx.CIVIL_TITLES and rest:
            out.append(words[0]._replace(tag="w", lemma=low))
        elif "-" in words[0].text and not rest and any(part.strip() in lx.DEMONYMS for part in words[0].text.split("-")):
            out.append(words[0]._replace(tag="J"))
        elif words[0].text in lx.DEMONYMS and (
            not rest or rest[0].text.lower() in lx.ROLE_WORDS or _looks_person(rest) or all(w.text in lx.DEMONYMS for w in rest)
        ):
            out.append(words[0]._replace(tag="J", lemma=words[0].text))
        elif words[0].text in lx.LANGUAGES and not rest:
            out.append(words[0]._replace(tag="J", lemma=""))
        elif (low in lx.ROLE_WORDS and (not rest or (rest[0].text.lower() != "of" and low not in lx.NOBILITY))) or (
            words[0].text.isupper() and low in ("ceo", "cfo", "coo", "cto", "mv", "ms", "ss") and rest and low in lx.ROLE_WORDS
        ):
            out.append(words[0]._replace(tag="w", lemma=low))
        else:
            break
        words = rest
    if words and words[0].text in lx.DEMONYMS and len(words) == 1:
        return [*out, words[0]._replace(tag="J", lemma=words[0].text)]
    while len(words) > 1 and words[-1].text in _POSTNOMINALS:
        words = words[:-1]
    if words:
        text = _joined(words)
        out.append(Token(text, words[0].start, words[-1].end, "N", text))
    return out


def _looks_person(words: list[Token]) -> bool:
    first = words[0].text.lower()
    return first in lx.MALE or first in lx.FEMALE


def _joined(words: list[Token]) -> str:
    """The words of a name as they stand, with single spaces."""
    text = words[0].text
    for before, word in pairwise(words):
        text += ("" if word.start == before.end else " ") + word.text
    return clean(text)


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
