"""Phrases that say a thing by another, taken out of a question from the inside, each a step of its own.

A `Reader` works on a masked question, where `§0` is a name and `¶0` the answer of a step. It replaces the innermost phrase
around a sign by the sign of its step until there is none: a possessive before an "of", both before a clause. What stands
around the sign that is left is asked last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .plans import LIFE, SubQuestion
from .question import DATE, NUMBER, PERSON, PLACE, TYPE_NOUNS
from .wordings import Chain, Family, lexicon

REF = r"[§¶]\d+"
DETERMINER = r"(?:the|a|an|all|any|each|both|his|her|its|their)"
AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|will|would|can|could)"
_WH = r"(?:who|whom|whose|what|which|when|where|why|how)"
_PREPOSITION = r"(?:in|on|at|of|by|from|for|to|with|near|as|after|before|during|into|about|under|over|around|through)"
_FUNCTION = rf"(?:{AUXILIARY}|{_WH}|{_PREPOSITION}|{DETERMINER}|that|and|or|between|among|out|'s|[,;:])"
_BOUNDARY = re.compile(rf"(?:{_FUNCTION}|{REF})$")
CONTENT = rf"(?!{_FUNCTION}(?:\s|$))[a-z0-9'-]+"
_PARTICIPLE = (
    r"(?:[a-z-]{3,}(?:ing|ed)|known|made|built|won|held|written|born|shot|led|set|sung|found|sold|given|drawn|run|begun)"
)
_WORD = r"(?!(?:that|who|which|whose|where|whom)\b)[a-z0-9'-]+"
_POSSESSIVE = re.compile(rf"({REF})\s+'s\s+((?:(?:own|main|first|last|current|former|late|only)\s+)*)([a-z].*)")
_COMPOUND = re.compile(rf"\bthe\s+({REF})\s+([a-z][a-z -]*)")
_APPOSED = re.compile(rf"\b((?:{DETERMINER}\s+)?)((?:[a-z-]+\s+)?)([a-z]+)\s+(?={REF})")
_OF = re.compile(rf"\s(of)\s+(?:{DETERMINER}\s+)*({REF})(?!\d|\s+'s\s)")
_RELATIVE = re.compile(rf"(?:\b{_PREPOSITION}\s+)?\b(?:who|which|that|whose|where|whom)\b")
_HEAD = re.compile(r"((?:[a-z-]+\s+){1,4})(?:,\s+)?$")
_REDUCED = re.compile(rf"(.*)\bthe\s+((?:{_WORD}\s+){{1,3}}?)({_PARTICIPLE}\s+(?:{_WORD}\s+){{0,8}}?{REF}(?:\s+'s\s+[a-z]+)?)")
_PLACED = rf"(?:\s+(?:in|on|at|of|by|from)\s+(?:{REF}|\d+))*"
_BEING = r"(?:is|are|was|were|will be|has been|have been)"
_STATE = rf"{_BEING}(?:\s+(?:a|an|the)\s+[a-z]+|\s+{_PARTICIPLE}(?:\s+to\s+be\s+[a-z]+)?|\s+part\s+of)?"
_PLACE_CLAUSE = re.compile(rf"{REF}\s+(?:{_STATE}|[a-z-]+)(?:\s+(?:in|at|from|to|for|into)(?!\s+{REF}|\s+\d))?{_PLACED}")
_CLAUSE = re.compile(rf"(?:[a-z0-9'-]+\s+){{0,6}}?{REF}(?:\s+'s\s+[a-z]+)?{_PLACED}")
_CONTACT = re.compile(
    rf"(^|.*\b({_PREPOSITION}|{AUXILIARY}))\s+the\s+((?:{CONTENT}\s+){{1,2}}?)"
    rf"({REF}\s+(?:{AUXILIARY}\b|[a-z-]+(?:ed|s)\b).*)"
)
_NO_HEADS = frozenset("name kind type one part member number way".split())
_LIFE_VERBS = {"born": "birth", "die": "death", "died": "death", "buried": "burial"}
_WHAT_IS = re.compile(rf"(?:(?:who|what|where|when|which(?: [a-z]+)?)\s+(?:is|are|was|were)\s+)?({REF})")
_LIFE = re.compile(
    rf"(?:(where|when)|(?:in |on |at )?(?:what|which) ([a-z]+))\s+(?:{AUXILIARY}\s+)?({REF})\s+(?:{AUXILIARY}\s+)?"
    rf"(born|die|died|buried)(?: in| on| at)?"
)
_LATE = re.compile(  # "X is a hall in a university located in what city"
    rf"(?P<before>(?:.*\s)?{REF}\s.*?)\s+(?:a|an|the)\s+(?P<noun>(?:{CONTENT}\s+){{1,4}}?)"
    rf"(?:(?:that|who|which)\s+|(?={_PARTICIPLE}\s))(?P<asked>.*\b(?:what|which|whom|where|when|how|who$)\b.*)"
)
_NOUN_OF = [
    re.compile(
        rf"(?:what|which)\s+(?P<noun>(?:[a-z]+\s+){{0,2}}[a-z]+)\s+(?:{AUXILIARY})\s+(?P<ref>{REF})(?:\s+(?:from|of|in|have))?"
    ),
    re.compile(
        rf"(?:what|which)\s+(?P<noun>(?:[a-z]+\s+){{0,2}}[a-z]+)\s+(?P<ref>{REF})\s+(?:{AUXILIARY})(?:\s+(?:from|of|in))?"
    ),
    re.compile(
        rf"(?:what|which|who)\s+(?:is|are|was|were)\s+(?:the\s+)?(?:name of the\s+)?(?P<noun>(?:{CONTENT}\s+)+)"
        rf"(?:in|of|at|on|from|for|to)\s+(?P<ref>{REF})"
    ),
]


# ---- nouns


def is_noun(phrase: str) -> bool:
    """Whether the lexicon knows a phrase as a noun for an end of a relation, or for several steps."""
    known = lexicon()
    return known.is_noun(phrase, known.match(phrase.split())) or bool(known.chains(phrase))


def singular(noun: str) -> str:
    """A noun that the lexicon knows, or of a kind of thing, without its plural ending; others as they are."""
    for end, instead in (("ies", "y"), ("s", ""), ("es", "")):
        short = noun.removesuffix(end) + instead
        if noun.endswith(end) and not noun.endswith(("ss", "us", "series")) and (is_noun(short) or short in TYPE_NOUNS):
            return short
    return noun


def noun_at(words: Sequence[str], *, last: bool = False) -> int:
    """How many of these words, the first ones or the last ones, are the longest noun of the lexicon."""
    sizes = range(min(lexicon().longest, len(words)), 0, -1)
    return next((n for n in sizes if is_noun(" ".join(words[-n:] if last else words[:n]))), 0)


def kind_of(words: str) -> str:
    """Type of what a noun phrase or a question asks for."""
    first, *rest = words.split() or [""]
    if re.fullmatch(AUXILIARY, first):
        return ""
    if first in ("who", "whose", "where", "when"):
        return {"where": PLACE, "when": DATE}.get(first, PERSON)
    if first == "how":
        return NUMBER if rest[:1] in (["many"], ["much"]) else ""
    if first in ("what", "which", "in", "on") and rest:
        nouns = [singular(word) for word in rest[:4]]
        return next((TYPE_NOUNS[noun] for noun in nouns if noun in TYPE_NOUNS), "")
    if words in LIFE:
        return {"date": DATE, "place": PLACE}.get(first, NUMBER)
    said = words.split()
    head = singular(words.split(" of ")[0].split()[-1] if said else "")
    known, noun = lexicon(), " ".join(said[-noun_at(said, last=True) :])
    ends = {kind for name in known.match(noun.split()) for kind in _ends(known.families[name], noun)}
    agent = ends == {""} and re.search(r"(?:[^b]er|or|ist|ian)$", noun)
    return TYPE_NOUNS.get(head) or (PERSON if PERSON in ends or agent else min(ends - {""}, default=""))


def _ends(family: Family, noun: str) -> list[str]:
    ends = (family.subject_nouns, family.subject_type), (family.object_nouns, family.object_type)
    return [kind for nouns, kind in ends if noun in nouns]


def kinship(words: str) -> list[str]:
    """The nouns of the steps that a word for kin stands for, the first one walked in front; the word itself where it is one."""
    known = lexicon()
    chains = [chain for chain in known.chains(words) if all(_of_people(known.families[name]) for name, _ in chain)]
    if not chains or (is_noun(words) and known.match(words.split())):
        return [words]
    short = [chain for chain in dict.fromkeys(chains) if len(chain) == len(chains[0])]
    exact = [chain for chain in short if all(name != "child of" or way < 0 for name, way in chain)]
    chain: Chain = exact[0] if len(exact) == 1 else short[0]
    return [_noun(known.families[name], way, words if i == len(chain) - 1 else "") for i, (name, way) in enumerate(chain)]


def _of_people(family: Family) -> bool:
    return family.subject_type == family.object_type == PERSON


def _noun(family: Family, way: int, word: str) -> str:
    """A noun for where a step leads, as the last part of a longer word says it ("grand*mother*") where it does."""
    nouns = family.object_nouns if way > 0 else family.subject_nouns
    said = [noun for noun in nouns if re.search(rf"{noun}(?:$|[- ]in[- ]law)", word)]
    usual = family.name if family.name in nouns else "spouse" if "spouse" in nouns else nouns[0]
    return max(said, key=len, default=usual)


# ---- a question


class Reader:
    """Takes phrases out of a masked question; `steps` are those taken out so far."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self.steps = names, list[SubQuestion]()
        self._articles: dict[str, str] = {}  # what stood before a name

    def reduce(self, text: str) -> str:
        """A text in which no phrase around a sign is left."""
        rules = (self._possessive, self._compound, self._contact, self._apposition, self._of, self._relative, self._participle)
        while True:
            shorter = next((found for rule in rules if (found := rule(text)) and found != text), None)
            if shorter is None:
                return text
            text = shorter

    def ask(self, text: str) -> str:
        """Make what is left of a question the last step; returns its sign, "" where nothing is named."""
        if not re.search(REF, text) or re.fullmatch(r"§\d+", text):
            return ""
        whole = _WHAT_IS.fullmatch(text)
        if whole and whole[1][0] == "¶":
            return whole[1]
        life = _LIFE.fullmatch(text)
        if life:
            noun = {"when": "date", "where": "place"}.get(life[1] or "", life[2]) or ""
            noun = "date" if noun == "day" else "place" if noun in ("city", "town", "village", "location") else noun
            return self.step(life[3], f"{noun} of {_LIFE_VERBS[life[4]]}")
        asked = next(filter(None, (pattern.fullmatch(text) for pattern in _NOUN_OF)), None)
        if asked:
            return self.step(asked["ref"], asked["noun"])
        late = _LATE.fullmatch(text)
        if late and not re.search(REF, late["asked"]):
            said = re.fullmatch(rf"({REF})\s+(?:is|was)", late["before"])  # "X is a hall that" is about X
            middle = said[1] if said else self.clause(f"{late['before']} what {late['noun']}")
            return self.ask(f"{middle}{' is' if re.match(_PARTICIPLE, late['asked']) else ''} {late['asked']}")
        return self.clause(text)

    def step(self, ref: str, noun: str) -> str:
        """Ask for a noun of what a sign stands for; words for kin become their steps."""
        for word in kinship(singular(noun.strip())):
            ref = self._add(ref, word)
        return ref

    def clause(self, text: str) -> str:
        """Ask a whole question; its subject is the last answer in it, or else its first name."""
        refs = re.findall(REF, text)
        ref = max((r for r in refs if r[0] == "¶"), key=lambda r: int(r[1:]), default=refs[0])
        return self._add(ref, self.shown(re.sub(rf"{ref}(?!\d)", "it", text, count=1)))

    def shown(self, text: str) -> str:
        """A text with its names back."""
        named = re.sub(r"§(\d+)", lambda match: self._articles.get(match[0], "") + self.names[int(match[1])], text)
        return re.sub(r"\s+(?=[,;:]|'s)", "", re.sub(r"¶\d+", "that", named)).strip(" ,")

    def put(self, ref: str, words: str) -> str:
        """Ask a noun or a question with "it" of what a sign stands for."""
        return self._add(ref, self.shown(words)) if re.search(r"\bit\b", words) else self.step(ref, words)

    def _add(self, ref: str, words: str) -> str:
        subject: str | int = int(ref[1:]) if ref[0] == "¶" else self.names[int(ref[1:])]
        self.steps.append(SubQuestion(subject, words, kind_of(words)))
        return f"¶{len(self.steps) - 1}"

    # ---- rules, each a text with one phrase less or None

    def _possessive(self, text: str) -> str | None:
        match = _POSSESSIVE.search(text)
        if not match:
            return None
        words = match[3].split()
        free = _free(words)
        if re.search(r"\b(?:did|does|do)\s+(?:the\s+)?$", text[: match.start()]) and free > 1:
            free -= 1  # the verb that the auxiliary waits for
        size = noun_at(words) or max(free, 1)
        start = re.sub(r"\bthe\s+$", "", text[: match.start()])
        return _joined(start, self.step(match[1], match[2] + " ".join(words[:size])), " ".join(words[size:]))

    def _compound(self, text: str) -> str | None:
        """ "The §0 singer" is the singer of §0."""
        for match in _COMPOUND.finditer(text):
            words = match[2].split()
            size = noun_at(words)
            if size:
                rest = f"{' '.join(words[size:])} {text[match.end() :]}"
                return _joined(text[: match.start()], self.step(match[1], " ".join(words[:size])), rest)
        return None

    def _apposition(self, text: str) -> str | None:
        """ "The film §0" and "the §0" are §0."""
        for match in re.finditer(rf"\b((?:the|a|an)\s+)({REF})", text):
            self._articles[match[2]] = match[1]
            return text[: match.start()] + text[match.start(2) :]
        for match in _APPOSED.finditer(text):
            determiner, adjective, noun = match.groups()
            before = text[: match.start(3)].split()[-1:]
            clause = re.fullmatch(_PARTICIPLE, noun) and noun not in TYPE_NOUNS
            if clause or _BOUNDARY.match(noun) or before in (["which"], ["what"]):
                continue
            known = (singular(noun) if determiner else noun) in TYPE_NOUNS or (is_noun(noun) and not _is_verb(noun))
            if determiner and not _BOUNDARY.match(adjective.strip()) and (known or not _is_verb(adjective.strip() or noun)):
                return text[: match.start()] + text[match.end() :]
            if known or before == ["of"]:
                return text[: match.start(3)] + text[match.end() :]
        return None

    def _of(self, text: str) -> str | None:
        for match in _OF.finditer(text):
            before = text[: match.start()].split()
            more = _free(before[::-1])
            opened = more == len(before) or bool(re.fullmatch(DETERMINER, before[-more - 1]))
            size = max(noun_at(before, last=True), more if opened else 0)
            if not size or before[-1] == "part" or before[-size - 1 : len(before) - size] in (["what"], ["which"]):
                continue
            start = re.sub(rf"\b{DETERMINER}$", "", " ".join(before[:-size]))
            noun = " ".join(before[-size:])
            return _joined(start, match[2] if noun == "name" else self.step(match[2], noun), text[match.end() :])
        return None

    def _relative(self, text: str) -> str | None:
        for match in reversed(list(_RELATIVE.finditer(text))):
            head = _HEAD.search(text, 0, match.start())
            if not head or not re.search(REF, text[match.end() :]):
                continue
            words = head[1].split()
            words = words[len(words) - _free(words[::-1]) :]
            start = text[: match.start()].rstrip(" ,")
            start = start[: len(start) - len(" ".join(words))]
            late = len(words) > 1 and _is_verb(words[-1]) and re.search(r"\b(?:did|does|do)\s+(?:the\s+)?$", start)
            noun = " ".join(words[:-1] if late else words)
            if not noun or noun in _NO_HEADS or (_is_verb(noun) and noun not in TYPE_NOUNS):
                continue
            shorter = self._put(re.sub(rf"\b{DETERMINER}\s+$", "", start), noun, match[0], text[match.end() :].strip())
            if shorter:
                return f"{shorter} {words[-1]}" if late else shorter
        return None

    def _put(self, before: str, noun: str, pronoun: str, rest: str) -> str | None:
        """Replace a noun with its relative clause by a step."""
        pattern = _PLACE_CLAUSE if pronoun != "whose" and re.match(REF, rest) else _CLAUSE
        found = pattern.match(rest)
        after = rest[found.end() :].strip() if found else ""
        opened = re.search(rf"(?:\b(?:{AUXILIARY}|when|after|before|while)|^|,)\s*$", before)
        subject = opened or re.match(rf"{AUXILIARY}\b", after)
        clause = found[0] if found and after and subject else rest.partition(",")[0]
        if not re.search(REF, clause):
            return None
        return _joined(before, self._said(noun, pronoun, clause), rest[len(clause) :])

    def _said(self, noun: str, pronoun: str, clause: str) -> str:
        """Ask a relative clause as a question for its head."""
        *place, pronoun = pronoun.split()
        if pronoun == "whose":
            return self.clause(f"what {noun}'s {clause}")
        if not re.match(REF, clause):
            who = kind_of(noun) == PERSON
            return self.clause(f"who {clause}" if who else f"what {noun} {clause}")
        asked = re.sub(rf"^({REF})\s+({AUXILIARY})\s", r"\2 \1 ", clause)
        if pronoun == "where" or place:
            return self.ask(f"{(place or ['in'])[0]} what {noun} {re.sub(r' (?:in|at)$', '', asked)}")
        return self.ask(f"what {noun} {asked}")

    def _participle(self, text: str) -> str | None:
        match = _REDUCED.match(text)
        if not match or _is_verb(match[2].strip()) or re.search(rf"\b(?:when|where|how|why) {AUXILIARY}\s*$", match[1]):
            return None
        noun, clause = match[2].strip(), match[3]
        asked = f"who is {clause}" if kind_of(noun) == PERSON else f"what {noun} is {clause}"
        return _joined(match[1], self.clause(asked), text[match.end() :])

    def _contact(self, text: str) -> str | None:
        """ "The city §0 played for"."""
        match = _CONTACT.match(text)
        return self._put(match[1], match[3].strip(), "that", match[4]) if match else None


def _joined(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _free(words: Sequence[str]) -> int:
    """How many of the first words are neither function words nor signs."""
    return next((i for i, word in enumerate(words) if _BOUNDARY.match(word)), len(words))


@lru_cache(maxsize=1)
def _verbs() -> frozenset[str]:
    return frozenset(verb for family in lexicon().families.values() for verb in (*family.verbs, *family.weak_verbs))


def _is_verb(word: str) -> bool:
    return word in _verbs()


__all__ = ["AUXILIARY", "CONTENT", "DETERMINER", "REF", "Reader", "is_noun", "kind_of", "noun_at", "singular"]
