"""Clauses with "be" and its kin: definitions, offices, seats, and figures such as revenue."""

from __future__ import annotations

from .clauses import Clause
from .coref import Entry
from .descriptions import Descriptions, Period, amount_literal, noun_type, role_of
from .phrases import NounPhrase

FIGURES = frozenset("revenue turnover profit loss sales income fine price population".split())


class Copulas(Descriptions):
    """Descriptions that a copula makes of its subject."""

    def _copula(self, clause: Clause, subjects: list[tuple[Entry, bool]], when: Period) -> None:
        said = clause.objects + [noun for part in clause.preps if part.prep == "as" for noun in part.nouns]
        self.former = bool({"previously", "formerly"} & set(clause.verb.text.lower().split()))
        self._be(clause, subjects, said, when)
        self.former = False

    def _be(self, clause: Clause, subjects: list[tuple[Entry, bool]], said: list[NounPhrase], when: Period) -> None:
        if not subjects:
            self._reversed(clause, said, when)
            return
        for subject, weak in subjects:
            for noun in said:
                self.weak = weak
                if noun.amount and not noun.name and clause.verb.lemma == "be":
                    continue
                self._with_place(noun, clause)
                self.weak = weak
                if noun.name and not noun.words and not noun.owner:
                    self.add(subject, "is", self.named_entry(noun), 0.6, when)
                else:
                    self.describe(subject, noun, when=when)
                self.weak = weak
                self._copula_preps(subject, noun, clause, when)
            if not said:
                for prep, nouns, _ in clause.preps:
                    for noun in nouns:
                        target = self.entity(noun)
                        if target and clause.verb.lemma == "be":
                            self.weak = weak
                            label = "located in" if prep in ("in", "at") and subject.type != "person" else f"is {prep}"
                            self.add(subject, label, target, 0.7, when)

    def _with_place(self, noun: NounPhrase, clause: Clause) -> None:
        """ "director of research": a class noun in "of" belongs to the description, not to an entity."""
        if noun.head in ("one", "some", "most") and noun.of:
            noun.words = noun.of[0].words

    def _copula_preps(self, subject: Entry, noun: NounPhrase, clause: Clause, when: Period) -> None:
        """ "a village in X", "a professor at Y", "a film from Z"."""
        _, label = role_of(noun.words)
        for prep, nouns, _ in clause.preps:
            for part in nouns:
                weak = self.weak
                target = self.entity(part)
                self.weak = self.weak or weak
                if not target or prep == "as":
                    continue
                if (
                    prep in ("in", "on", "near", "at")
                    and subject.type in ("place", "organization", "")
                    and noun_type(noun) != "person"
                ):
                    self.add(subject, "located in", target, 0.8)
                elif label and prep in ("at", "for", "to", "with"):
                    self.relate(subject, label, target, 0.8, when)
                elif noun.head:
                    self.add(subject, f"{noun.head} {prep}", target, 0.7, when)
                self.weak = weak

    def _reversed(self, clause: Clause, said: list[NounPhrase], when: Period) -> None:
        """ "The chief executive is X", "Its head office is in Y", "Revenue was EUR 3 million"."""
        for noun in clause.subjects:
            if noun.pronoun or not noun.words:
                continue
            for part in said:
                if part.name:
                    entry = self.named_entry(part)
                    self.weak = False
                    self.describe(entry, noun, when=when)
                elif part.amount:
                    self._amount(noun, part.amount, when)
            if not said:
                for prep, parts, _ in clause.preps:
                    for part in parts:
                        self._seat(noun, prep, part, when)

    def _seat(self, noun: NounPhrase, prep: str, part: NounPhrase, when: Period) -> None:
        owners = self._targets(noun)
        weak = self.weak or not owners
        owner = owners[0] if owners else self.discourse.organization()
        place = self.entity(part)
        if owner and place and prep in ("in", "at"):
            self.weak = weak
            headquarters = {"headquarters", "office", "seat", "home"} & set(noun.words)
            self.add(owner, "headquartered in" if headquarters else f"{noun.head} in", place, 0.85, when)

    def _amount(self, noun: NounPhrase, amount: str, when: Period) -> None:
        """A figure of an entity: revenue, price, population."""
        owners = self._targets(noun)
        weak = self.weak or not owners
        owner = owners[0] if owners else self.discourse.main
        if owner and noun.words:
            self.weak = weak
            self.add(owner, " ".join(noun.words[-2:]), amount_literal(amount), 0.8, when)

    def _figure(self, clause: Clause) -> None:
        """ "Revenue rose from EUR 3 million in 2022 to EUR 4 million in 2023": each sum with the date after it."""
        for noun in clause.subjects:
            owners = self._targets(noun)
            owner = owners[0] if owners else self.discourse.organization()
            for prep, parts, _ in clause.preps:
                for part in parts:
                    if owner and part.amount and not part.words and prep in ("from", "to", "at"):
                        self.weak = not owners
                        days = [self.dates[at] for _, at in clause.dates if at > part.start]
                        when = (days[0].first, days[0].last_exclusive) if days else (None, None)
                        self.add(owner, noun.head, amount_literal(part.amount), 0.8, when)

    def _year(self, noun: NounPhrase, when: Period) -> Period:
        """The period a figure is for: the first date after it in the sentence."""
        later = [day for at, day in sorted(self.dates.items()) if noun.end <= at < self.span[1]]
        return (later[0].first, later[0].last_exclusive) if later else when
