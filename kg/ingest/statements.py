"""Clauses to facts: relations get their label and direction, phrases their entities, dates their meaning."""

from __future__ import annotations

import re
from datetime import date

from ..model import Literal
from . import lexicon as lx
from .clauses import Clause, Parse
from .copulas import FIGURES, Copulas
from .coref import Entry
from .descriptions import Period, amount_literal, noun_type, role_of
from .phrases import NounPhrase, VerbGroup
from .relations import DATE_RELATIONS, STATES, VERB_RELATIONS, past, verb_relation

_START = frozenset(("since", "from", "after"))
_END = frozenset(("until", "till", "to", "through"))
_POINT = frozenset(("in", "on", "", "at", "during"))
_NO_LONGER = re.compile(r"\bno longer\b")
_STAFF = frozenset("people employees staff workers persons".split())
_ARTICLES = lx.DETERMINERS | lx.POSSESSIVE
_MAX_WORDS = 8
PURCHASES = frozenset("buy purchase obtain get source order receive".split())
COPULAS = frozenset("be become remain serve work act appoint name elect continue".split())
PERSON_VERBS = frozenset(
    "say thank apologise found co-found chair leave join resign retire marry study graduate bear die appoint head succeed".split()
)
TRANSFERS = frozenset((("sell", "to"), ("buy", "from"), ("acquire", "from"), ("purchase", "from"), ("transfer", "to")))


