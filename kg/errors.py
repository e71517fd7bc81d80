"""Errors of hoptrace, drawn as a tree.

HoptraceError                         exit 1    anything this package raises on purpose
├── InputError                        exit 65   what was given cannot be used
│   ├── UnsupportedFormatError                  no loader for this kind of file
│   ├── ParseError                              the file is broken (carries file, line, reason)
│   ├── UnknownEntityError                      a name that the graph does not hold
│   ├── UnknownRelationError                    a relation that the graph does not hold
│   ├── UnknownAnswerError                      a number that the log of answers does not hold
│   ├── QueryError                              a question or SPARQL query that cannot run
│   └── ProfileError                            a profile with a value that cannot be (unit, range, form)
├── MissingPathError                  exit 66   no such file or folder
├── MissingExtraError                 exit 69   an optional package is needed
├── BudgetExceededError               exit 75   a deadline, memory or size limit was hit
├── StorageError                      exit 74   the store could not be read or written
│   ├── StorageFullError                        no space left
│   ├── CorruptionError                         stored bytes do not match their hash
│   └── LockedError                   exit 75   another process is writing (names it)
├── SchemaVersionError                exit 76   the store was written by a newer hoptrace
├── ArtefactError                     exit 78   a model file is missing, changed or of another kind
└── LedgerError                       exit 65   an edit that cannot be made or undone

Every error is one line, names the offending value and, where there are some, the accepted ones.
`exit_code` follows sysexits.h; `retryable` says whether the same call may succeed later.
"""

from __future__ import annotations

from typing import ClassVar


class HoptraceError(Exception):
    """Base of every deliberate error. `str(error)` is one line fit for a terminal."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class InputError(HoptraceError):
    exit_code = 65


class UnsupportedFormatError(InputError):
    pass


class ParseError(InputError):
    """A file or line that cannot be parsed.

    Args:
        reason: what is wrong, in one line.
        uri: the file.
        line: 1-based line where known, else 0.
    """

    def __init__(self, reason: str, *, uri: str = "", line: int = 0) -> None:
        self.reason, self.uri, self.line = " ".join(reason.split())[:300], uri, line
        place = f"{uri}:{line}" if line else uri
        super().__init__(f"{place}: {self.reason}" if place else self.reason)


class UnknownEntityError(InputError):
    pass


class UnknownRelationError(InputError):
    pass


class UnknownAnswerError(InputError):
    pass


class QueryError(InputError):
    pass


class ProfileError(InputError):
    pass


class MissingPathError(HoptraceError):
    exit_code = 66


class MissingExtraError(HoptraceError):
    """An optional dependency is absent; the message is the command that installs it."""

    exit_code = 69

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs: pip install 'hoptrace[{extra}]'")


class BudgetExceededError(HoptraceError):
    exit_code = 75
    retryable = True


class StorageError(HoptraceError):
    exit_code = 74


class StorageFullError(StorageError):
    retryable = True


class CorruptionError(StorageError):
    pass


class LockedError(StorageError):
    exit_code = 75
    retryable = True


class SchemaVersionError(HoptraceError):
    exit_code = 76


class ArtefactError(HoptraceError):
    exit_code = 78


class LedgerError(InputError):
    pass
