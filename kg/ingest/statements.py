"""Clauses to facts: relations get their label and direction, phrases their entities, dates their meaning.

Confidence by rule: 0.9 for dates in brackets and definitions, 0.85 for known relations between names, 0.7 for other verbs,
0.15 less where an end is a pronoun or "the company", and 0.55 at least, so that what is kept can be used as evidence.
"""

from __future__ import annotations

import re
from datetime import date

from ..model import Fact, Literal, Name
from . import lexicon as lx
from .clauses import Clause, Parse
from .coref import Discourse, Entry, class_type
from .dates import DateSpan
from .phrases import NounPhrase, VerbGroup
from .relations import DATE_RELATIONS, KINSHIP, PARENT_WORDS, ROLES, STATES, VERB_RELATIONS, WORK_ROLES, past, verb_relation

_FILLERS = frozenset("former late current new old first second only eldest younger elder youngest own largest main".split())
_COMPANY_ROLES = frozenset(
    """chief executive of|chief financial officer of|chief operating officer of|chair of|director of|general manager of|president of
    |head of|chief technology officer of|customer of|founded|owns|subsidiary of|vice president of|<audited by|<regulated by|<makes""".replace("\n    ", "").split("|")
)
_START, _END, _POINT = frozenset(("since", "from", "after", "as of")), frozenset(("until", "till", "to", "through")), frozenset(("in", "on", "", "at", "during"))
_MAX_WORDS = 8
FIGURES = frozenset("revenue turnover profit loss sales income fine price population".split())
Period = tuple[date | None, date | None]
PURCHASES = frozenset("buy purchase obtain get source order receive".split())
COPULAS = frozenset("be become remain serve work act appoint name elect continue".split())
PERSON_VERBS = frozenset("say thank apologise found chair leave join resign retire marry study graduate bear die appoint head succeed co-found".split())
TRANSFERS = frozenset((("sell", "to"), ("buy", "from"), ("acquire", "from"), ("purchase", "from"), ("transfer", "to")))


