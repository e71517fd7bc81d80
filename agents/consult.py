"""A consultation: one profile, the advice for it, and questions about that advice; the profile never enters the graph.

>>> import tempfile
>>> from hoptrace import Agent, KnowledgeGraph
>>> rules = [("slow leak", "is read from", "weekly loss"), ("slow leak", "lies above", "2 bar"),
...          ("slow leak", "calls for", "a new seal"), ("a new seal", "is unsuitable with", "outdoor use")]
>>> with tempfile.TemporaryDirectory() as folder, KnowledgeGraph.open(folder) as kg:
...     for rule in rules:
...         _ = kg.add(*rule)
...     talk = Agent(kg).consult({"id": "tank-3", "measurements": {"weekly loss": "3.5 bar"}})
...     print(talk.advise().text)
...     print(talk.ask("And if it had outdoor use?").answers, talk.ask("Why that?").answers)
Recommended: a new seal, because of slow leak.
('nothing',) ('outdoor use',)
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ..kg.model import Entity
from . import counsel, followups
from .advice import Assessment
from .answer import Answer, Route, Usage
from .compose import Draft, abstain
from .guidance import Guidance
from .loop import finished, settle
from .profiles import Beside, Given, Page, Profile
from .steps import Composed, Gated, Retrieved, Verified
from .verify import verify

if TYPE_CHECKING:
    from .agent import Agent


class Consultation:
    """Advice for one profile and the questions that follow.

    Args:
        agent: answers what is not about the profile.
        profile: a `Profile`, a JSON file, or a mapping; see `agents.profiles`.
        as_of: rules and statements as of this day.

    Raises:
        ProfileError: the profile cannot be read, or has a value that cannot be.
        InputError: the graph holds no guidance.
    """

    def __init__(self, agent: Agent, profile: Profile | Given, *, as_of: date | None = None) -> None:
        self.agent, self.as_of = agent, as_of
        self.profile = profile if isinstance(profile, Profile) else Profile.load(profile)
        self._pages: tuple[Page, ...] = self.profile.pages
        self._shown = self._assess(self.profile)
        self._focus: Entity | None = None

    @property
    def library(self) -> Beside:
        """Where the citations of this consultation are read: the graph, and the texts of the profile beside it."""
        return Beside(self.agent.kg, self._pages)

    def advise(self) -> Answer:
        """What is called for. Its `answers` are the actions in order; `text` says what comes first and what was left out."""
        started = time.perf_counter()
        self._show(self._assess(self.profile))
        return self._answer(f"What is recommended for {self.profile.id}?", counsel.recommended(self._shown), started)

    def refers(self, question: str) -> bool:
        """Whether a question is about this advice; any other is answered from the graph alone."""
        return followups.refers(question, self.profile.id)

    def ask(self, question: str) -> Answer:
        """Answer a question about the advice, or any other."""
        return self.follow_up(question) if self.refers(question) else self.agent.ask(question, as_of=self.as_of)

    def follow_up(self, question: str) -> Answer:
        """Answer a question about the advice.

        What a question supposes ("and if I were 70?") holds for it, and for "why that?" right after it.

        Raises:
            ProfileError: it supposes a value that cannot be.
        """
        started = time.perf_counter()
        return self._answer(question, self._draft(question), started)

    def _draft(self, question: str) -> Draft:
        mine = self._assess(self.profile)
        asked = followups.read(question, mine.guidance)
        if asked.kind == "if":
            return self._suppose(question, asked, mine)
        if asked.kind == "missing":
            return counsel.missing(mine)
        if asked.kind == "first":
            self._show(mine)
            return counsel.first(mine)
        if asked.kind == "advice" and not asked.named:
            self._show(mine)
            return counsel.recommended(mine)
        if asked.kind == "why":
            actions = [node for node in asked.named if node in mine.guidance.actions]
            self._focus = actions[0] if actions else self._focus
            if self._focus and (actions or (asked.back and not asked.named)):
                return counsel.why(self._shown, self._focus)
        if asked.named:
            draft = counsel.about(mine, node := _most_telling(asked.named, mine), adopt=asked.adopt, have=asked.have)
            spoken = [found for label in draft.answers if (found := mine.guidance.find(label))]
            self._shown = mine
            self._focus = next((one for one in (node, *spoken) if one in mine.guidance.actions), self._focus)
            return draft
        if asked.back and asked.adopt and self._focus:
            return counsel.about(mine, self._focus, adopt=True)
        return abstain("the rules have nothing by a name in this question")

    def _suppose(self, question: str, asked: followups.FollowUp, mine: Assessment) -> Draft:
        if asked.unread:
            return abstain(f"no measure is named for {', '.join(asked.unread)}")
        if not asked.supposed:
            return abstain("the rules have nothing by a name in what is supposed")
        profile = self.profile.supposing(question, list(asked.supposed))
        self._pages += profile.pages[-1:]
        other = self._assess(profile)
        self._show(other)
        said = " and ".join(f"{'' if stands else 'no '}{name} {value}".strip() for name, value, _, _, stands in asked.supposed)
        return counsel.supposed(mine, other, said)

    def _assess(self, profile: Profile) -> Assessment:
        return Assessment(Guidance(self.agent.kg, self.as_of), profile, self.as_of)

    def _show(self, assessment: Assessment) -> None:
        """Remember what was shown, so that "why that?" speaks of its first action."""
        advice = assessment.recommend()
        first = next(iter((*advice.kept, *advice.barred)), None)
        self._shown, self._focus = assessment, first.action if first else None

    def _answer(self, question: str, draft: Draft, started: float) -> Answer:
        verdict = verify(self.library, draft)
        draft = settle(draft, replace(verdict, dropped=verdict.dropped + verdict.failed))  # a comparison needs both its ends
        held = len(self._shown.held)
        route = Route("path", "rule", {"states": float(held)}, f"the rules applied to {self.profile.id}: {held} states hold")
        steps = (
            Gated(route),
            Retrieved(draft.paths, (), ()),
            Composed(draft.composer, draft.text),
            Verified(len(verdict.citations), verdict.failed, verdict.dropped),
        )
        spent = {"total": (time.perf_counter() - started) * 1000}
        answer = finished(question, draft, verdict, route, Usage(), spent, steps)
        return replace(answer, generation=self.agent.kg.store.seq)


def _most_telling(named: tuple[Entity, ...], found: Assessment) -> Entity:
    """Of the things a question names, an action before a state before a measure before a topic."""
    rules = found.guidance
    order = [{node.id for node in nodes} for nodes in (rules.actions, rules.states, rules.measures)]
    return min(named, key=lambda node: next((i for i, ids in enumerate(order) if node.id in ids), len(order)))


__all__ = ["Consultation"]
