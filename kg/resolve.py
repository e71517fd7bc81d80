"""Entity resolution: which names of one block mean the same thing.

A block is all live entities whose normalised name starts with the same word. `links` is a pure function of the
entities of a block, so that reading documents in another order, deleting one, or resuming a killed run gives the same
merges. It joins clusters rule by rule, surest first, and joins two clusters only where each is the other's *only*
candidate; a wrong merge costs more than a missed one:

1. `legal form`: the same name with spellings of the same legal form (Ltd, Limited). Different forms stay apart.
2. `iri`: a name without an IRI joins the one that has one. Two IRIs stay apart.
3. `type`: a vaguely typed name joins the precisely typed one (untyped < place < city). Other types stay apart.
4. `bare name`: a name without legal form joins the one that has it (Brightwater, Brightwater Ltd).
5. `spelling`: two neighbouring letters swapped, or a letter doubled, inside one word of six letters or more.

A person's word outranks the rules: `canonical` joins what was said to be the same and never what was said not to be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

Pair = tuple[int, int]  # node keys, the smaller first


class Candidate(NamedTuple):
    """An entity as resolution sees it. `norm` is its normalised display label."""

    key: int
    norm: str
    type: str = ""
    iri: str = ""


class Link(NamedTuple):
    """Two entities that a rule takes for one. `score` is the rule's prior certainty, 0 to 1, for people to sort by."""

    first: int
    second: int
    reason: str
    score: float


_ARTICLES = ("the ", "a ", "an ")
LEGAL_FORMS = {
    "ltd": "ltd", "limited": "ltd", "inc": "inc", "incorporated": "inc", "corp": "corp", "corporation": "corp",
    "co": "co", "company": "co", "gmbh": "gmbh", "ag": "ag", "plc": "plc", "sa": "sa", "sas": "sas", "sarl": "sarl",
    "llc": "llc", "llp": "llp", "bv": "bv", "nv": "nv", "ab": "ab", "asa": "asa", "oy": "oy", "oyj": "oyj", "spa": "spa",
    "srl": "srl", "as": "as", "aps": "aps", "pty": "pty", "pte": "pte", "se": "se", "kk": "kk",
}  # fmt: skip
_KINDS = {
    ("organization",): "organization organisation company firm business corporation supplier customer client vendor "
    "manufacturer subsidiary parent owner operator regulator agency bank employer shipyard",
    ("person",): "person people human individual man woman director author actor writer producer ceo founder employee",
    ("place",): "place location area site port harbour",
    ("place", "city"): "city town capital",
    ("place", "country"): "country nation",
    ("product",): "product model device software",
    ("product", "vessel"): "vessel ship ferry boat tanker",
    ("work",): "work title",
    ("work", "film"): "film movie",
    ("work", "book"): "book novel",
}
_PATHS = {word: path for path, words in _KINDS.items() for word in words.split()}
_MIN_SLIP_WORD = 6


def block_of(norm: str) -> str:
    """First word of a normalised label, articles aside.

    >>> block_of("the brightwater labs")
    'brightwater'
    """
    for article in _ARTICLES:
        if norm.startswith(article):
            norm = norm[len(article) :]
            break
    return norm.split(" ", 1)[0]


def type_path(type_: str) -> tuple[str, ...]:
    """A type as a path from vague to precise; () when unknown. Two types agree when one path starts the other."""
    word = type_.strip().lower()
    return _PATHS.get(word, (word,)) if word else ()


def split_legal_form(norm: str) -> tuple[str, str]:
    """Name, a long one without its article, and canonical legal form; the form is "" where there is none.

    >>> split_legal_form("brightwater labs co limited")
    ('brightwater labs', 'co ltd')
    """
    words = norm.split(" ")
    if words[-1] not in LEGAL_FORMS and words[0] not in ("the", "a", "an"):
        return norm, ""
    cut = len(words)
    while cut > 1 and words[cut - 1] in LEGAL_FORMS:
        cut -= 1
    # An article tells short names apart ("The Comedy" is a film, "Comedy" a genre), not long ones ("the Tarn Group").
    start = 1 if cut > (2 if cut == len(words) else 1) and words[0] in ("the", "a", "an") else 0
    return " ".join(words[start:cut]), " ".join(LEGAL_FORMS[word] for word in words[cut:])


