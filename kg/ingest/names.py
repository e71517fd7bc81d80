"""Names: which capitalised words belong together, and what in front of them is an office, a nationality or a title."""

from __future__ import annotations

from itertools import pairwise

from . import lexicon as lx
from .marks import Token, clean

_NEVER_INSIDE = frozenset("the he she his her its is was are were has had in at on".split())
_LOWER_FORMS = frozenset("plc ltd".split())
_FOR_HEADS = frozenset("institute centre center council society association agency office school academy ministry fund".split())
_POSTNOMINALS = frozenset("CBE OBE MBE KBE GBE DSO MP FRS QC KC MC PhD MD KCB GCB CMG KCMG RAF VC".split())
_AND_INSIDE = frozenset("sons partners brothers co company daughters associates".split())
_INNER_ARTICLES = frozenset("the der den la las los von de del".split())
_TWO_WORD_JOINTS = frozenset("of van de von y e".split())
_NAME_SUFFIXES = frozenset("inc ltd llc jr sr plc".split())


def is_name_word(word: str) -> bool:
    return word[:1].isupper()


def join_names(raw: list[Token], lowered: frozenset[str]) -> list[Token]:
    """The words of a sentence with its names joined into single tokens (N) and what stands before them tagged (w, J).

    Args:
        raw: words, untagged, and marked stretches, tagged.
        lowered: words that the text also has in lower case.
    """
    tokens: list[Token] = []
    inner = False
    i = 0
    while i < len(raw):
        token, end = raw[i], i + 1
        if token.tag:
            if token.tag == "N" and not _quoted(token):
                end = _name_end(raw, i)
            tokens.append(token if end == i + 1 else Token(_joined(raw[i:end]), token.start, raw[end - 1].end, "N"))
        elif is_name_word(token.text) and not _common_start(raw, i, lowered, inner):
            end = _name_end(raw, i)
            tokens += _split_name(raw[i:end])
        else:
            tokens.append(token)
        inner = inner or (token.tag != "p" and token.text != ":")
        i = end
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
        if (is_name_word(word) or word in _LOWER_FORMS) and word.lower() not in _NEVER_INSIDE:
            j += 1
        elif word.isdigit() and len(word) < 4 and len(raw[i].text) > 1 and not raw[j - 1].text.isdigit():
            j += 1  # Marisil 9, Frostline 40
        elif word.lower() in lx.NAME_JOINTS and _joins(raw, i, j):
            j += 2 if is_name_word(after) else 3
        elif _goes_on(raw, i, j, after):
            j += 2
        else:
            break
    return j


def _goes_on(raw: list[Token], i: int, j: int, after: str) -> bool:
    """Whether "for", "and", "&", a comma or a possessive at `j` stands inside the name that starts at `i`."""
    word, low = raw[j].text, after.lower()
    if word == ",":
        return low.rstrip(".") in _NAME_SUFFIXES or _nobility(raw, j)
    if word == "and":
        return low in _AND_INSIDE or _is_office(raw[i:j], after)
    if not is_name_word(after):
        return False
    if word == "for":  # Institute for Future Studies
        return any(token.text.lower() in _FOR_HEADS for token in raw[i:j])
    if word in ("'s", "’s", "'", "’"):  # Seamen's Mutual
        return low in lx.ORGANIZATION_WORDS or low in lx.PLACE_WORDS
    return word == "&"


def _joins(raw: list[Token], i: int, j: int) -> bool:
    """Whether a small word inside a name ("of", "van der") goes on to another capitalised word."""
    word, last = raw[j].text.lower(), raw[j - 1].text.lower().rstrip(".")
    after = raw[j + 1].text if j + 1 < len(raw) else ""
    two = word in _TWO_WORD_JOINTS and after.lower() in _INNER_ARTICLES
    target = raw[j + 2].text if two and j + 2 < len(raw) else after
    if not is_name_word(target) or (j + 1 < len(raw) and raw[j + 1].tag) or word == "do":
        return False
    if word == "the":  # Boso the Elder
        return j - i < 3 and _may_be_given(raw[i].text)
    if word != "of":
        return True
    office = last in lx.ROLE_WORDS and last not in lx.NOBILITY
    firm = last in lx.LEGAL_FORMS or (last in lx.ORGANIZATION_WORDS and j - i > 2)
    return not (office or firm or target in lx.DEMONYMS)


def _may_be_given(word: str) -> bool:
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
    while words and (tag := _front_tag(words[0].text, words[1:])):
        out.append(words[0]._replace(tag=tag, lemma=words[0].text.lower().rstrip(".")))
        words = words[1:]
    while len(words) > 1 and words[-1].text in _POSTNOMINALS:
        words = words[:-1]
    if words:
        text = _joined(words)
        out.append(Token(text, words[0].start, words[-1].end, "N", text))
    return out


def _front_tag(word: str, rest: list[Token]) -> str:
    """The tag of the first word of a name if it is no part of it, else ""."""
    low = word.lower().rstrip(".")
    if low in lx.CIVIL_TITLES and rest:
        return "w"
    if not rest and (word in lx.LANGUAGES or any(part.strip() in lx.DEMONYMS for part in word.split("-"))):
        return "J"
    if word in lx.DEMONYMS:
        office = rest[0].text.lower() in lx.ROLE_WORDS
        return "J" if office or _looks_person(rest) or all(token.text in lx.DEMONYMS for token in rest) else ""
    if low in lx.ROLE_WORDS:
        return "w" if not rest or (rest[0].text.lower() != "of" and low not in lx.NOBILITY) else ""
    return ""


def _looks_person(words: list[Token]) -> bool:
    first = words[0].text.lower()
    return first in lx.MALE or first in lx.FEMALE


def _joined(words: list[Token]) -> str:
    """The words of a name as they stand, with single spaces."""
    text = words[0].text
    for before, word in pairwise(words):
        text += ("" if word.start == before.end else " ") + word.text
    return clean(text)
