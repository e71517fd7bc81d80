"""Tagged tokens to phrases: noun phrases with their parts (owner, description, name, "of" complements) and verb groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from . import lexicon as lx
from .marks import Token

_NOUN = re.compile(r"P|[DO]D?(?:[wJ#S]|d(?=[wJ#N])|R(?=[wJ#])|N(?=[wJNS]))*N?|(?:[wJ#]|N(?=[wJNS]))(?:[wJ#S]|N(?=[wJNS]))*N?|N")
_VERB = re.compile(r"R*(?:[MHX][Rn]*)+(?:[EKGZB][R]*)?(?:tR*[XBH]?[BEKZ]?)?|[Rn]*[ZEKGB][R]*(?:tR*[XBH]?[BEKZ]?)?|t[XBH]?[BEK]?")


@dataclass(slots=True)
class NounPhrase:
    """One noun phrase. `name` is set when it ends in a name, `head` when it ends in a common noun.

    "Brightwater's chief executive Orla Vance": owner Brightwater, words (chief, executive), name Orla Vance.
    """

    start: int
    end: int
    text: str
    det: str = ""
    pronoun: str = ""
    name: str = ""
    name_start: int = 0
    name_end: int = 0
    words: tuple[str, ...] = ()
    nationalities: tuple[tuple[str, int, int], ...] = ()
    year: str = ""
    amount: str = ""
    owner: NounPhrase | None = None
    of: list[NounPhrase] = field(default_factory=list)
    inside: list[NounPhrase] = field(default_factory=list)  # Montreal, Quebec: Quebec stands inside Montreal
    names: tuple[tuple[str, int, int], ...] = ()  # names used as modifiers: "the Brightwater deal"
    aside: Token | None = None  # parenthesis

    @property
    def head(self) -> str:
        return self.words[-1] if self.words and not self.name else ""


@dataclass(frozen=True, slots=True)
class VerbGroup:
    """One verb group. `form` is finite, participle (-ed without auxiliary), gerund or infinitive."""

    start: int
    end: int
    lemma: str
    passive: bool
    form: str
    negated: bool
    hedged: bool
    past: bool
    text: str


@dataclass(slots=True)
class Chunk:
    """NP, VG, d (date) or the tag of a single token."""

    kind: str
    start: int
    end: int
    text: str
    noun: NounPhrase | None = None
    verb: VerbGroup | None = None


def chunk(tokens: list[Token]) -> list[Chunk]:
    """Phrases in order; every token belongs to exactly one chunk."""
    tags = "".join(token.tag[0] for token in tokens)
    chunks: list[Chunk] = []
    i = 0
    while i < len(tokens):
        match = _NOUN.match(tags, i) or _VERB.match(tags, i)
        end = match.end() if match and match.end() > i else i + 1
        part = tokens[i:end]
        if match and tags[i] in "PDOwJ#N":
            noun = _noun(part)
            chunks.append(Chunk("NP", part[0].start, part[-1].end, noun.text, noun=noun))
        elif match:
            chunks.append(Chunk("VG", part[0].start, part[-1].end, "", verb=_verb(part)))
        elif (
            tags[i] == "p"
            and chunks
            and (bracketed := chunks[-1].noun or (chunks[-1].kind == "," and len(chunks) > 1 and chunks[-2].noun))
        ):
            bracketed.aside = tokens[i]
        else:
            chunks.append(Chunk(tags[i], tokens[i].start, tokens[i].end, tokens[i].text.lower()))
        i = end
    return _attach_of(chunks)


def _noun(part: list[Token]) -> NounPhrase:
    owner: NounPhrase | None = None
    for n in range(len(part) - 1, -1, -1):
        if part[n].tag == "S":
            if n:
                owner = _noun(part[:n])
            part = part[n + 1 :] or part[:n]
            break
    noun = NounPhrase(part[0].start, part[-1].end, " ".join(t.text for t in part), owner=owner)
    names: list[tuple[str, int, int]] = []
    words: list[str] = []
    for token in part:
        low = token.text.lower()
        if token.tag == "D":
            noun.det = low
        elif token.tag == "P":
            noun.pronoun = low
        elif token.tag == "O":
            noun.owner = NounPhrase(token.start, token.end, token.text, pronoun=low)
        elif token.tag == "N":
            names.append((token.text, token.start, token.end))
        elif token.tag == "J":
            parts = [part.strip() for part in token.text.split("-")]
            noun.nationalities += tuple((part, token.start, token.end) for part in parts if part in lx.DEMONYMS)
        elif token.tag == "d":
            noun.year = token.text
        elif token.tag == "#":
            noun.amount = f"{noun.amount} {token.text}".strip()
        elif token.tag == "w":
            words.append(low)
    if part[-1].tag == "N":
        noun.name, noun.name_start, noun.name_end = names.pop()
    noun.names, noun.words = tuple(names), tuple(words)
    return noun


def _verb(part: list[Token]) -> VerbGroup:
    main = [t for t in part if t.tag in "ZEKGB"]
    aux = [t for t in part if t.tag in "MHX"]
    tags = "".join(t.tag for t in part)
    be = any(t.tag == "X" for t in part)
    passive = False
    if main:
        first = main[0]
        lemma = first.lemma
        before = [t for t in part if t.start < first.start]
        passive = first.tag in "EK" and any(t.tag == "X" for t in before)
        if "t" in tags and len(main) > 1:
            lemma = f"{_keep(first)} to {main[1].text.lower()}"
        elif "t" in tags and be and not before:
            lemma = f"{_keep(first)} to be"
        form = "finite" if aux or first.tag in "ZEB" else {"K": "participle", "G": "gerund"}[first.tag]
        if not aux and first.tag in "EK":
            form = "participle" if first.tag == "K" else "past"
        if tags[0] == "t":
            form = "infinitive"
    else:
        lemma, form = ("be" if be else "have" if any(t.tag == "H" for t in part) else "do"), "finite"
        if tags[0] == "t":
            form = "infinitive"
    negated = "n" in tags or (bool(main) and main[0].lemma in ("deny", "cease", "refuse", "fail", "decline"))
    low = {t.text.lower() for t in part}
    past = any(t.tag in "EK" or t.text.lower() in ("was", "were", "had") for t in part)
    text = " ".join(t.text for t in part)
    return VerbGroup(part[0].start, part[-1].end, lemma, passive, form, negated, bool(low & lx.HEDGES), past, text)


def _keep(token: Token) -> str:
    return token.text.lower()


def _attach_of(chunks: list[Chunk]) -> list[Chunk]:
    """Common nouns take their "of" phrases, right to left: "the head of the office of X"."""
    i = len(chunks) - 3
    while i >= 0:
        noun, prep = chunks[i].noun, chunks[i + 1] if i + 1 < len(chunks) else None
        target = chunks[i + 2].noun if i + 2 < len(chunks) else None
        if noun and prep and target and prep.kind == "I" and prep.text == "of" and not noun.pronoun and not noun.name:
            noun.of.append(target)
            end = i + 3
            if _pair(chunks, end):
                other = chunks[end + 1].noun
                if other:
                    noun.of.append(other)
                end += 2
            noun.end, noun.text = chunks[end - 1].end, f"{noun.text} of {target.text}"
            chunks[i].end = noun.end
            del chunks[i + 1 : end]
        i -= 1
    return chunks


def _pair(chunks: list[Chunk], at: int) -> bool:
    """ "of A and B" with two names, B not the subject of a verb."""
    if at + 1 >= len(chunks) or chunks[at].kind != "C":
        return False
    first, second = chunks[at - 1].noun, chunks[at + 1].noun
    if not first or not second or not second.name or not (first.name or first.words):
        return False
    following = chunks[at + 2] if at + 2 < len(chunks) else None
    return (
        following is None or following.kind != "VG" or following.verb is None or following.verb.form in ("participle", "gerund")
    )
