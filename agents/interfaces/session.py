"""One sitting with one graph: the open graph, its agent, and the numbered answers that `why` and `sources` look back at."""

from __future__ import annotations

import copy
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kg.errors import HoptraceError, InputError, UnknownAnswerError
from . import plain

if TYPE_CHECKING:
    from ...kg.graph import KnowledgeGraph
    from ...retrieval.base import Budget
    from ..agent import Agent
    from ..answer import Answer
    from ..consult import Consultation
    from ..profiles import Library

KEPT = 100  # answers that `why` and `sources` can look back at


class Session:
    """The state that commands share, from any number of threads. Nothing is opened before a command needs it.

    Attributes:
        folder: the graph's folder.
        watch: called with each step of a question as it happens.
        progress: called with each progress event of an ingestion.
        seconds: most that a question may take, whatever it asks for; None for no limit beyond the agent's own.
        consultation: the profile that is advised and the questions about it; the profile is not written anywhere, though
            the answers that are kept quote it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        watch: Callable[[Any], None] | None = None,
        progress: Callable[[Any], None] | None = None,
        seconds: float | None = None,
    ) -> None:
        self.folder, self.watch, self.progress, self.seconds = folder, watch or _ignore, progress or _ignore, seconds
        self.answers = AnswerLog(folder / "answers.jsonl")
        self.consultation: Consultation | None = None
        self._kg: KnowledgeGraph | None = None
        self._agent: Agent | None = None
        self._guard = threading.RLock()

    def watched(self, watch: Callable[[Any], None]) -> Session:
        """This sitting as one of several that ask at once sees it: one graph and one log, steps and progress to `watch`."""
        self.agent  # noqa: B018  (opened here, so that both have the same)
        other = copy.copy(self)
        other.watch = other.progress = watch
        return other

    @property
    def kg(self) -> KnowledgeGraph:
        """The graph, which must exist.

        Raises:
            MissingPathError: there is no graph in `folder`.
        """
        return self.open(create=False)

    def open(self, *, create: bool) -> KnowledgeGraph:
        """The graph, made when it is missing and `create` says so; opened once."""
        with self._guard:
            if self._kg is None:
                from ...kg.graph import KnowledgeGraph

                self._kg = KnowledgeGraph.open(self.folder, create=create)
            return self._kg

    @property
    def agent(self) -> Agent:
        with self._guard:
            if self._agent is None:
                from ...retrieval.base import Budget
                from ..agent import Agent

                self._agent = Agent(self.kg, budget=None if self.seconds is None else Budget(seconds=self.seconds))
            return self._agent

    def warm_up(self) -> None:
        """Encode what is new, so that no question has to wait for it."""
        from ...kg.ingest.report import ProgressEvent

        started = time.perf_counter()

        def tell(done: int, total: int) -> None:
            elapsed = time.perf_counter() - started
            eta = elapsed * (total - done) / done if done else None
            self.progress(ProgressEvent(done, total, "vectors", done, 0, elapsed, eta))

        self.agent.retriever.warm_up(tell)

    def ask(self, question: str, *, as_of: date | None = None, budget: Budget | None = None) -> dict[str, Any]:
        """Ask the agent, showing each step to `watch`; returns the record that the answer log keeps.

        A question about the advice at hand is answered by the consultation, any other from the graph alone.
        """
        from ..steps import Answered

        if self.seconds is not None and budget is not None and (budget.seconds is None or budget.seconds > self.seconds):
            budget = replace(budget, seconds=self.seconds)
        if self.consultation and as_of is None and self.consultation.refers(question):
            return self._advised(self.consultation.follow_up(question))
        answer: Answer | None = None
        for step in self.agent.stream(question, as_of=as_of, budget=budget):
            self.watch(step)
            if isinstance(step, Answered):
                answer = step.answer
        if answer is None:
            raise HoptraceError("the agent ended without an answer")
        return self.answers.add(answer)

    def advise(self, profile: Path | None, question: str = "", *, as_of: date | None = None) -> dict[str, Any]:
        """Open a consultation, or go on with the one at hand; returns the record of the advice or of the answer about it.

        Raises:
            InputError: no profile was given, now or before.
        """
        if profile is not None:
            self.consultation = self.agent.consult(profile, as_of=as_of)
        if self.consultation is None:
            raise InputError("no profile yet: name its file with --profile")
        return self._advised(self.consultation.follow_up(question) if question else self.consultation.advise())

    def _advised(self, answer: Answer) -> dict[str, Any]:
        for step in answer.trace:
            self.watch(step)
        return self.answers.add(answer)

    @property
    def library(self) -> Library:
        """Where citations are read: the graph, and the profile beside it while there is one."""
        return self.consultation.library if self.consultation else self.kg

    def close(self) -> None:
        if self._kg is not None:
            self._kg.close()
            self._kg = self._agent = self.consultation = None


class AnswerLog:
    """The last answers of a graph, one JSON object per line: the `--json` object, its number, its time and its trace.

    The file is private (mode 0600) and lives in the graph's folder, so that it goes where the graph goes. Where the folder
    cannot be written, answers are numbered and kept for the session only. Threads share a log; answers are appended, and the
    file is cut when it holds twice what is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unsaved: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._read: tuple[Stamp, list[dict[str, Any]]] = (0, 0, 0), []  # what the file held when it was last looked at

    def add(self, answer: Answer) -> dict[str, Any]:
        """Number an answer and keep it; returns the record."""
        trace = [plain.step(step, answer.question) for step in answer.trace]
        at, said = datetime.now(UTC).isoformat(timespec="seconds"), answer.to_dict()
        with self._lock:
            records = self._all()
            number = records[-1]["number"] + 1 if records else 1
            record = {"number": number, "at": at, **said, "trace": trace}
            try:
                self._keep(record)
            except OSError:
                self._unsaved.append(record)
        return record

    def get(self, number: int | None = None) -> dict[str, Any]:
        """The answer with that number, or the last one.

        Raises:
            UnknownAnswerError: there is none; the message names the numbers there are.
        """
        records = list(self)
        if not records:
            raise UnknownAnswerError("no answer yet: ask a question first")
        if number is None:
            return records[-1]
        for record in records:
            if record["number"] == number:
                return record
        raise UnknownAnswerError(f"no answer {number}; there are {records[0]['number']} to {records[-1]['number']}")

    def drop(self, sources: set[str]) -> int:
        """Remove the answers that cite one of these sources, as when a source is forgotten; returns how many."""
        with self._lock:
            records = self._all()
            kept = [r for r in records if sources.isdisjoint(citation["source"] for citation in r["citations"])]
            if len(kept) < len(records):
                self._unsaved.clear()
                self._write(kept)
            return len(records) - len(kept)

    def clear(self) -> None:
        with self._lock:
            self._unsaved.clear()
            self.path.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            return iter(self._all()[-KEPT:])

    def _all(self) -> list[dict[str, Any]]:
        return [*self._saved(), *self._unsaved]

    def _saved(self) -> list[dict[str, Any]]:
        """What the file holds; read again only where it changed, as another process or the forgetting of a source may do."""
        stamp = _stamp(self.path)
        if self._read[0] != stamp:
            try:
                lines = self.path.read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                lines = []
            self._read = stamp, [record for line in lines if (record := _record(line)) is not None]
        return self._read[1]

    def _keep(self, record: dict[str, Any]) -> None:
        """Append a record, and what could not be saved before."""
        saved = self._saved()
        more = [*self._unsaved, record]
        if len(saved) + len(more) > 2 * KEPT:
            self._write([*saved, *more][-KEPT:])
        else:
            with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
                whole = file.seek(0, os.SEEK_END) == 0 or (file.seek(-1, os.SEEK_END), file.read(1))[1] == b"\n"
                file.write(b"" if whole else b"\n")
                file.write("".join(map(_line, more)).encode("ascii"))
            self._read = _stamp(self.path), [*saved, *more]
        self._unsaved.clear()

    def _write(self, records: list[dict[str, Any]]) -> None:
        draft = self.path.with_suffix(f".{os.getpid()}.tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write("".join(map(_line, records)))
        draft.replace(self.path)
        self._read = _stamp(self.path), records


Stamp = tuple[int, int, int]


def _stamp(path: Path) -> Stamp:
    """What changes when a file does: zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=True) + "\n"


def _record(line: str) -> dict[str, Any] | None:
    """The record in a line; None for one cut by a full disk or a kill: a lost convenience, never a reason to refuse work."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("number"), int) else None


def _ignore(event: Any) -> None:
    """Nobody watches."""
