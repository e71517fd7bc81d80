"""Edits of facts that a memory knows: whether the new fact wins, in any words, two hops away, and nothing else moves.

The measures of KnowEdit (Zhang et al. 2024, arXiv 2401.01286) for a graph with a closed-book memory (`agents.experts.memory`).
A question is answered by the memory where it is sure and the ledger lets it, else from the graph by the path search.

    report = edit_report(memory, agent, edits=200)      # changes the graph: give it a copy
    report.rates["reliability"]
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..kg.errors import InputError
from ..kg.ledger import FactLedger
from ..kg.model import Entity, Node, Triple, normalize
from ..retrieval.phrases import SLOT, Phraser, say
from .agent import Agent
from .experts.memory import Memory
from .experts.train_memory import Chain, Shown, chained, facts_of
from .experts.veto import veto

Kind = Literal["erase", "modify", "insert"]
SHARES: dict[Kind, float] = {"erase": 0.25, "modify": 0.5, "insert": 0.25}  # of edits, in the order they are made
SURE = 0.0  # margin above which the memory is asked
UNRELATED = 100  # questions about what is not edited
_WORDINGS, _DRAWN, _TRIED, _CHAINS = 3, 16, 3, 24


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said, whether by the memory ("internal") or the path search ("path"), and all that was shown with it."""

    answers: tuple[str, ...]
    route: str
    shown: str

    def gives(self, wanted: str) -> bool:
        """Whether it gives this answer and no other."""
        return {normalize(answer) for answer in self.answers} == {normalize(wanted)}


@dataclass(frozen=True, slots=True)
class EditReport:
    """What became of edits.

    Attributes:
        edits: how many of each kind.
        rates: shares of questions with the right outcome, None where none was asked: reliability (the first wording), rephrasing
            (two others), portability (two hops over a changed middle), locality (questions out of scope: same answers, same
            route), erased (no erased value in answer, evidence or prompt), and old_answer_wins: modified facts of which the
            memory gives the old value when nobody looks at the ledger.
        asked: questions behind each rate.
    """

    edits: dict[str, int]
    rates: dict[str, float | None]
    asked: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Edit:
    """An edit of what a subject has as its one value, and the questions about it.

    `over` are two-hop questions, each with the new middle and the relation that leads on from it.
    """

    kind: Kind
    fact: Shown
    subject: Entity
    triple: Triple  # for an insertion, one that has the same relation
    value: Node  # what it becomes, or what is erased
    questions: tuple[str, ...]
    over: tuple[tuple[str, str, str], ...] = ()


class Asker:
    """Answers by the memory where it is sure and may, else by the path search.

    Args:
        memory: of the agent's graph.
        agent: one that reads no passages.
        vetoed: whether the ledger is looked at.
    """

    def __init__(self, memory: Memory, agent: Agent, *, vetoed: bool = True) -> None:
        self.memory, self.agent, self.vetoed = memory, agent, vetoed
        self.ledger = FactLedger(memory.kg)

    def ask(self, question: str) -> Reply:
        """A reply to a question in plain English."""
        retriever = self.agent.retriever
        links = retriever.link(question)
        recall = self.memory.answer(question, links)
        sure = recall.margin > SURE and recall.node
        if sure and not (self.vetoed and veto(self.memory, self.ledger, retriever, question, links, recall)):
            best = recall.opinion.best[0]
            return Reply((best,), "internal", best)
        answer = self.agent.ask(question)
        said = {key: value for key, value in answer.to_dict().items() if key not in {"question", "route"}}
        return Reply(answer.answers, "path", json.dumps(said, ensure_ascii=False))


def edit_report(memory: Memory, agent: Agent, *, edits: int = 200, seed: int = 0) -> EditReport:
    """Edit facts that the memory knows, and ask about them.

    Asked is in wordings that the path search reads rightly on facts as they were, so that what is measured is the edits.

    Args:
        memory: trained on its graph before any edit. The graph is changed for good: give a copy.
        agent: of the same graph, without reading of passages.
        edits: how many; fewer where the graph has not so many facts that fit. Only values that one fact alone has, in a source
            that says nothing else, are erased.
        seed: of the draws.

    Raises:
        InputError: the memory knows no fact of the graph that can be edited.
    """
    rng = random.Random(seed)
    plan = _Plan(memory, agent, rng)
    made = plan.edits(edits)
    if not made:
        raise InputError("the memory knows no fact of the graph that can be edited")
    asker, aside = Asker(memory, agent), plan.unrelated(made)
    before = [asker.ask(question) for question in aside]
    for edit in made:
        _make(memory, edit)
    said = _asked(asker, made)
    after = [asker.ask(question) for question in aside]
    said["locality"] = [(one.answers, one.route) == (two.answers, two.route) for one, two in zip(before, after, strict=True)]
    bare, modified = Asker(memory, agent, vetoed=False), [edit for edit in made if edit.kind == "modify"]
    said["old_answer_wins"] = [bare.ask(edit.questions[0]).gives(edit.triple.object.label) for edit in modified]
    rates = {name: sum(right) / len(right) if right else None for name, right in said.items()}
    counts = {str(kind): sum(edit.kind == kind for edit in made) for kind in SHARES}
    return EditReport(counts, rates, {name: len(right) for name, right in said.items()})