class Statements:
    """Turns the parses of one document into facts, sentence by sentence."""

    def __init__(self, text: str, discourse: Discourse, dates: dict[int, DateSpan], extractor: str) -> None:
        self.text, self.discourse, self.dates, self.extractor = text, discourse, dates, extractor
        self.facts: list[Fact] = []
        self.span = (0, 0)
        self.said: dict[int, Entry] = {}  # phrases that describe an entity: "a firm" in "X is a firm founded by Y"
        self.shared: Entry | None = None  # the firm whose shares the sentence deals out
        self.goods: Entry | None = None  # the last named object of a verb
        self.nouns: list[NounPhrase] = []
        self.topic: tuple[int, Entry] | None = None  # the named subject of the sentence and where it stands
        self.weak = False  # an end of the current fact was resolved by coreference

    def read(self, parse: Parse, start: int, end: int) -> None:
        """Add the facts of one sentence at `[start, end)`."""
        self.span, self.said, self.shared, self.topic = (start, end), {}, None, None
        for noun in parse.nouns:
            if noun.name:
                self._named(noun)
        self.nouns = parse.nouns
        first = next((noun for clause in parse.clauses if not clause.relative for noun in clause.subjects), None)
        if first and first.name:
            self.topic = (first.start, self._named_entry(first))
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

    # ---- facts
    def add(self, subject: Entry, label: str, other: Entry | Literal, confidence: float, when: Period = (None, None)) -> None:
        """One fact; the same entity on both ends is none."""
        if other is subject or not label:
            return
        target = other if isinstance(other, Literal) else other.name()
        if isinstance(other, Literal) and (not other.value or len(other.value.split()) > 12):
            return
        if self.weak:
            confidence = max(0.55, confidence - 0.15)
        self.facts.append(Fact(subject.name(), label, target, *self.span, self.extractor, round(confidence, 2), *when))

    def relate(self, subject: Entry, label: str, other: Entry | Literal, confidence: float, when: Period) -> None:
        """A fact whose label may start with "<": then the ends are swapped."""
        if not label.startswith("<"):
            self.add(subject, label, other, confidence, when)
        elif isinstance(other, Entry):
            self.add(other, label[1:], subject, confidence, when)

    # ---- noun phrases
    def entity(self, noun: NounPhrase) -> Entry | None:
        """The entity of a noun phrase: by name, pronoun, or "the company"."""
        self.weak = False
        if noun.name:
            return self._named_entry(noun)
        if id(noun) in self.said:
            return self.said[id(noun)]
        self.weak = True
        if noun.pronoun:
            prefer = self.topic[1] if self.topic and self.topic[0] < noun.start else None
            return self.discourse.pronoun(noun.pronoun, prefer)
        if noun.head and noun.det in ("the", "this", "that") and not noun.of and not noun.owner:
            return self.discourse.common(noun.head)
        return None

    def _named_entry(self, noun: NounPhrase) -> Entry:
        head = noun.words[-1] if noun.words and not noun.owner else ""
        kind = lx.CLASS_TYPES.get(head, "")
        if head in lx.CIVIL_TITLES:
            kind = "person"
        entry = self.discourse.add(noun.name, kind)
        if head in lx.CLASS_TYPES:
            entry.call(head)
        return entry

    def _named(self, noun: NounPhrase) -> None:
        """What a name's own phrase says: "French director X", "Y's mother X", "Montreal, Quebec"."""
        entry = self._named_entry(noun)
        if noun.owner or noun.words or noun.nationalities:
            self.weak = False
            self.describe(entry, noun, premodifier=True)
        place = entry
        for outer in noun.inside:
            entry.alias(f"{noun.name}, {outer.name}")
            self.weak = False
            holder = self.discourse.add(outer.name, "place")
            place.type = place.type or "place"
            self.add(place, "located in", holder, 0.8)
            place = holder

    def describe(self, entry: Entry, noun: NounPhrase, *, premodifier: bool = False, when: Period = (None, None)) -> None:
        """Facts that `noun` states about `entry`: class, nationality, roles with their "of" or owner."""
        weak = self.weak
        if not noun.name:
            self.said[id(noun)] = entry
        if noun.words[-1:] in (("one",), ("part",)) or (not noun.words and noun.of):
            noun = noun.of[0] if noun.det == "one" and noun.of else noun
        for text, _, _ in noun.nationalities:
            country = lx.DEMONYMS[text].replace("_", " ")
            label = "nationality" if entry.type == "person" or _class_type(noun) == "person" else "country"
            self.add(entry, label, Entry(text, "nationality", aliases=[country]), 0.9)
        targets = self._other_parent(entry, noun) or self._targets(noun)
        for segment in _segments(noun.words):
            self.weak = weak
            self._role(entry, segment, noun, targets, when, premodifier)
        if noun.year and (dated := self._date_in(noun)) and lx.CLASS_TYPES.get(noun.head) == "work":
            self.add(entry, "released in", Literal(dated.value, dated.datatype), 0.9)

    def _other_parent(self, entry: Entry, noun: NounPhrase) -> list[Entry]:
        """In "the son of A and his wife B" it is A's wife and the son's mother; returns A."""
        if not noun.owner or not noun.owner.pronoun or not {"wife", "husband", "consort"} & set(noun.words):
            return []
        before = self.text[self.span[0] : noun.owner.start]
        if not re.search(r"\b(?:son|daughter|child|children|sons|daughters) of\b[^.;]*(?:\bby|\band|,)\s*$", before):
            return []
        named = [other for other in self.nouns if other.name and other.end <= noun.owner.start]
        if not named:
            return []
        parent = self._named_entry(named[-1])
        entry.gender = "f" if "wife" in noun.words or "consort" in noun.words else "m"
        if self.topic or self.discourse.main:
            child = self.topic[1] if self.topic else self.discourse.main
            if child and child not in (entry, parent):
                self.add(child, "mother" if entry.gender == "f" else "father", entry, 0.75)
        return [parent]

    def _targets(self, noun: NounPhrase) -> list[Entry]:
        """Entities behind "of", or the owner."""
        nouns = list(noun.of)
        if noun.owner and noun.owner is not noun:
            nouns.append(noun.owner)
        for part in noun.of:
            if part.name and part.owner is None and part.of:
                nouns += part.of
        return [entry for part in nouns if (entry := self.entity(part))]

    def _role(self, entry: Entry, words: tuple[str, ...], noun: NounPhrase, targets: list[Entry], when: Period, premodifier: bool) -> None:
        former = bool({"former", "ex", "then"} & set(words))
        role, label = _role_of(words)
        noble = next((word for word in words if word in lx.NOBILITY), "")
        if class_type(words[-1]) or noble:
            entry.call(words[-1] if class_type(words[-1]) else noble)
        if class_type(words[-1]) or (not premodifier and noun.det in ("a", "an", "another") and words[-1] == noun.head):
            text = " ".join(word for word in words if word not in _FILLERS)
            text = text.replace("- ", "-")
            if text and len(text.split()) <= 6 and words[-1] not in lx.CIVIL_TITLES and (label not in KINSHIP or not targets):
                self.add(entry, "is a", Literal(text), 0.8 if not premodifier else 0.7)
        if not label or (not targets and premodifier and noun.names):
            targets = targets or [self.discourse.add(name) for name, _, _ in noun.names] if label else []
        if label and not targets and label in _COMPANY_ROLES and (noun.det in ("the", "its", "") or former):
            target = self.discourse.main if premodifier else self.discourse.organization()
            target = target if target and target.type == "organization" else None
            targets, self.weak = ([target] if target and target is not entry else []), True
        for n, target in enumerate(targets if label else []):
            self._role_fact(entry, role, label, target, n, len(noun.of), former, when)

    def _role_fact(self, entry: Entry, role: str, label: str, target: Entry, n: int, of: int, former: bool, when: Period) -> None:
        if label in WORK_ROLES and target.type == "work":
            label = WORK_ROLES[label]
        if label in ("child of", "<child of") and role in PARENT_WORDS:
            entry.type = entry.type or "person"
            entry.gender = entry.gender or {"son": "m", "daughter": "f"}.get(role, "")
            self._parent(entry, target, n, of)
            return
        if label in KINSHIP:
            entry.type, target.type = entry.type or "person", target.type or "person"
        if former and when[1] is None:
            self.relate(entry, f"{'<' if label[0] == '<' else ''}former {label.lstrip('<')}", target, 0.75, when)
        else:
            self.relate(entry, label, target, 0.85, when)

    def _parent(self, child: Entry, parent: Entry, n: int, of: int) -> None:
        """Father or mother: by the parent's name, else by the order of "the son of A and B"."""
        parent.type = parent.type or "person"
        gender = parent.gender or ("" if of < 2 else "mf"[n % 2])
        label = {"m": "father", "f": "mother"}.get(gender, "child of")
        self.add(child, label, parent, 0.85 if parent.gender else 0.65)

    def _date_in(self, noun: NounPhrase) -> DateSpan | None:
        return next((d for at, d in self.dates.items() if noun.start <= at < noun.end), None)

    # ---- clauses
    def _clause(self, clause: Clause) -> Entry | None:
        subjects = [(entry, self.weak) for noun in clause.subjects if (entry := self.entity(noun))]
        when = self._when(clause)
        verb = clause.verb
        if verb.negated or clause.reported or any(noun.det in ("no", "neither") for noun in clause.objects) or re.search(r"\bno longer\b", self.text[clause.start : clause.end][:60]):
            return subjects[0][0] if subjects else None
        if verb.lemma in COPULAS and not (
            verb.lemma in ("work", "act", "serve", "continue") and not any(part.prep == "as" for part in clause.preps)
        ):
            self._copula(clause, subjects, when)
        if verb.lemma != "be" or verb.passive:
            for subject, weak in subjects:
                if verb.lemma in PERSON_VERBS and not subject.type and len(subject.label.split()) in (2, 3):
                    subject.type = "person"
                self._verb(subject, weak, clause, when)
            if not subjects and any(noun.head in FIGURES for noun in clause.subjects):
                self._figure(clause)
            elif not subjects and verb.passive:
                self._unnamed_subject(clause, when)
        return subjects[0][0] if subjects else None

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

    def _copula(self, clause: Clause, subjects: list[tuple[Entry, bool]], when: Period) -> None:
        said = clause.objects + [noun for part in clause.preps if part.prep == "as" for noun in part.nouns]
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
                    self.add(subject, "is", self._named_entry(noun), 0.6, when)
                else:
                    self.describe(subject, noun if not noun.name else noun, when=when)
                self.weak = weak
                self._copula_preps(subject, noun, clause, when)
            if not said:
                for prep, nouns, after in clause.preps:
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
        _, label = _role_of(noun.words)
        for prep, nouns, after in clause.preps:
            for part in nouns:
                weak = self.weak
                target = self.entity(part)
                self.weak = self.weak or weak
                if not target or prep == "as":
                    continue
                if prep in ("in", "on", "near", "at") and subject.type in ("place", "organization", "") and _class_type(noun) != "person":
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
                    entry = self._named_entry(part)
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

    def _verb(self, subject: Entry, weak: bool, clause: Clause, when: Period) -> None:
        verb = clause.verb
        before = len(self.facts)
        thing = ""
        self.goods = None
        role = next((_role_of((noun.head.removesuffix("s"),))[1] for noun in clause.objects if noun.head), "")
        for noun in clause.objects:
            other = self.entity(noun)
            self.weak = self.weak or weak
            if other and verb.lemma == "have" and role:  # has three customers: A, B and C
                self.relate(other, role, subject, 0.75, when)
            elif other:
                self.goods = other
                if verb.lemma == "supply" and any(part.prep == "with" for part in clause.preps):
                    self.add(subject, "supplies to", other, 0.85, when)
                    continue
                label, swap = verb_relation(verb.lemma, "", "", verb.passive)
                if label in ("also known as", "renamed to"):
                    subject.alias(other.label)
                    label = "formerly known as" if when[1] and label == "also known as" else label
                label = "buys" if verb.lemma == "buy" and not verb.past else label
                self._directed(subject, label, swap, other, verb, when)
            elif noun.head and noun.head not in ("one", "same"):
                thing = noun.head
                self.weak = weak
                self._thing(subject, noun, verb, when)
            elif noun.amount and ("%" in noun.amount or "cent" in noun.amount) and verb.lemma in ("own", "hold", "have", "acquire", "buy"):
                self.weak = weak
                self._share(subject, noun, when)
            elif noun.amount and verb.lemma == "fine" and self.goods:
                self.add(self.goods, "fine", amount_literal(noun.amount), 0.8, when)
            elif noun.amount:
                self.weak = weak
                label, swap = verb_relation(verb.lemma, "", "", verb.passive)
                if not swap and not verb.passive:
                    self.add(subject, label, amount_literal(noun.amount), 0.6, when)
        held: NounPhrase | None = None
        for prep, nouns, after in clause.preps:
            for noun in nouns:
                other = self.entity(noun)
                if prep == "by" and held and other and _class_type(held) == "work":  # based on the novel of the same name by X
                    work = self.entity(held)
                    if work:
                        self.add(work, "written by", other, 0.8)
                    continue
                held = noun
                self.weak = self.weak or weak
                if prep == "as" and not other and _role_of(noun.words)[1] and verb.lemma not in COPULAS:
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
        self.weak = weak
        self._dated(subject, clause, verb, len(self.facts) > before)

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
        when = when if label in STATES or not verb.past else (when[0], None)
        self.add(first, label, second, confidence, when)

    def _thing(self, subject: Entry, noun: NounPhrase, verb: VerbGroup, when: Period) -> None:
        """An object without a name: kept as a string, and as a relation to what stands behind its "of" ("owns 40 percent of X")."""
        words = [word for word in self.text[noun.start : noun.end].split() if word.lower() not in lx.DETERMINERS and word.lower() not in lx.POSSESSIVE]
        label, swap = verb_relation(verb.lemma, "", "", verb.passive)
        for part in [*noun.of, *([noun.owner] if noun.owner else [])]:
            weak = self.weak
            target = self.entity(part)
            self.weak = self.weak or weak
            if target:
                full, turned = verb_relation(verb.lemma, "" if noun.head == "board" else noun.head, "of" if part in noun.of else "", verb.passive)
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
        elif verb.lemma in ("employ", "have") and noun.amount and noun.head in ("people", "employees", "staff", "workers", "persons"):
            self.add(subject, "employees", amount_literal(noun.amount), 0.8, when)
        elif words and len(words) <= _MAX_WORDS and not swap and not verb.passive:
            self.add(subject, label, Literal(" ".join(words)), 0.6, when)

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
        if label in ("also known as", "renamed to"):
            subject.alias(other.label)
            label = "formerly known as" if when[1] and label == "also known as" else label
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
                self.add(subject, f"{'was ' if verb.passive else ''}{past(verb.lemma)} {prep or 'on'}", Literal(day.value, day.datatype), 0.6)

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


def amount_literal(amount: str) -> Literal:
    """A figure as a literal: plain numbers typed, sums with units as strings.

    >>> amount_literal("1,231"), amount_literal("EUR 3 million").datatype
    (Literal(value='1231', datatype='integer', language=''), 'string')
    """
    plain = amount.replace(",", "")
    if plain.isdigit():
        return Literal(plain, "integer")
    if re.fullmatch(r"\d+\.\d+", plain):
        return Literal(plain, "decimal")
    return Literal(amount)


def _segments(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The parts of "founder and chief executive"."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in ("and", "&"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [tuple(part) for part in parts if part]


def _role_of(words: tuple[str, ...]) -> tuple[str, str]:
    """The longest role noun that ends the words, and its relation label."""
    words = tuple(word for word in words if word != "deputy") if "deputy" not in words else words
    for n in (4, 3, 2, 1):
        role = " ".join(words[-n:])
        if len(words) >= n and role in ROLES:
            return role, ROLES[role]
    return "", ""


def _class_type(noun: NounPhrase) -> str:
    return next((kind for word in reversed(noun.words) if (kind := class_type(word))), "")