class Statements(Copulas):
    """Turns the parses of one document into facts, sentence by sentence."""

    def read(self, parse: Parse, start: int, end: int) -> None:
        """Add the facts of one sentence at `[start, end)`."""
        self.span, self.said, self.shared, self.topic = (start, end), {}, None, None
        for noun in parse.nouns:
            if noun.name:
                self._named(noun)
        self.nouns = parse.nouns
        first = next((noun for clause in parse.clauses if not clause.relative for noun in clause.subjects), None)
        if first and first.name:
            self.topic = (first.start, self.named_entry(first))
        for noun, other in parse.appositions:
            if noun.name or noun.pronoun or not other.name:
                entry = self.entity(noun)
                if entry:
                    self.describe(entry, other)
            else:
                entry = self.entity(other)
                if entry:
                    self.describe(entry, noun)
        subject = None
        for clause in parse.clauses:
            found = self._clause(clause)
            subject = subject or (None if clause.relative else found)
        if subject:
            self.discourse.subject = subject

    def _clause(self, clause: Clause) -> Entry | None:
        subjects = [(entry, self.weak) for noun in clause.subjects if (entry := self.entity(noun))]
        when = self._when(clause)
        verb = clause.verb
        denied = any(noun.det in ("no", "neither") for noun in clause.objects) or _NO_LONGER.search(
            self.text, clause.start, clause.end
        )
        if verb.negated or clause.reported or denied:
            return subjects[0][0] if subjects else None
        if verb.lemma in COPULAS and not (
            verb.lemma in ("work", "act", "serve", "continue") and not any(part.prep == "as" for part in clause.preps)
        ):
            self._copula(clause, subjects, when)
        if verb.lemma != "be" or verb.passive:
            for subject, weak in subjects:
                if (
                    verb.lemma in PERSON_VERBS
                    and verb.passive == (verb.lemma in ("bear", "appoint"))
                    and not subject.type
                    and len(subject.label.split()) in (2, 3)
                ):
                    subject.type = "person"
                self._verb(subject, weak, clause, when)
            if not subjects and any(noun.head in FIGURES for noun in clause.subjects):
                self._figure(clause)
            elif not subjects and verb.passive:
                self._unnamed_subject(clause, when)
        return subjects[0][0] if subjects else None

    def _unnamed_subject(self, clause: Clause, when: Period) -> None:
        """ "The fleet of X is insured by Y", "The containers are supplied by Y": said of X, or of whom the text is about."""
        for noun in clause.subjects:
            owners = self._targets(noun)
            owner = owners[0] if owners else self.discourse.organization()
            for prep, nouns, _ in clause.preps:
                for part in nouns:
                    other = self.entity(part)
                    if not owner or not other or other is owner or not noun.head:
                        continue
                    self.weak = True
                    if prep == "by" and clause.verb.lemma in ("supply", "deliver", "provide"):
                        self.add(other, "supplies to", owner, 0.75, when)
                        self.add(other, "supplies", Literal(noun.head), 0.7, when)
                    elif prep == "by" and clause.verb.lemma in ("insure", "audit", "own", "hold", "manage", "operate"):
                        label, swap = verb_relation(clause.verb.lemma, "", "by", True)
                        self._directed(owner, label, swap, other, clause.verb, when)
                    else:
                        self.add(owner, f"{noun.head} {past(clause.verb.lemma)} {prep}", other, 0.7, when)

    def _verb(self, subject: Entry, weak: bool, clause: Clause, when: Period) -> None:
        """What a full verb says: its objects, its prepositional phrases, and its date where it says nothing else."""
        before, self.current = len(self.facts), clause
        thing = self._objects(subject, weak, clause, when)
        self._phrases(subject, weak, clause, thing, when)
        self.weak = weak
        self._dated(subject, clause, clause.verb, len(self.facts) > before)

    def _objects(self, subject: Entry, weak: bool, clause: Clause, when: Period) -> str:
        """Facts from the objects; returns the last common noun among them ("contract" in "signed a contract with X")."""
        verb, thing, self.goods = clause.verb, "", None
        role = next((role_of((noun.head.removesuffix("s"),))[1] for noun in clause.objects if noun.head), "")
        for noun in clause.objects:
            other = self.entity(noun)
            self.weak = self.weak or weak
            if other and verb.lemma == "have" and role:  # has three customers: A, B and C
                self.relate(other, role, subject, 0.75, when)
            elif other:
                self._named_object(subject, other, clause, when)
            elif noun.head and noun.head not in ("one", "same"):
                thing = noun.head
                self.weak = weak
                self._thing(subject, noun, verb, when)
            elif noun.amount:
                self.weak = weak
                self._sum(subject, noun, verb, when)
        return thing

    def _named_object(self, subject: Entry, other: Entry, clause: Clause, when: Period) -> None:
        verb, self.goods = clause.verb, other
        if verb.lemma == "supply" and any(part.prep == "with" for part in clause.preps):
            self.add(subject, "supplies to", other, 0.85, when)
            return
        label, swap = verb_relation(verb.lemma, "", "", verb.passive)
        label = "buys" if verb.lemma == "buy" and not verb.past else self._renamed(subject, label, other, when)
        self._directed(subject, label, swap, other, verb, when)

    def _renamed(self, subject: Entry, label: str, other: Entry, when: Period) -> str:
        """The label, after noting another name of the subject; a name with an end is a former one."""
        if label not in ("also known as", "renamed to"):
            return label
        subject.alias(other.label)
        return "formerly known as" if when[1] and label == "also known as" else label

    def _sum(self, subject: Entry, noun: NounPhrase, verb: VerbGroup, when: Period) -> None:
        """An object that is a figure: a share, a fine, or just a number."""
        if ("%" in noun.amount or "cent" in noun.amount) and verb.lemma in ("own", "hold", "have", "acquire", "buy"):
            self._share(subject, noun, when)
        elif verb.lemma == "fine" and self.goods:
            self.add(self.goods, "fine", amount_literal(noun.amount), 0.8, when)
        elif not verb.passive:
            label, swap = verb_relation(verb.lemma, "", "", False)
            if not swap:
                self.add(subject, label, amount_literal(noun.amount), 0.6, when)

    def _phrases(self, subject: Entry, weak: bool, clause: Clause, thing: str, when: Period) -> None:
        """Facts from the prepositional phrases."""
        verb = clause.verb
        held: NounPhrase | None = None
        for prep, nouns, after in clause.preps:
            for noun in nouns:
                other = self.entity(noun)
                if prep == "by" and held and other and noun_type(held) == "work":  # based on the novel of the same name by X
                    if work := self.entity(held):
                        self.add(work, "written by", other, 0.8)
                    continue
                held = noun
                self.weak = self.weak or weak
                if prep == "as" and not other and role_of(noun.words)[1] and verb.lemma not in COPULAS:
                    self.weak = weak
                    self._office(subject, clause, noun, when)
                elif other and not (verb.lemma in COPULAS and prep == "as"):
                    thing = after.head if after else ("" if clause.objects and clause.objects[-1].name else thing)
                    if not self._transfer(subject, clause, prep, other, when):
                        self._prepositional(subject, prep, thing, other, verb, when)
                elif verb.lemma == "supply" and prep == "with" and noun.head:
                    self.weak = weak
                    self.add(subject, "supplies", Literal(noun.text), 0.7, when)
                elif noun.amount and prep in ("for", "at", "to", "of"):
                    self.weak = weak
                    self.add(subject, f"{past(verb.lemma)} {prep}", amount_literal(noun.amount), 0.6, when)

    def _office(self, subject: Entry, clause: Clause, noun: NounPhrase, when: Period) -> None:
        """ "took over as R", "stepped down as R", "replaced Y as R": who holds the role from or until when."""
        lemma = clause.verb.lemma
        if lemma in ("step down", "stand down", "resign", "retire", "leave"):
            last = next((self.dates[at].last_exclusive for prep, at in clause.dates if prep in _POINT), when[1])
            self.describe(subject, noun, when=(None, last))
            return
        self.describe(subject, noun, when=when)
        before = [entry for part in clause.objects if part.name and (entry := self.entity(part))]
        if lemma in ("replace", "succeed", "follow") and before and when[0]:
            self.said.pop(id(noun), None)
            self.describe(before[0], noun, when=(None, when[0]))

    def _share(self, subject: Entry, noun: NounPhrase, when: Period) -> None:
        """ "owns 60 percent of X", "holds 40 percent (of the shares)": the last firm spoken of, where none is named."""
        weak = self.weak
        targets = self._targets(noun)
        for part in noun.of:
            targets += self._targets(part)
        target = targets[0] if targets else self.shared or self.discourse.organization()
        self.weak = weak or not targets
        if target and target is not subject:
            self.shared = target
            self.add(subject, "owns", target, 0.85, when)
            self.add(subject, "ownership share", Literal(f"{noun.amount} of {target.label}"), 0.75, when)

    def _directed(self, subject: Entry, label: str, swap: bool, other: Entry, verb: VerbGroup, when: Period) -> None:
        confidence = 0.85 if verb.lemma in VERB_RELATIONS else 0.7
        first, second = (other, subject) if swap else (subject, other)
        if label in STATES and verb.text.startswith("had ") and when[1] is None:
            label = f"formerly {label}"  # had owned the yard since 2006: the end is not told
        when = when if label in STATES or not verb.past else (when[0], None)
        self.add(first, label, second, confidence, when)
        if label == "supplies" and second.type != "organization":
            self._customer(first, when)

    def _customer(self, supplier: Entry, when: Period) -> None:
        """Goods are supplied to whom the text is about, when nobody else is named."""
        main = self.discourse.main
        told = self.current and any(part.prep in ("to", "with") for part in self.current.preps)
        if main and self.discourse.titled and main.type == "organization" and main is not supplier and not told:
            weak, self.weak = self.weak, True
            self.add(supplier, "supplies to", main, 0.75, when)
            self.weak = weak

    def _thing(self, subject: Entry, noun: NounPhrase, verb: VerbGroup, when: Period) -> None:
        """An object without a name: kept as a string, and as a relation to what stands behind its "of" ("holds shares of X")."""
        words = [word for word in self.text[noun.start : noun.end].split() if word.lower() not in _ARTICLES]
        label, swap = verb_relation(verb.lemma, "", "", verb.passive)
        for part in [*noun.of, *([noun.owner] if noun.owner else [])]:
            weak = self.weak
            target = self.entity(part)
            self.weak = self.weak or weak
            if target:
                head, prep = "" if noun.head == "board" else noun.head, "of" if part in noun.of else ""
                full, turned = verb_relation(verb.lemma, head, prep, verb.passive)
                self._directed(subject, full, turned, target, verb, when)
                if full == "owns" and noun.amount:
                    self.add(subject, "ownership share", Literal(f"{noun.amount} of {target.label}"), 0.7, when)
            self.weak = weak
        for name, _, _ in noun.names if len(noun.names) == len(noun.words) == 1 else ():  # Frostline 40 containers
            self._directed(subject, label, swap, self.discourse.add(name), verb, when)
        if noun.head in FIGURES and (sums := [part.amount for part in noun.of if part.amount]):
            owner = self.goods or subject if noun.head == "fine" else subject
            if noun.head != "fine" or verb.lemma in ("pay", "receive", "get", "face"):
                self.add(owner, noun.head, amount_literal(sums[0]), 0.8, self._year(noun, when))
        elif verb.lemma in ("employ", "have") and noun.amount and noun.head in _STAFF:
            self.add(subject, "employees", amount_literal(noun.amount), 0.8, when)
        elif words and len(words) <= _MAX_WORDS and not swap and not verb.passive:
            self.add(subject, label, Literal(" ".join(words)), 0.6, when)
            if label == "supplies":
                self._customer(subject, when)

    def _transfer(self, subject: Entry, clause: Clause, prep: str, other: Entry, when: Period) -> bool:
        """ "X sold Y to Z" and "Z bought Y from X" say the same: Z acquired Y, X sold it."""
        goods = [entry for noun in clause.objects if noun.name and (entry := self.entity(noun))]
        lemma, passive = clause.verb.lemma, clause.verb.passive
        if passive and not goods and lemma == "sell" and prep in ("to", "by"):
            self.add(*((other, "acquired", subject) if prep == "to" else (other, "sold", subject)), 0.85, when)
            return True
        if passive or not goods or (lemma, prep) not in TRANSFERS:
            return False
        buyer, seller = (other, subject) if prep == "to" else (subject, other)
        for item in goods:
            if prep == "to":
                self.add(buyer, "acquired", item, 0.8, when)
            else:
                self.add(seller, "sold", item, 0.8, when)
            self.add(item, "sold to" if prep == "to" else "bought from", other, 0.8, when)
        return True

    def _prepositional(self, subject: Entry, prep: str, thing: str, other: Entry, verb: VerbGroup, when: Period) -> None:
        label, swap = verb_relation(verb.lemma, thing, prep, verb.passive)
        if prep == "in" and verb.lemma in ("bear", "die", "base", "headquarter", "locate"):
            other.type = other.type or "place"
        if verb.lemma in ("bear", "die", "marry"):
            subject.type = subject.type or "person"
        if label == "child of":
            self._parent(subject, other, 0, 1)
            return
        if prep == "from" and thing and verb.lemma in PURCHASES:
            self.add(other, "supplies to", subject, 0.75, when)
            self.add(other, "supplies", Literal(thing), 0.6, when)
            return
        label = self._renamed(subject, label, other, when)
        if prep == "of" and not thing:
            return
        self._directed(subject, label, swap, other, verb, when)

    def _dated(self, subject: Entry, clause: Clause, verb: VerbGroup, stated: bool) -> None:
        """The date of an event as a fact of its own."""
        label = DATE_RELATIONS.get(verb.lemma, "")
        for prep, at in clause.dates:
            day = self.dates[at]
            if prep not in _POINT or verb.lemma in COPULAS - {"appoint", "elect"}:
                continue
            if label and (verb.passive or verb.lemma in ("die", "open", "close", "launch", "premiere", "bear", "marry")):
                self.add(subject, label, Literal(day.value, day.datatype), 0.85)
            elif not stated and verb.form in ("finite", "past") and verb.past:
                words = ("was " if verb.passive else "") + f"{past(verb.lemma)} {prep or 'on'}"
                self.add(subject, words, Literal(day.value, day.datatype), 0.6)

    def _when(self, clause: Clause) -> Period:
        """Validity of what a clause says: [from, to), open where the text gives no end."""
        first: date | None = None
        last: date | None = None
        for prep, at in clause.dates:
            day = self.dates[at]
            if prep in _END:
                last = day.last_exclusive
            elif prep in _START:
                first = day.first
            elif prep == "between" or prep in _POINT:
                first = first or day.first
                if clause.verb.lemma == "be" and clause.verb.past and prep in ("in", "during") and not last:
                    last = day.last_exclusive
            elif prep == "and" or prep == "before":
                last = day.first
        return (first, last) if not (first and last and last <= first) else (first, None)
