"""Ask a file of questions with known answers and say how it went.

Right means: every required answer is given and nothing else (after SQuAD normalisation, Rajpurkar et al. 2016; dates and
numbers by value), or an abstention where the question cannot be answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..kg.errors import MissingPathError, ParseError
from ..kg.ingest.dates import find_dates
from ..kg.model import normalize
from ..kg.show import Picture, Shown, of_table
from .answer import Answer
from .values import parse_number

if TYPE_CHECKING:
    from .agent import Agent


_DATING = frozenset("in on since until from by the of about around".split())


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what a right answer holds. `gold` empty: it cannot be answered. `all_of`: every gold is required.

    With a `profile` (a file) it is part of a consultation, in which the questions `after` which it comes were asked before.
    """

    id: str
    text: str
    gold: tuple[str, ...]
    kind: str = ""
    hops: int = 0
    as_of: str | None = None
    profile: Path | None = None
    after: tuple[str, ...] = ()

    @property
    def all_of(self) -> bool:
        return self.kind == "list"


@dataclass(frozen=True, slots=True)
class Row:
    """How one question went."""

    question: Question
    answer: Answer
    right: bool

    def to_dict(self) -> dict[str, Any]:
        answer = self.answer
        return {
            "id": self.question.id,
            "question": self.question.text,
            "kind": self.question.kind,
            "gold": list(self.question.gold),
            "answers": list(answer.answers),
            "right": self.right,
            "status": answer.status,
            "confidence": round(answer.confidence, 4),
            "citations": len(answer.citations),
            "verified": sum(c.verified for c in answer.citations),
            "ms": round(answer.timings_ms.get("total", 0.0), 1),
        }


@dataclass(frozen=True, slots=True)
class EvaluationReport(Shown):
    """All rows and the counts that matter."""

    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        open_rows = [r for r in self.rows if r.question.gold]
        closed = [r for r in self.rows if not r.question.gold]
        wrong = [r for r in self.rows if not r.right and r.answer.status != "abstained"]
        citations = [c for r in self.rows for c in r.answer.citations]
        return {
            "n": len(self.rows),
            "right": sum(r.right for r in self.rows),
            "answerable": len(open_rows),
            "answerable_right": sum(r.right for r in open_rows),
            "unanswerable": len(closed),
            "abstained_right": sum(r.right for r in closed),
            "wrong": len(wrong),
            "wrong_confident": sum(r.answer.confidence > 0.5 for r in wrong),
            "citations": len(citations),
            "citations_verified": sum(c.verified for c in citations),
            "rows": [row.to_dict() for row in self.rows],
        }

    def _shown(self) -> Picture:
        rows = [("right" if r.right else "wrong", r.question.text, "; ".join(r.answer.answers)) for r in self.rows]
        return of_table(("", "question", "answers"), rows, str(self), self.to_dict())

    def __str__(self) -> str:
        d = self.to_dict()
        return (
            f"{d['right']} of {d['n']} right ({d['answerable_right']} of {d['answerable']} answerable, "
            f"{d['abstained_right']} of {d['unanswerable']} unanswerable abstained), {d['wrong']} answered wrongly "
            f"({d['wrong_confident']} with confidence above 0.5), "
            f"{d['citations_verified']} of {d['citations']} citations verified"
        )


def load_questions(path: Path | str) -> list[Question]:
    """Read `questions.jsonl`: {id, question, answer | answers, type?, hops?, as_of?, profile?, after?}.

    A profile is a file named from the folder of the questions.

    Raises:
        MissingPathError: no such file.
        ParseError: a line is no JSON object with a question.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingPathError(f"no questions file {path}")
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if row.get("verdict") == "bad" and row.get("answers") is None:
                continue  # of `agents.feedback`: known to be wrong, and what is right is not
            gold = row.get("answers") if row.get("answers") is not None else [row["answer"]]
            gold = [str(g) for g in gold if g is not None]
            kind, hops, as_of = row.get("type", ""), row.get("hops", 0), row.get("as_of")
            about = path.parent / row["profile"] if row.get("profile") else None
            asked = (str(row.get("id", number)), row["question"], tuple(gold), kind, hops, as_of)
            questions.append(Question(*asked, about, tuple(row.get("after", ()))))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ParseError(f"no question object ({error})", uri=str(path), line=number) from None
    return questions


def evaluate(
    agent: Agent, questions: Iterable[Question] | Path | str, progress: Callable[[int, int], None] | None = None
) -> EvaluationReport:
    """Ask every question. `progress(done, total)` is called after each."""
    asked = load_questions(questions) if isinstance(questions, str | Path) else list(questions)
    rows = []
    for done, question in enumerate(asked, 1):
        answer = _ask(agent, question)
        rows.append(Row(question, answer, is_right(question, answer)))
        if progress is not None:
            progress(done, len(asked))
    return EvaluationReport(tuple(rows))


def _ask(agent: Agent, question: Question) -> Answer:
    if question.profile is None:
        return agent.ask(question.text, as_of=question.as_of)
    talk = agent.consult(question.profile, as_of=question.as_of)
    return [talk.ask(text) for text in (*question.after, question.text)][-1]


def is_right(question: Question, answer: Answer) -> bool:
    """Whether an answer is right; abstaining is right exactly when there is no gold answer."""
    if not question.gold or answer.status == "abstained":
        return not question.gold and answer.status == "abstained"
    if question.all_of:
        found = [any(same(gold, given) for given in answer.answers) for gold in question.gold]
        return all(found) and all(any(same(gold, given) for gold in question.gold) for given in answer.answers)
    return bool(answer.answers) and all(any(same(gold, given) for gold in question.gold) for given in answer.answers)


def same(gold: str, given: str) -> bool:
    """Two answers that say the same: equal when normalised, one day, or one number and unit."""
    if _plain(gold) == _plain(given):
        return True
    days = [_days(text) for text in (gold, given)]
    if all(days):
        return days[0] == days[1]
    first, second = parse_number(gold), parse_number(given)
    if first is None or second is None or not (_is_number(gold) and _is_number(given)):
        return False
    return first.number == second.number and (first.unit == second.unit or not first.unit or not second.unit)


def _days(text: str) -> tuple[date, date] | None:
    """The days a text covers when it is a date and nothing more ("in May 2019"; not "Harbour report 2019")."""
    dates = find_dates(text)
    around = normalize(text[: dates[0].start] + " " + text[dates[0].end :]) if dates else ""
    return (dates[0].first, dates[0].last_exclusive) if dates and set(around.split()) <= _DATING else None


def _plain(text: str) -> str:
    words: Sequence[str] = normalize(text).split()
    return " ".join(w for w in words if w not in {"the", "a", "an"})


def _is_number(text: str) -> bool:
    return sum(c.isalpha() for c in text) <= 12
