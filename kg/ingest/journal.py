"""What earlier runs did, so that a run can skip, resume and replace: file records in the store, quarantine beside it.

A file record is only a promise that parsing can be skipped; it is believed while the documents it counts are live. The
truth about a document is the document in the store, so a run killed anywhere is resumed by running it again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ParseError
from ..model import Source

if TYPE_CHECKING:
    from ..store import Store

_FILE, _RUN = "ingest/file/", "ingest/run"


class Journal:
    """The file records and live sources of one store, as they were when the run began."""

    def __init__(self, store: Store, extractor: str) -> None:
        self._store, self._extractor = store, extractor
        self._records = {key[len(_FILE) :]: json.loads(value) for key, value in store.meta(_FILE).items()}
        self.live: dict[str, Source] = {source.uri: source for source in store.sources()}
        self._counts = Counter(uri.partition("#")[0] for uri in self.live)
        unfinished = store.meta(_RUN).get(_RUN)
        self._mixed = unfinished is not None and unfinished != extractor

    def is_complete(self, uri: str, sha256: str) -> bool:
        """Whether the file's documents are in the graph as this file and this extractor give them."""
        record = self._records.get(uri)
        if record is None or (record["sha256"], record["extractor"]) != (sha256, self._extractor):
            return False
        return bool(self._counts[uri] == record["documents"] and all(other in self.live for other in record["others"]))

    def documents(self, uri: str) -> int:
        """Documents of a recorded file."""
        record = self._records[uri]
        return int(record["documents"]) + len(record["others"])

    def is_foreign(self, uri: str) -> bool:
        """Whether documents of this file may have been extracted by another extractor, so that equal bytes are not enough."""
        record = self._records.get(uri)
        return self._mixed if record is None else record["extractor"] != self._extractor

    def of_file(self, uri: str) -> list[Source]:
        """The live documents of a file when the run began."""
        if not self._counts[uri]:
            return []
        return [source for name, source in self.live.items() if name.partition("#")[0] == uri]

    def begin(self) -> None:
        """Note which extractor this run uses, should it be killed."""
        self._set(_RUN, self._extractor)

    def finish_file(self, uri: str, sha256: str, uris: Iterable[str]) -> None:
        """Record a file whose documents are all in the store."""
        own = [name for name in uris if name.partition("#")[0] == uri]
        others = sorted(set(uris) - set(own))
        record = {"sha256": sha256, "extractor": self._extractor, "documents": len(own), "others": others}
        if self._records.get(uri) != record:
            self._records[uri] = record
            self._set(_FILE + uri, json.dumps(record))

    def end(self) -> None:
        """The run is over."""
        self._set(_RUN, None)

    def _set(self, key: str, value: str | None) -> None:
        with self._store.writing(defer_resolve=True) as writer:
            writer.set_meta(key, value)


class Quarantine:
    """`quarantine.jsonl` in the graph's folder: what was left out, replaced per file whenever the file is read again."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "quarantine.jsonl"
        self._items: list[dict[str, object]] = []
        if self._path.exists():
            lines = self._path.read_text("utf-8").splitlines()
            self._items = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def replace(self, file: str, errors: Iterable[ParseError]) -> None:
        """Set the items of one file."""
        kept = [item for item in self._items if item.get("file") != file]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        new: list[dict[str, object]] = [
            {"file": file, "uri": error.uri or file, "line": error.line, "reason": error.reason, "at": at} for error in errors
        ]
        if new or len(kept) != len(self._items):
            self._items = [*kept, *new]
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in self._items), "utf-8")
            os.replace(temporary, self._path)
