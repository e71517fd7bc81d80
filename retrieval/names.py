"""Names that are near to what was written: one part of a name, a slip of the pen, an acronym.

The index lies over the distinct normalised names of a store and holds no rows, so merging, retracting and forgetting do not
touch it: whoever uses a match asks the store what the name means now. Candidates come from character trigrams (a typing
error spoils at most four of them), so only a few names are ever compared in full. New names form a second, small block until
there are enough of them to rebuild.
"""

from __future__ import annotations

import threading
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ..kg.resolve import LEGAL_FORMS, split_legal_form

if TYPE_CHECKING:
    from ..kg.store import Store

How = Literal["exact", "form", "part", "spelling", "acronym"]

JOINERS = frozenset("of the and de van von der den di la le du for".split())
GENERIC = frozenset("group holding holdings company corporation firm".split())
FORM, PART, INITIALS, LETTERS = 0.92, 0.85, 0.8, 0.7  # certainty of a match of each kind when it is the only one
SLIPS = (1.0, 0.86, 0.76)  # and by the number of typing errors
_SPOILT = 4  # trigrams that one error can change
_MOST_PARTS = 256
_MOST_LETTERS = 8
_REBUILD = 2000
_NEWLINE = 10


class Match(NamedTuple):
    """A normalised name, what makes it near, and how certain that is alone (rivals not counted)."""

    name: str
    how: How
    score: float