class _Cluster:
    """Entities joined so far, and what is known of them together."""

    def __init__(self, member: Candidate, core: str, form: str) -> None:
        self.members, self.core, self.form = [member.key], core, form
        self.path, self.iri, self.norm = type_path(member.type), member.iri, member.norm

    def absorb(self, other: _Cluster) -> None:
        self.members += other.members
        self.path = max(self.path, other.path, key=len)
        self.iri, self.form = self.iri or other.iri, self.form or other.form

    def agrees(self, other: _Cluster, apart: Collection[Pair]) -> bool:
        """No IRI, type, legal form or person keeps the two apart."""
        short, long = sorted((self.path, other.path), key=len)
        if long[: len(short)] != short or (self.iri and other.iri and self.iri != other.iri):
            return False
        if self.form and other.form and self.form != other.form:
            return False
        return not apart or not any(pair(a, b) in apart for a in self.members for b in other.members)


def pair(first: int, second: int) -> Pair:
    return (first, second) if first <= second else (second, first)


def links(candidates: Iterable[Candidate], apart: Collection[Pair] = ()) -> list[Link]:
    """The merges of one block.

    Args:
        candidates: the live entities of the block, in any order.
        apart: pairs that a person said are not the same.
    """
    groups: dict[str, list[_Cluster]] = defaultdict(list)
    for candidate in sorted(candidates):
        core, form = split_legal_form(candidate.norm) if type_path(candidate.type) != ("person",) else (candidate.norm, "")
        groups[core].append(_Cluster(candidate, core, form))
    found: list[Link] = []
    for core, clusters in groups.items():
        if len(clusters) > 1:
            groups[core] = _join_group(clusters, apart, found)
    if len(groups) > 1:
        _join_slips(groups, apart, found)
    return found


def _join_group(clusters: list[_Cluster], apart: Collection[Pair], found: list[Link]) -> list[_Cluster]:
    """Rules 1 to 4 on clusters that share the name without legal form."""
    for reason, score, side in _RULES:
        by_same: dict[object, list[_Cluster]] = defaultdict(list)
        for cluster in clusters:
            by_same[_same(reason, cluster)].append(cluster)
        clusters = []
        for group in by_same.values():
            clusters += _join_unique(group, side, apart, found, reason, score) if len(group) > 1 else group
    return clusters


_RULES: tuple[tuple[str, float, Callable[[_Cluster], int]], ...] = (
    ("legal form", 0.99, lambda cluster: 0),
    ("iri", 0.97, lambda cluster: int(bool(cluster.iri))),
    ("type", 0.95, lambda cluster: len(cluster.path)),
    ("bare name", 0.9, lambda cluster: int(bool(cluster.form))),
)


def _same(reason: str, cluster: _Cluster) -> object:
    """What two clusters must share before the rule compares them."""
    if reason == "legal form":
        return cluster.form, cluster.path, cluster.iri
    if reason == "iri":
        return cluster.form, cluster.path
    return cluster.form if reason == "type" else None


def _join_unique(
    clusters: Sequence[_Cluster],
    side: Callable[[_Cluster], int],
    apart: Collection[Pair],
    found: list[Link],
    reason: str,
    score: float,
) -> list[_Cluster]:
    """Join each cluster to the only one of a higher side that agrees with it, if that one has no rival either."""
    if reason == "legal form":  # nothing to choose: all of them are the same name
        clusters = list(clusters)
        head, rest = clusters[0], []
        for other in clusters[1:]:
            if head.agrees(other, apart):
                _join(head, other, found, reason, score)
            else:
                rest.append(other)
        return [head, *rest]
    open_ = list(clusters)
    for low in sorted({side(cluster) for cluster in open_})[:-1]:
        lower = [cluster for cluster in open_ if side(cluster) == low]
        upper = [cluster for cluster in open_ if side(cluster) > low]
        claims = {id(one): [other for other in upper if one.agrees(other, apart)] for one in lower}
        rivals: dict[int, int] = defaultdict(int)
        for chosen in claims.values():
            for other in chosen:
                rivals[id(other)] += 1
        for one in lower:
            chosen = claims[id(one)]
            if len(chosen) == 1 and rivals[id(chosen[0])] == 1:
                _join(chosen[0], one, found, reason, score)
                open_.remove(one)
    return open_


