"""Phrases to clauses: who does what to whom, with whom, where and when.

One pass from left to right with a small state: the subject of the sentence, the subject of the clause at hand, and the
open clause that takes objects and prepositional phrases. Covers coordination, relative clauses, reduced relatives
("founded by", "based in"), appositions, and participles before the subject ("Founded in 2011, X ...").
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from . import lexicon as lx
from .phrases import Chunk, NounPhrase, VerbGroup
from .relations import ROLES

_PLACE_PREPOSITIONS = frozenset("in at near from to of outside on".split())


class Prepositional(NamedTuple):
    """ "in Y": the preposition, its noun phrases, and the common noun it follows ("a contract with Y")."""

    prep: str
    nouns: list[NounPhrase]
    after: NounPhrase | None


@dataclass(slots=True)
class Clause:
    """A verb and its arguments. `dates` are (preposition, start offset of the date)."""

    subjects: list[NounPhrase]
    verb: VerbGroup
    objects: list[NounPhrase] = field(default_factory=list)
    preps: list[Prepositional] = field(default_factory=list)
    dates: list[tuple[str, int]] = field(default_factory=list)
    start: int = 0
    end: int = 0
    reported: bool = False  # under "may", "if", "denied that"
    relative: bool = False
    gap: NounPhrase | None = None  # what "which" stands for: the containers in "containers, which X supplies"


@dataclass(slots=True)
class Parse:
    """The clauses and appositions (a name and what it is said to be) of one sentence."""

    clauses: list[Clause] = field(default_factory=list)
    appositions: list[tuple[NounPhrase, NounPhrase]] = field(default_factory=list)
    nouns: list[NounPhrase] = field(default_factory=list)


def parse(chunks: list[Chunk]) -> Parse:
    """Clauses of one sentence, in the order of their verbs."""
    return _Parser(chunks).run()


class _Parser:
    def __init__(self, chunks: list[Chunk]) -> None:
        self.chunks = chunks
        self.out = Parse()
        self.main: list[NounPhrase] = []  # subject of the sentence
        self.subject: list[NounPhrase] = []  # subject of the clause at hand
        self.open: Clause | None = None
        self.last: list[NounPhrase] = []  # the noun phrases read last
        self.waiting: list[Clause] = []  # participles before their subject
        self.lead: list[tuple[str, int]] = []  # dates before the verb
        self.prep = ""
        self.relative = False
        self.hedged = False
        self.listing = False  # after a colon
        self.gap: NounPhrase | None = None
        self.twins: list[tuple[Clause, Clause]] = []  # "processes and sells fish"

    def run(self) -> Parse:
        i = 0
        while i < len(self.chunks):
            chunk = self.chunks[i]
            if chunk.kind == "NP":
                i = self._noun(i)
            elif chunk.kind == "VG":
                i = self._verb(i)
            elif chunk.kind == "I":
                i = self._preposition(i)
            elif chunk.kind == "d":
                self._date("", chunk.start)
                i += 1
            else:
                i = self._other(i)
        if self.open and self.chunks:
            self.open.end = self.chunks[-1].end
        for clause in self.out.clauses:
            if clause.gap and not clause.objects:
                clause.objects = [clause.gap]
        for first, second in self.twins:
            if not first.objects and not first.preps:
                first.objects, first.preps, first.dates = second.objects, second.preps, first.dates or second.dates
                first.verb = replace(first.verb, passive=second.verb.passive) if first.verb.form != "finite" else first.verb
        return self.out

    # ---- helpers
    def _at(self, i: int) -> Chunk | None:
        return self.chunks[i] if 0 <= i < len(self.chunks) else None

    def _kind(self, i: int) -> str:
        chunk = self._at(i)
        return chunk.kind if chunk else ""

    def _skip(self, i: int) -> int:
        while self._kind(i) in ("R", "~"):
            i += 1
        return i

    def _finite(self, i: int) -> bool:
        """Whether a finite verb stands at `i`, so that the noun phrase before it is a subject."""
        chunk = self._at(self._skip(i))
        if not chunk or not chunk.verb:
            return False
        return chunk.verb.form == "finite" or (chunk.verb.form == "past" and not self._reduced(self._skip(i)))

    def _reduced(self, i: int) -> bool:
        """Whether an -ed form at `i` is a reduced passive ("a firm founded by X") and not a past tense."""
        following = self._at(self._skip(i + 1))
        if following is None or following.kind in ",.":
            return self.open is not None
        if following.kind == "I" and following.text == "by":
            return True
        if following.kind == "NP":
            return False
        before = self._kind(i - 1)
        return self.open is not None and before not in ("C", "Q") and not self.relative and self._kind(i - 1) in ("NP", ",", "d")

    # ---- noun phrases
    def _coordinated(self, i: int, subject: bool) -> tuple[list[NounPhrase], int]:
        """The list "A, B and C" that starts at `i`, and the index after it."""
        first = self.chunks[i].noun
        if first is None:
            return [], i + 1
        items, j = [first], i + 1
        while True:
            k = j
            comma = self._kind(k) == ","
            k += comma
            final = self._kind(k) == "C"
            k = self._skip(k + final)
            noun = self.chunks[k].noun if self._kind(k) == "NP" else None
            if not noun or not (comma or final) or not (self.listing or _alike(first, noun)):
                break
            if final:
                if not subject and self._finite(k + 1):
                    break
                if len(items) == 1 and not first.name and noun.name and noun.words:  # rapper and singer Nicki Minaj
                    return [replace(noun, words=(*first.words, "and", *noun.words), nationalities=first.nationalities)], k + 1
                if (
                    len(items) == 1
                    and first.det
                    and not noun.det
                    and noun.head in lx.CLASS_TYPES
                    and first.head not in lx.CLASS_TYPES
                ):
                    return [
                        replace(noun, det=first.det, words=(*first.words, "and", *noun.words))
                    ], k + 1  # a mining and transport group
                items.append(noun)
                return items, k + 1
            items.append(noun)
            j = k + 1
        return [first], i + 1

    def _noun(self, i: int) -> int:
        before = self._kind(i - 1)
        starts_clause = self.open is None or before in ("", ";", ":", "U", "b")
        nouns, j = self._coordinated(i, subject=starts_clause)
        self.out.nouns += nouns
        if self.prep:
            nouns, j = self._place_chain(nouns, j)
        if before == "," and self.last and len(nouns) == 1 and self._is_apposition(nouns[0], j):
            self.out.appositions.append((self.last[-1], nouns[0]))
            if not self.last[-1].name and nouns[0].name:
                self._rename(self.last[-1], nouns[0])
                self.last = nouns
            return j
        if self.relative and before == "Q" and self._finite(j) and self.open is None:
            self.gap = self.subject[0] if self.subject else None
        followed = self._finite(j) or (self._kind(j) == "Q") or (self._kind(j) == "," and self._finite(j + 1))
        if self.prep and self.open and not (self._finite(j) and self.prep in lx.SUBORDINATORS):
            after = self.last[-1] if self.last and self._kind(i - 2) == "NP" and not self.last[-1].name else None
            self.open.preps.append(Prepositional(self.prep, nouns, after))
        elif self.prep:
            pass
        elif self.open is None or self._finite(j):
            if self.open is None or followed:
                self._start_clause(nouns, before)
        elif self.listing and before == ":":
            self.open.objects += nouns
        elif self.open.preps and before in (",", "C"):
            pass
        else:
            self.open.objects += nouns
        self.prep, self.last = "", nouns
        return j

    def _rename(self, common: NounPhrase, name: NounPhrase) -> None:
        """In the open clause, put the name in the place of the noun it explains: "sold its unit, X, to Y"."""
        for nouns in (self.subject, *((self.open.objects, *(p.nouns for p in self.open.preps)) if self.open else ())):
            for n, noun in enumerate(nouns):
                if noun is common:
                    nouns[n] = name

    def _start_clause(self, nouns: list[NounPhrase], before: str) -> None:
        self.subject = nouns
        if not self.main or not self.relative:
            self.main = nouns
        self._close(nouns[0].start)
        for clause in self.waiting:
            clause.subjects = nouns
            self.out.clauses.append(clause)
        self.waiting = []

    def _is_apposition(self, noun: NounPhrase, after: int) -> bool:
        """Whether a noun phrase after a comma says what the one before it is: "X, the owner of Y," or "its owner, X"."""
        other = self.last[-1]
        if noun.pronoun or (
            self._kind(after) == "VG" and self._finite(after) and self.open is None and not noun.det and not noun.words
        ):
            return bool(other.head and not other.name and noun.name and not noun.pronoun)
        if noun.name and not noun.words and not noun.owner:
            return bool(not other.name and (other.head in lx.CLASS_TYPES or other.head in ROLES or other.owner))
        if other.name or other.pronoun:
            described = bool(noun.head) and (bool(noun.det) or bool(noun.owner) or bool(noun.of) or noun.head in lx.CLASS_TYPES)
            return (
                described and not (self._finite(after) and self._kind(after - 2) == ",") and noun.det not in ("no", "each", "all")
            )
        return False

    def _place_chain(self, nouns: list[NounPhrase], j: int) -> tuple[list[NounPhrase], int]:
        """ "in Montreal, Quebec": the second place holds the first."""
        last = nouns[-1]
        while self.prep in _PLACE_PREPOSITIONS and last.name and self._kind(j) == "," and self._kind(j + 1) == "NP":
            noun = self.chunks[j + 1].noun
            if (
                not noun
                or not noun.name
                or noun.words
                or noun.owner
                or self._finite(j + 2)
                or self._kind(j + 2) == "C"
                or noun.det
            ):
                break
            last.inside.append(noun)
            self.out.nouns.append(noun)
            j += 2
        return nouns, j

    # ---- verbs
    def _verb(self, i: int) -> int:
        verb = self.chunks[i].verb
        if verb is None:
            return i + 1
        before = self._kind(i - 1)
        subjects = self.subject
        if verb.form in ("participle", "gerund") or (verb.form == "past" and self._reduced(i)):
            verb = replace(verb, passive=verb.passive or verb.form != "gerund")
            if verb.form == "gerund" and before == "I":
                return i + 1
            if not self.main and not self.last:
                subjects = []
            elif before in ("NP", "d") and self.last:
                subjects = self.last[-1:]
            elif before == "," and self.last and self.open and self.open.verb.lemma != "be":
                subjects = self.subject or self.last[-1:]
        elif verb.form == "infinitive":
            return self._infinitive(i)
        elif (before == "," and self.relative) or (before == "C" and self.relative and self._kind(i - 2) == ","):
            subjects, self.relative = self.main, False
        clause = Clause(subjects, verb, start=self.chunks[i].start, reported=self.hedged or verb.hedged)
        clause.relative, clause.gap, self.gap = self.relative, self.gap, None
        if before == "C" and self._kind(i - 2) == "VG" and self.open:
            self.twins.append((self.open, clause))
        self._close(self.chunks[i].start)
        clause.dates += self.lead
        if subjects:
            self.out.clauses.append(clause)
        elif verb.form in ("participle", "gerund", "past"):
            self.waiting.append(clause)
        if verb.form == "finite" or not verb.passive:
            self.lead = []
        self.open, self.prep = clause, ""
        return i + 1

    def _infinitive(self, i: int) -> int:
        self._close(self.chunks[i].start)
        self.open, self.prep = None, ""
        return i + 1

    def _close(self, at: int) -> None:
        if self.open:
            self.open.end = at
        self.open = None

    # ---- the rest
    def _preposition(self, i: int) -> int:
        following = self._at(i + 1)
        prep = self.chunks[i].text
        if following and following.kind == "I":  # "from about", "up to"
            prep = following.text if following.text in ("as", "by") else prep
            following, i = self._at(i + 2), i + 1
        if following and following.kind == "R":
            following, i = self._at(i + 2), i + 1
        if following and following.kind == "d":
            self._date(prep, following.start)
            return i + 2
        if following and following.kind == "NP" and prep in lx.SUBORDINATORS and self._finite(i + 2):
            self._close(self.chunks[i].start)
            return i + 1
        self.prep = prep
        return i + 1

    def _date(self, prep: str, start: int) -> None:
        if self.open:
            self.open.dates.append((prep, start))
        else:
            self.lead.append((prep, start))

    def _other(self, i: int) -> int:
        chunk = self.chunks[i]
        if chunk.kind == "Q":
            if self.open and self._kind(i - 1) == "VG":  # said that
                self.hedged = self.hedged or bool(self.open.verb.negated)
                self._close(chunk.start)
                self.subject = []
            elif self.last:
                self._close(chunk.start)
                self.relative, self.subject = True, self.last[-1:]
        elif chunk.kind == "W" and self.last:
            following = self._at(i + 1)
            if following and following.noun:
                following.noun.owner = self.last[-1]
            self._close(chunk.start)
            self.relative = True
        elif chunk.kind == ":" and self.open and self._kind(i - 1) == "NP":
            self.listing = True
        elif chunk.kind in ("U", ";", ":", "b"):
            self.listing = False
            self._close(chunk.start)
            self.hedged = chunk.text in lx.HEDGES
            if chunk.kind != "b":
                self.relative = False
                self.subject = [] if chunk.kind == "U" and self._kind(i + 1) == "NP" else self.main
        if chunk.kind != ",":
            self.prep = ""
        return i + 1


def _alike(first: NounPhrase, second: NounPhrase) -> bool:
    """Whether two noun phrases can be items of one list."""
    if first.pronoun or second.pronoun:
        return False
    if bool(first.name) == bool(second.name):
        return True
    return not first.name and bool(second.name) and bool(second.words) and not first.of