def _asked(asker: Asker, made: Sequence[_Edit]) -> dict[str, list[bool]]:
    """Outcomes of the questions about edits."""
    said: dict[str, list[bool]] = {name: [] for name in ("reliability", "rephrasing", "portability", "erased")}
    for edit in made:
        replies, value = [asker.ask(question) for question in edit.questions], edit.value.label
        if edit.kind == "erase":
            right = [not any(normalize(value) == normalize(answer) for answer in reply.answers) for reply in replies]
            texts = [reply.shown + _prompt(asker.agent, q) for q, reply in zip(edit.questions, replies, strict=True)]
            said["erased"] += [f" {normalize(value)} " not in f" {normalize(text)} " for text in texts]
        else:
            right = [reply.gives(value) for reply in replies]
        said["reliability"].append(right[0])
        said["rephrasing"] += right[1:]
        for question, middle, relation in edit.over:
            ends = {triple.object.label for triple in asker.memory.kg.store.triples(middle, relation)}
            if len(ends) == 1:
                said["portability"].append(asker.ask(question).gives(*ends))
    return said


def _make(memory: Memory, edit: _Edit) -> None:
    kg, triple = memory.kg, edit.triple
    if edit.kind == "modify":
        kg.edit(triple.id, object=edit.value)
    elif edit.kind == "insert":
        kg.add(edit.subject, triple.relation.label, edit.value)
    else:
        for source in {span.source_id for span in triple.spans}:
            kg.forget(source)


@dataclass(slots=True)
class _Listener:
    """A model that writes down what it is sent, and fails."""

    heard: list[str] = field(default_factory=list)

    def invoke(self, messages: Any) -> Any:
        self.heard += [str(text) for _, text in messages]
        raise InputError("nobody answers")


def _prompt(agent: Agent, question: str) -> str:
    """All that a chat model would be sent for a question."""
    listener = _Listener()
    Agent(agent.kg, model=listener, encoder=agent.encoder, reads=False).ask(question)
    return "\n".join(listener.heard)