def _join(head: _Cluster, other: _Cluster, found: list[Link], reason: str, score: float) -> None:
    first, second = pair(head.members[0], other.members[0])
    found.append(Link(first, second, reason, score))
    head.absorb(other)


def _join_slips(groups: Mapping[str, list[_Cluster]], apart: Collection[Pair], found: list[Link]) -> None:
    """Rule 5 across names: candidates share a sketch in which doubled letters and the order of letters do not show."""
    sketches: dict[str, list[_Cluster]] = defaultdict(list)
    for core, clusters in groups.items():
        if len(core) > _MIN_SLIP_WORD:
            sketches[_sketch(core)] += clusters
    for clusters in sketches.values():
        near = [
            (one, other)
            for position, one in enumerate(clusters)
            for other in clusters[position + 1 :]
            if one.form == other.form and one_slip(one.core, other.core) and one.agrees(other, apart)
        ]
        for one, other in near:
            if sum(1 for couple in near if one in couple or other in couple) == 1:
                _join(one, other, found, "spelling", 0.85)


def _sketch(core: str) -> str:
    words = core.split(" ")
    return " ".join("".join(sorted(set(word))) if len(word) >= _MIN_SLIP_WORD - 1 and word.isalpha() else word for word in words)


def one_slip(first: str, second: str) -> bool:
    """Whether the names differ in one word of six letters or more, by one swap of neighbours or one doubled letter.

    >>> one_slip("halden marine", "halden marnie"), one_slip("halden marine", "halden marina")
    (True, False)
    """
    ours, theirs = first.split(" "), second.split(" ")
    different = [(a, b) for a, b in zip(ours, theirs) if a != b]
    if len(ours) != len(theirs) or len(different) != 1:
        return False
    short, long = sorted(different[0], key=len)
    if len(long) < _MIN_SLIP_WORD or not (short.isalpha() and long.isalpha()):
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long)) if a != b), len(short))
    if len(short) == len(long):
        return short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return len(long) == len(short) + 1 and at > 0 and long[at] == long[at - 1] and short[at:] == long[at + 1 :]


def canonical(
    members: Mapping[int, Candidate], found: Iterable[Link], same: Collection[Pair], apart: Collection[Pair]
) -> dict[int, int]:
    """The representative of every member: of each cluster the one with an IRI, a precise type, the shortest label
    (a firm goes by its name; the legal form is an alias).

    Args:
        members: all entities of whole connected components, by key.
        found: the rules' links among them.
        same: pairs that a person joined; applied first.
        apart: pairs that a person parted; no cluster ever holds one.
    """
    cluster: dict[int, set[int]] = {key: {key} for key in members}
    ranked = sorted(found, key=lambda link: (-link.score, link.first, link.second))
    for first, second in [*sorted(same), *((link.first, link.second) for link in ranked)]:
        if first not in cluster or second not in cluster or cluster[first] is cluster[second]:
            continue
        joined = cluster[first] | cluster[second]
        if any(one in joined and other in joined for one, other in apart):
            continue
        for key in joined:
            cluster[key] = joined
    heads: dict[int, int] = {}
    for group in {id(group): group for group in cluster.values()}.values():
        head = min(group, key=lambda key: _rank(members[key]))
        heads.update(dict.fromkeys(group, head))
    return heads


def _rank(member: Candidate) -> tuple[object, ...]:
    precise = -len(type_path(member.type))
    return (not member.iri, precise, len(member.norm), member.norm, member.type, member.key)