class NameIndex:
    """Approximate look-up of names, in step with a store.

    Args:
        store: read when first asked, and again for the names of sources that came later.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._last, self._seq = 0, -1
        self._guard = threading.Lock()
        self._main, self._recent = _Block([]), _Block([])

    def near(self, normal: str) -> list[Match]:
        """Names of the best kind of nearness there is: another legal form, else a part, else a slip; best first.

        A part of too many names is near to none.

        Args:
            normal: a normalised name (`kg.model.normalize`) that the store does not hold as it is.
        """
        self._refresh()
        if {*normal.split(" ")} <= JOINERS:
            return []
        if forms := self._forms(normal):
            return forms
        parts = self._parts(normal)
        return (parts if len(parts) <= _MOST_PARTS else []) if parts else self.spelled(normal)

    def spelled(self, normal: str) -> list[Match]:
        """Names that differ by one or two typing errors, the fewest first.

        Words of three letters or less and words with digits have none, those of up to seven letters at most one, and a
        missing or extra space counts as one. Two different legal forms never match.
        """
        self._refresh()
        budget = allowed_slips(normal)
        if not budget:
            return []
        form = split_legal_form(normal)[1]
        matches = []
        for block in (self._main, self._recent):
            near = block.sharing(normal, budget * _SPOILT)
            for name, distance, _ in process.extract(normal, near, scorer=OSA.distance, score_cutoff=budget, limit=None):
                other = split_legal_form(name)[1]
                if distance and not (form and other and form != other) and slipped(normal, name):
                    matches.append(Match(name, "spelling", SLIPS[distance]))
        return sorted(set(matches), key=lambda match: (-match.score, match.name))

    def begun(self, normal: str) -> list[Match]:
        """Longer names that begin with these words; none where too many do."""
        self._refresh()
        names = sorted({name for name in self._holding(normal) if name.startswith(normal + " ")})
        return [Match(name, "part", PART) for name in names] if len(names) <= _MOST_PARTS else []

    def abbreviated(self, letters: str) -> list[Match]:
        """Names that an acronym of three to six letters may stand for, first letters only before others; none of too many.

        Every word gives its first letter, small words and the legal form may give none, and a word may give more ("BWL"
        for "Brightwater Labs").
        """
        self._refresh()
        letters = letters.lower()
        if not (3 <= len(letters) <= 6 and letters.isalpha()):
            return []
        blocks = (self._main, self._recent)
        found = {Match(name, "acronym", INITIALS) for block in blocks for name in block.initialed(letters)}
        if not found:
            shorter = {letters[0] + "".join(rest) for k in range(1, len(letters) - 1) for rest in combinations(letters[1:], k)}
            names = {name for block in blocks for initials in shorter for name in block.initialed(initials)}
            found = {Match(name, "acronym", LETTERS) for name in names if _spelt_by(letters, name)}
        return sorted(found) if len(found) <= _MOST_LETTERS else []

    def _forms(self, normal: str) -> list[Match]:
        """The name with, without or with another spelling of its legal form, its article or a word like "group"."""
        core, form = split_legal_form(normal)
        words = core.split(" ")
        while len(words) > 1 and words[-1] in GENERIC:
            words.pop()
        core = " ".join(words).removeprefix("the ")
        found = set()
        for name in self._holding(core):
            other, its = split_legal_form(name)
            if other.removeprefix("the ") == core and name != normal and (not form or not its or form == its):
                found.add(Match(name, "form", FORM))
        return sorted(found)

    def _parts(self, normal: str) -> list[Match]:
        """Longer names that begin with these words, else those that hold all of them."""
        held = [name for name in self._holding(normal) if name != normal]
        begun = [name for name in held if name.startswith(normal + " ")]
        chosen = begun or held
        return [Match(name, "part", PART) for name in sorted(set(chosen))]

    def _holding(self, normal: str) -> list[str]:
        words = set(normal.split(" "))
        return [
            name
            for block in (self._main, self._recent)
            for name in block.sharing(f" {' '.join(sorted(words))} ", 0, words)
            if words <= set(name.split(" "))
        ]

    def _refresh(self) -> None:
        if self._seq != self.store.seq:
            with self._guard:
                self._read()

    def _read(self) -> None:
        if self._seq == (seq := self.store.seq):
            return
        names, last = self.store.names(self._last)
        self._last = max(last, self._last)
        if not names:
            self._seq = seq
            return
        names = [*self._recent.all(), *names]
        if len(names) > max(_REBUILD, len(self._main) // 10):
            names, self._main = [], _Block(sorted({*self._main.all(), *names}))
        self._recent = _Block(names)
        self._seq = seq  # last: who sees it sees the names


class _Block:
    """Immutable postings of trigrams over some names, held as bytes."""

    def __init__(self, names: list[str]) -> None:
        text = "".join(f" {name.replace(chr(_NEWLINE), ' ')} \n" for name in names).encode()
        self._text, raw = text, np.frombuffer(text, np.uint8)
        self._ends = np.flatnonzero(raw == _NEWLINE)
        owner = np.repeat(np.arange(len(names)), np.diff(self._ends, prepend=-1))
        packed = _trigrams(raw) << 32 | owner[:-2]
        packed = np.sort(packed[packed >= 0])
        packed = packed[np.diff(packed, prepend=-1) != 0]
        codes = packed >> 32
        self._first = np.append(np.flatnonzero(np.diff(codes, prepend=-1)), len(codes))
        self._codes, self._names = codes[self._first[:-1]], (packed & 0xFFFFFFFF).astype(np.int32)
        self._size = np.bincount(self._names, minlength=len(names))
        self._initials: tuple[np.ndarray, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self._ends)

    def all(self) -> list[str]:
        """Every name."""
        return [line[1:-1] for line in self._text.decode().split("\n")[:-1]]

    def sharing(self, normal: str, missing: int, words: set[str] | None = None) -> list[str]:
        """Names that have all trigrams of a name but `missing`, and, where `words` is None, not that many more."""
        if not len(self):
            return []
        texts = [normal] if words is None else words
        wanted = np.unique(np.concatenate([_trigrams(np.frombuffer(f" {t} ".encode(), np.uint8)) for t in texts]))
        at = np.searchsorted(self._codes, wanted)
        at = at[self._codes[np.minimum(at, len(self._codes) - 1)] == wanted] if len(self._codes) else at[:0]
        if len(at) < max(len(wanted) - missing, 1):
            return []
        lists = [self._names[self._first[i] : self._first[i + 1]] for i in at.tolist()]
        count = np.bincount(np.concatenate(lists), minlength=len(self))
        keep = count >= max(len(wanted) - missing, 1)
        if words is None:
            keep &= self._size - count <= missing
        return [self._name(i) for i in np.flatnonzero(keep).tolist()]

    def initialed(self, initials: str) -> list[str]:
        """Names with these first letters, small words and legal form left out or not."""
        if self._initials is None:
            pairs = [(key, i) for i, name in enumerate(self.all()) for key in _initials(name)]
            keys = np.array([key for key, _ in pairs], "S8")
            order = np.argsort(keys, kind="stable")
            self._initials = keys[order], np.array([i for _, i in pairs], np.int32)[order]
        keys, owners = self._initials
        low, high = np.searchsorted(keys, np.bytes_(initials.encode()), "left"), np.searchsorted(keys, initials.encode(), "right")
        return [self._name(i) for i in owners[low:high].tolist()]

    def _name(self, i: int) -> str:
        start = int(self._ends[i - 1]) + 1 if i else 0
        return self._text[start + 1 : int(self._ends[i]) - 1].decode()


def _trigrams(raw: np.ndarray) -> np.ndarray:
    """Code of the three bytes from each place on, int64; negative where a name ends among them."""
    if len(raw) < 3:
        return np.zeros(0, np.int64)
    wide = raw.astype(np.int64)
    codes: np.ndarray = wide[:-2] << 16 | wide[1:-1] << 8 | wide[2:]
    broken = raw == _NEWLINE
    codes[broken[:-2] | broken[1:-1] | broken[2:]] = -1
    return codes


def allowed_slips(name: str) -> int:
    """Typing errors that a name of this length may hold: none below four letters, one below eight, else two."""
    letters = len(name.replace(" ", ""))
    return 0 if letters < 4 else 1 if letters < 8 else 2


def slipped(first: str, second: str) -> bool:
    """Whether two normalised names differ only as slips of the pen do, word by word or by a space.

    >>> slipped("brigthwater labs", "brightwater labs"), slipped("ivo van der zanden", "ivo van der linden")
    (True, False)
    """
    ours, theirs = first.split(" "), second.split(" ")
    if len(ours) != len(theirs):
        return first.replace(" ", "") == second.replace(" ", "")
    return all(a == b or _word_slipped(a, b) for a, b in zip(ours, theirs))


def _word_slipped(first: str, second: str) -> bool:
    if not (first.isalpha() and second.isalpha()):
        return False
    if {first, second} <= LEGAL_FORMS.keys():
        return LEGAL_FORMS[first] == LEGAL_FORMS[second]
    return bool(OSA.distance(first, second) <= max(allowed_slips(first), allowed_slips(second)))


def _initials(name: str) -> set[str]:
    core = split_legal_form(name)[0].split(" ")
    spellings = (name.split(" "), core, [word for word in core if word not in JOINERS])
    return {"".join(w[0] for w in words) for words in spellings if 2 <= len(words) <= 6 and all(w[0].isascii() for w in words)}


def _spelt_by(letters: str, name: str) -> bool:
    """Whether the first letters of a name's words and others after them make an acronym."""
    return _spells(letters, [word for word in split_legal_form(name)[0].split(" ") if word not in JOINERS])


def _spells(letters: str, words: list[str]) -> bool:
    """Whether each word gives its first letter and, of the letters after it, some in order."""
    if not words or not letters:
        return not words and not letters
    word = words[0]
    if letters[0] != word[:1]:
        return False
    for taken in range(len(letters), 0, -1):
        rest = iter(word)
        if all(letter in rest for letter in letters[:taken]) and _spells(letters[taken:], words[1:]):
            return True
    return False


__all__ = ["Match", "NameIndex", "allowed_slips", "slipped"]