class _Plan:
    """Facts with one value, ways to ask for them, and what is edited."""

    def __init__(self, memory: Memory, agent: Agent, rng: random.Random) -> None:
        self.memory, self.agent, self.rng, self.kg = memory, agent, rng, memory.kg
        relations = agent.retriever.relations
        self.facts = [fact for fact in facts_of(self.kg, relations) if len(fact.answers) == 1]
        rng.shuffle(self.facts)
        self.by_end = {(fact.subject, fact.chain): fact for fact in self.facts}
        self.wordings = self._wordings()

    def edits(self, count: int) -> list[_Edit]:
        """Edits of each kind, no subject and relation twice, no erased value as a new one."""
        made, used = list[_Edit](), set[tuple[int, Chain]]()
        for kind, share in SHARES.items():
            wanted = round(share * count)
            gone = {edit.value.id for edit in made if edit.kind == "erase"}
            found = self._lacking(gone) if kind == "insert" else self._known(kind, gone)
            for edit in found:
                if wanted and (edit.fact.subject, edit.fact.chain) not in used:
                    made.append(edit)
                    used.add((edit.fact.subject, edit.fact.chain))
                    wanted -= 1
                if not wanted:
                    break
        return made

    def unrelated(self, made: Sequence[_Edit]) -> list[str]:
        """Questions about facts that are in the scope of no edit, and that lead to no subject of one."""
        edited = {edit.fact.subject for edit in made}
        ends = {
            (row, edit.fact.chain[0][0])
            for edit in made
            for row in (edit.fact.subject, *edit.fact.answers, self.kg.store.row_of(edit.value.id))
        }
        free = [fact for fact in self.facts if fact.chain in self.wordings and fact.answers[0] not in edited]
        free = [fact for fact in free if (fact.subject, fact.chain[0][0]) not in ends]
        return [self._ask(fact, self.rng.choice(self.wordings[fact.chain])) for fact in free[:UNRELATED]]

    def _known(self, kind: Kind, gone: set[str]) -> Iterator[_Edit]:
        """Facts that the memory gives, as edits that change or erase them."""
        degrees = self.kg.adjacency().degree
        for fact in self.facts:
            if fact.chain not in self.wordings:
                continue
            questions = tuple(self._ask(fact, wording) for wording in self.wordings[fact.chain])
            recall = self.memory.answer(questions[0])
            (triple,) = self.kg.store.triples_at([fact.triples[0][0]])
            if recall.margin <= SURE or recall.node != triple.object.id:
                continue
            if kind == "modify" and (value := self._other(fact, gone)) is not None:
                yield _Edit(kind, fact, triple.subject, triple, value, questions, tuple(self._over(fact, value)))
            alone = kind == "erase" and degrees(_rows(fact.answers))[0] == 1
            if alone and all(len(list(self.kg.triples(source=span.source_id))) == 1 for span in triple.spans):
                yield _Edit(kind, fact, triple.subject, triple, triple.object, questions)

    def _lacking(self, gone: set[str]) -> Iterator[_Edit]:
        """Facts with subjects that have no fact of a relation which others of their kind have."""
        kinds = {(fact.chain, other): fact for fact in self.facts for other in self._chains_beside(fact)}
        for fact in self.facts:
            for chain in {chain for beside, chain in kinds if beside == fact.chain}:
                model = kinds[fact.chain, chain]
                like = self.by_end[model.subject, chain]
                value = self._other(like, gone)
                if chain in self.wordings and value is not None and not self._has(fact.subject, chain):
                    (triple,) = self.kg.store.triples_at([like.triples[0][0]])
                    new = Shown(fact.subject, chain, (), (), 1.0)
                    (subject,), said = self.kg.store.nodes([fact.subject]), [self._ask(new, w) for w in self.wordings[chain]]
                    if isinstance(subject, Entity):
                        yield _Edit("insert", new, subject, triple, value, tuple(said))

    def _chains_beside(self, fact: Shown) -> list[Chain]:
        return [chain for chain in self.wordings if len(chain) == 1 and (fact.subject, chain) in self.by_end]

    def _has(self, subject: int, chain: Chain) -> bool:
        """Whether a subject has any fact of a relation family."""
        family_of = self.agent.retriever.relations.family_of
        groups = self.kg.adjacency().groups(_rows([subject]))
        return any(int(family_of[relation]) == chain[0][0] for relation in groups.relation)

    def _other(self, fact: Shown, gone: set[str]) -> Node | None:
        """Another value that the relation has, and that has facts of its own where there are such."""
        rows = sorted({one.answers[0] for one in self.facts if one.chain == fact.chain} - {fact.subject, *fact.answers})
        free = [node for node in self.kg.store.nodes(rows) if node.id not in gone]
        return self.rng.choice(free) if free else None

    def _over(self, fact: Shown, middle: Node) -> Iterator[tuple[str, str, str]]:
        row = self.kg.store.row_of(middle.id)
        for chain, wordings in self.wordings.items():
            if len(chain) == 2 and chain[:1] == fact.chain and (onward := self.by_end.get((row, chain[1:]))) is not None:
                (triple,) = self.kg.store.triples_at([onward.triples[0][0]])
                yield self._ask(fact, wordings[0]), middle.id, triple.relation.id

    def _ask(self, fact: Shown, wording: str) -> str:
        return wording.replace(SLOT, self.kg.store.labels([fact.subject])[0])

    def _wordings(self) -> dict[Chain, list[str]]:
        """For each chain, wordings that the path search reads rightly on a few of its facts."""
        some: dict[Chain, list[Shown]] = {}
        for fact in [*self.facts, *chained(self.facts, np.random.default_rng(0))]:
            some.setdefault(fact.chain, []).append(fact)
        phraser, families = Phraser(self.rng), self.agent.retriever.relations.families
        found = {}
        for chain, facts in sorted(some.items(), key=lambda one: -len(one[1]))[:_CHAINS]:
            said = [say([(families[family], way) for family, way in chain], phraser) for _ in range(_DRAWN)]
            good: list[str] = []
            for text in dict.fromkeys(one[0] for one in said if one is not None):
                if all(self._reads(fact, text) for fact in facts[:_TRIED]):
                    good.append(text)
                if len(good) == _WORDINGS:
                    found[chain] = good
                    break
        return found

    def _reads(self, fact: Shown, wording: str) -> bool:
        said = {normalize(answer) for answer in self.agent.ask(self._ask(fact, wording)).answers}
        return said == {normalize(label) for label in self.kg.store.labels(fact.answers)}


def _rows(rows: Sequence[int]) -> np.ndarray:
    return np.array(rows, np.int64)


__all__ = ["SHARES", "SURE", "Asker", "EditReport", "Reply", "edit_report"]
