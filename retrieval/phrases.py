"""Relations put into English, for questions that are mined from a graph and not asked by people.

A hop walks a relation family one way, from what is already described ("X", "the films X directed") to what it leads to.
There are many ways to say it: by a noun for what it leads to ("the director of X", "X's director"), by a noun for where it
comes from ("the films whose director is X"), by a verb ("the films X directed", "who directed X") or in the telegraphic
style of search boxes ("X director"). `Phraser` draws one of them; what is drawn is ordinary language and no template of any
data set.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .question import DATE, NUMBER, ORGANIZATION, PERSON, PLACE, PRODUCT, WORK
from .wordings import Family, stem

Step = tuple[Family, int]  # a family and 1 (subject to object) or -1
SLOT = "\N{WHITE SQUARE}"  # stands for the name that a question starts from
Templates = tuple[tuple[float, str], ...]

_ALTERNATIVES = re.compile(r"\(([^()]*)\)")

_TYPE_WORDS = {
    PERSON: ("person", "people", "man", "woman", "one"),
    ORGANIZATION: ("company", "companies", "firm", "organization", "business"),
    PLACE: ("place", "places", "location", "city", "country"),
    WORK: ("work", "works", "film", "films", "movie", "movies", "book", "title"),
    PRODUCT: ("product", "products"),
    DATE: ("year", "date", "years"),
    NUMBER: ("number", "figure"),
}
_QUESTION_WORDS = {PERSON: ("who", "which person"), PLACE: ("where", "which place"), DATE: ("when", "which year")}
_PREPOSITIONS = frozenset("to from for in by at on with of as into under about after up off out over".split())
_IRREGULAR = {  # base: (past, past participle)
    "write": ("wrote", "written"), "buy": ("bought", "bought"), "sell": ("sold", "sold"), "make": ("made", "made"),
    "found": ("founded", "founded"), "set": ("set", "set"), "run": ("ran", "run"), "lead": ("led", "led"),
    "take": ("took", "taken"), "hold": ("held", "held"), "build": ("built", "built"), "win": ("won", "won"),
    "speak": ("spoke", "spoken"), "come": ("came", "come"), "give": ("gave", "given"), "get": ("got", "got"),
    "have": ("had", "had"), "do": ("did", "done"), "be": ("was", "been"), "sing": ("sang", "sung"), "see": ("saw", "seen"),
    "go": ("went", "gone"), "teach": ("taught", "taught"), "wed": ("wed", "wed"), "bear": ("bore", "born"),
    "bring": ("brought", "brought"), "draw": ("drew", "drawn"), "drive": ("drove", "driven"), "fall": ("fell", "fallen"),
    "feed": ("fed", "fed"), "fight": ("fought", "fought"), "find": ("found", "found"), "fly": ("flew", "flown"),
    "grow": ("grew", "grown"), "keep": ("kept", "kept"), "lie": ("lay", "lain"), "lose": ("lost", "lost"),
    "meet": ("met", "met"), "pay": ("paid", "paid"), "put": ("put", "put"), "say": ("said", "said"),
    "send": ("sent", "sent"), "shoot": ("shot", "shot"), "sit": ("sat", "sat"), "spend": ("spent", "spent"),
    "stand": ("stood", "stood"), "swim": ("swam", "swum"), "tell": ("told", "told"), "wear": ("wore", "worn"),
    "beat": ("beat", "beaten"), "begin": ("began", "begun"), "break": ("broke", "broken"), "cast": ("cast", "cast"),
    "cost": ("cost", "cost"), "cut": ("cut", "cut"), "deal": ("dealt", "dealt"), "eat": ("ate", "eaten"),
    "hang": ("hung", "hung"), "hit": ("hit", "hit"), "know": ("knew", "known"), "lay": ("laid", "laid"),
    "lend": ("lent", "lent"), "quit": ("quit", "quit"), "rise": ("rose", "risen"), "show": ("showed", "shown"),
    "shut": ("shut", "shut"), "slay": ("slew", "slain"), "spread": ("spread", "spread"), "spring": ("sprang", "sprung"),
    "strike": ("struck", "struck"), "tear": ("tore", "torn"), "think": ("thought", "thought"), "throw": ("threw", "thrown"),
    "understand": ("understood", "understood"), "wind": ("wound", "wound"),
}  # fmt: skip
_FORMS = {form: base for base, forms in _IRREGULAR.items() for form in forms if form not in _IRREGULAR} | {"has": "have"}
_PREFIXES = re.compile("(co-?|re|under|over|broad|with)(?=[a-z]{3})")  # "remake" goes like "make"
_DOUBLING = re.compile(  # one syllable that ends in one vowel and one consonant, or a last syllable that is stressed
    r"(?:[^aeiou]|qu)+[aeiou][^aeiouwxy]|(?:con|de|in|pre|re|trans)fer|[a-z]+(?:mit|cur|trol|pel|bel|gin)|abut|co-?star|program|worship"
)
_NO_VERBS = frozenset(
    "active adjacent akin also amalgamation applicable available be are is behind best better birth books burial death demise "
    "endemic famous films fluent formerly friends fusion indigenous investigation known last now most movies next originally "
    "penalty previously publicly relevant short suitable topic upkeep well what worth".split()
)


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb phrase in the forms a question needs: `rest` is what follows the verb itself ("to" of "deliver to")."""

    base: str
    past: str
    participle: str
    rest: str = ""

    @property
    def present(self) -> str:
        """Third person singular."""
        if self.base == "have":
            return "has"
        if self.base.endswith(("s", "x", "z", "ch", "sh", "o")):
            return self.base + "es"
        return self.base[:-1] + "ies" if self.base.endswith("y") and self.base[-2:-1] not in "aeiou" else self.base + "s"

    @property
    def gerund(self) -> str:
        if self.base.endswith("ie"):
            return self.base[:-2] + "ying"
        if self.base.endswith("e") and not self.base.endswith(("ee", "oe", "ye")):
            return self.base[:-1] + "ing"
        return _doubled(self.base) + "ing"


def verb(phrase: str) -> Verb | None:
    """The forms of a wording such as "acquire", "took over" or "deliver to"; None when it is no verb ("behind") or only a
    form of one that needs another beside it ("based in", "competing with").

    >>> verb("deliver to").past, verb("own").participle, verb("took over").base, verb("runs").gerund
    ('delivered', 'owned', 'take', 'running')
    """
    first, _, rest = phrase.partition(" ")
    if first in _PREPOSITIONS or first in _NO_VERBS:
        return None
    for word in (first, _bare(first)):
        prefix = found[0] if (found := _PREFIXES.match(word)) and word not in _IRREGULAR else ""
        for start in (prefix, ""):
            form = _FORMS.get(word.removeprefix(start), word.removeprefix(start))
            if form in _IRREGULAR:
                past, participle = _IRREGULAR[form]
                return Verb(start + form, start + past, start + participle, rest)
    if first.endswith(("ed", "ing")) and len(first) > 3 and not first.endswith("eed"):
        return None
    base = _bare(first)
    return Verb(base, _regular(base), _regular(base), rest)


def _bare(word: str) -> str:
    """A third person without its ending; any other word as it is."""
    if not word.endswith("s") or word.endswith(("ss", "us")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("shes", "ches", "sses", "xes", "zzes", "oes", "focuses")) else word[:-1]


def _regular(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return base[:-1] + "ied"
    return _doubled(base) + "ed"


def _doubled(base: str) -> str:
    """The stem before "-ed" and "-ing": "star" gives "starr"."""
    return base + base[-1] if _DOUBLING.fullmatch(base) else base


_PLURALS = {
    "person": "people", "alumnus": "alumni", "alumna": "alumnae", "taxon": "taxa", "alias": "aliases", "canvas": "canvases",
    "monarch": "monarchs", "sis": "sisters", "half": "halves", "life": "lives", "wife": "wives", "series": "series",
    "species": "species",
}  # fmt: skip
_AS_PLURAL = frozenset(
    "accused alumnae alumni beloved brethren children clientele lyrics men music people staff taught unemployed wealth wildlife "
    "wives women".split()
)
_AFTER_HEAD = re.compile(r" (?:of|in|on|for|to|behind|at|from|under|before|by|with|into|(?!speed)\w+ed)\b.*")


def plural(noun: str) -> str:
    """
    >>> plural("company"), plural("actress"), plural("place of birth"), plural("chairman"), plural("award received")
    ('companies', 'actresses', 'places of birth', 'chairmen', 'awards received')
    """
    if " or " in noun:
        return " or ".join(map(plural, noun.split(" or ")))
    rest = found[0] if (found := _AFTER_HEAD.search(noun)) else ""
    before, space, head = noun.removesuffix(rest).rpartition(" ")
    if head in _PLURALS:
        head = _PLURALS[head]
    elif head.endswith(("man", "child")):
        head = head[:-3] + "men" if head.endswith("man") else head + "ren"
    elif head.endswith(("us", "ss", "x", "ch", "sh")):
        head += "es"
    elif head.endswith("is"):
        head = head[:-2] + "es"
    elif head.endswith("y") and head[-2:-1] not in {*"aeiou"}:
        head = head[:-1] + "ies"
    elif not head.endswith("s") and head not in _AS_PLURAL:
        head += "s"
    return before + space + head + rest


# Ways to say a hop: weight and template. `np` is where it starts, `s` a noun for where it leads (`noun` in the singular), `t`
# a word for the kind of thing it leads to, `from` a noun for where it comes from, `acts` and `done` a verb's active form and
# participle, `base` and `doing` its others, `who` a question word; (a|b) is one of them.
_BY_NOUN = (
    (3, "the {s} of {np}"), (1, "{s} of {np}"), (1, "{np} {s}"), (0.7, "the {np} {s}"), (3, "{np}'s {s}"),
    (1, "the {s} (in|for|from|on|with) {np}"),
)  # fmt: skip
_BY_SOURCE = (
    (1, "the {t} whose {from} {is} {np}"), (1, "the {t} with {np} as {one}"),
    (0.7, "the {t} that {np} is the {one} of"), (0.7, "the {t} by {one} {np}"), (0.5, "{one} {np}'s {t}"),
)  # fmt: skip
_BY_VERB = (
    (3, "the {t} (that |which |){np} (|||also ){acts}"), (1.5, "the {t} {done} by {np}"), (1, "{t} {done} by {np}"),
    (0.5, "{np} {done} {t}"), (0.7, "what {np} {acts}"),
)  # fmt: skip
_BY_VERB_BACK = (
    (3, "the {t} (who|that|which) (|||also ){acts} {np}"), (1, "whoever {acts} {np}"), (0.7, "the {t} {doing} {np}"),
    (0.7, "the {t} {np} was {done} by"),
)  # fmt: skip
_ASKED_BY_NOUN = (
    (3, "what {be} the {s} of {np}"), (2, "{who} {be} the {s} of {np}"), (2, "what {be} {np}'s {s}"), (1, "{np} has which {s}"),
    (1, "(what|which) {s} (does|do|did) {np} have"), (1, "(name|list|give|tell me|find|show) the {s} of {np}"),
    (1.5, "the {s} of {np}"), (1, "{np} {s}"), (1, "{np}'s {s}"), (1, "{who} {be} {np}'s {s}"),
    (1, "who (is|are|was) listed as {s} of {np}"), (1, "what {be} the {s} (in|for|from|on) {np}"),
    (1, "(what|which) {s} (is|are|was|were) {np} (in|of|under|from|with)"),
    (1, "{np} (is|are|was|were) (in|of|under|from) (which|what) {s}"), (0.7, "what {be} the name of the {s} of {np}"),
)  # fmt: skip
_ASKED_BY_SOURCE = (
    (1, "which {t} is {np} the {one} of"), (1, "what {t} has {np} as {one}"), (1, "{np} is the {one} of which {t}"),
    (0.7, "{np} is the {one} of what"), (0.7, "what is {np} the {one} of"),
)  # fmt: skip
_ASKED_BY_VERB = (
    (2, "(which|what) {t} (did|does|do) {np} (|||also ){base}"), (1.5, "{np} (|||also ){acts} (which {t}|what|what {t})"),
    (1.5, "(which|what) {t} (was|were|is|are) {done} by {np}"), (1, "{who} (did|does) {np} {base}"),
)  # fmt: skip
_ASKED_WHEN = (
    (3, "{who} (was|were|is) {np} {done}"), (2, "{who} did {np} {base}"), (1, "{np} {acts} in (what|which) {t}"),
    (1, "{np} (was|were) {done} in (what|which) {t}"),
)  # fmt: skip
_ASKED_BY_VERB_BACK = (
    (3, "({who}|who|which {t}|what {t}) (|||also ){acts} {np}"),
    (1.5, "{np} (is|was|were|are) {done} by (whom|who|which {t}|{who})"),
    (0.7, "{who} (is|are) the {t} {doing} {np}"),
)  # fmt: skip
_SHARED_BY_NOUN = (
    (2, "the {t} that share (a|the|the same|) {s} with {np}"), (1, "the {t} with the same {s} as {np}"),
    (1, "the {t} that have the same {s} (as|of|with) {np}"), (0.7, "the {t} having {s} in common with {np}"),
)  # fmt: skip
_SHARED_BY_SOURCE = (
    (0.7, "the other {from} of the same {mid} as {np}"), (1, "the {from} who worked with {np} as {one}"),
    (1, "the co-{from} of {np}"), (0.7, "{np}'s co-{from}"), (0.7, "(|the )fellow {from} of {np}"),
)  # fmt: skip
_SHARED_BY_VERB = (
    (1, "the {t} who {acts} (together|) with {np}"), (1, "the {t} who {acts} the same {mid} as {np}"),
    (1, "the {t} who co-{acts} {mid} with {np}"), (0.7, "the {t} {np} {acts} {mid} with"),
)  # fmt: skip
_SHARED_WHOSE = ((2, "the {t} whose {s} (also |){acts} {np}"), (1, "the {t} {done} by the {s} who {acts} {np}"))

_TIGHT = re.compile(  # said of a longer phrase, what follows would belong to its last noun
    r"\{np\}('s)? (co-)?\{(s|t|done|from)\}|by \{one\} \{np\}"
)
_PASSIVE = re.compile(r"\{done\} by|\{np\} \{done\} \{t\}|was \{done\} by")
_NO_PASSIVE = frozenset("belong come compete go have lie reside say sit tie vie walk work".split())
_COMPACT = re.compile(  # a name, "the firm NAME", "NAME's owner's rival"
    rf"(?!.*\b(?:of|that|which|who|whose|whoever|what|by|with|in|for|from|on|to|as|was|were|is|are|\w+ing)\b)"
    rf"[^{SLOT}]*{SLOT}(?:'s [^{SLOT}]+)?"
)

Forms = list[tuple[float, str, dict[str, str], str]]  # weight, template, its fields, the wording


class Phraser:
    """Draws wordings for hops.

    Args:
        rng: the draws.
        allowed: which wordings may be used: `allowed(family, direction, phrase)`; None for all.
    """

    def __init__(self, rng: random.Random, allowed: Callable[[Family, int, str], bool] | None = None) -> None:
        self.rng, self._allowed = rng, allowed or (lambda family, direction, phrase: True)
        self._cache: dict[tuple[str, int, str], tuple[str, ...]] = {}

    def nouns(self, step: Step) -> tuple[str, ...]:
        """Nouns for what the hop leads to."""
        return self._of(step, "noun", _nouns)

    def verbs(self, step: Step) -> tuple[str, ...]:
        """Verbs, as the lexicon spells them."""
        return self._of(step, "verb", lambda f, d: tuple(v for v in f.verbs if verb(v) is not None))

    def named(self, step: Step, name: str) -> str:
        """A name, now and then with a word for what it is before it ("the film X"), as where the hop `step` starts."""
        back = (step[0], -step[1])
        words = [*self.nouns(back), *(word for word in _TYPE_WORDS.get(_type(back), ()) if not _many(word))]
        return (
            f"{self.rng.choice(('the ', '', ''))}{self.rng.choice(words)} {name}" if words and self.rng.random() < 0.3 else name
        )

    def described(self, step: Step, np: str) -> tuple[str, str] | None:
        """A noun phrase for what the hop leads to and the wording used; None when the family has no words for it.

        Args:
            step: the hop.
            np: the words for where it starts.
        """
        forms = self._nouns_in(_BY_NOUN, step, np) + self._sources_in(_BY_SOURCE, step, np)
        forms += self._verbs_in(_BY_VERB if step[1] > 0 else _BY_VERB_BACK, step, np)
        if _circumstance(step):
            forms += self._verbs_in(
                ((2, f"the {{t}} {'when' if _type(step) == DATE else 'where'} {{np}} was {{done}}"),), step, np
            )
        return self._draw(forms)

    def asked(self, step: Step, np: str) -> tuple[str, str] | None:
        """A question that asks for what the hop leads to, and the wording used; None as for `described`."""
        forms = self._nouns_in(_ASKED_BY_NOUN, step, np) + self._sources_in(_ASKED_BY_SOURCE, step, np)
        forms += self._verbs_in(_ASKED_BY_VERB if step[1] > 0 else _ASKED_BY_VERB_BACK, step, np)
        if _circumstance(step):
            forms += self._verbs_in(_ASKED_WHEN, step, np)
        return self._draw(forms)

    def shared(self, step: Step, np: str) -> tuple[str, str] | None:
        """Words for a hop and its return: what shares the middle with `np` ("the films that share an actor with X")."""
        back = (step[0], -step[1])
        mid = {"mid": self._target(step)}
        forms = self._nouns_in(_SHARED_BY_NOUN, step, np, back)
        acting = step[1] > 0  # what is supplied has no fellows: only those who do the same to one thing
        sources = self._sources_in(_SHARED_BY_SOURCE if acting else _SHARED_BY_SOURCE[:1], step, np)
        sources += self._verbs_in(_SHARED_BY_VERB, step, np) if acting else []
        forms += [(w, t, fields | mid, word) for w, t, fields, word in sources]
        middles = self._some(self.nouns(step))
        if middles and step[1] < 0:
            s = {"s": self._number(middles[0]), "t": self._target(back)}
            forms += [(w, t, fields | s, word) for w, t, fields, word in self._verbs_in(_SHARED_WHOSE, step, np)]
        return self._draw(forms)

    def _nouns_in(self, templates: Templates, step: Step, np: str, target: Step | None = None) -> Forms:
        forms: Forms = []
        for noun in self._some(self.nouns(step)):
            s = self._number(noun)
            who = self.rng.choice(_QUESTION_WORDS.get(_type(step), ("what", "which", "who")))
            fields = {"np": np, "s": s, "noun": noun, "be": "is" if s == noun else "are", "who": who}
            forms += [(w, text, fields | {"t": self._target(target or step)}, noun) for w, text in templates]
        return forms

    def _sources_in(self, templates: Templates, step: Step, np: str) -> Forms:
        nouns = self._some(self.nouns((step[0], -step[1])))
        return [
            (w, text, {"np": np, "one": n, "from": s, "is": "are" if _many(s) else "is", "t": self._target(step)}, n)
            for n in nouns
            for s in (self._number(n),)
            for w, text in templates
            if not text.startswith("the {t} by") or _type(step) in {WORK, PRODUCT}
        ]

    def _verbs_in(self, templates: Templates, step: Step, np: str) -> Forms:
        forms: Forms = []
        for word in self._some(self.verbs(step)):
            v = verb(word)
            assert v is not None  # `verbs` leaves out what is none
            rest, target = self._rest(step, v), self._target(step)
            simple = np.endswith(SLOT) if step[1] > 0 else not _many(target)
            now = v.present if simple else v.past if step[1] > 0 else v.base
            fields = {"np": np, "t": target, "acts": self.rng.choice((v.past, now)) + rest}
            fields |= {"done": v.participle + rest, "base": v.base + rest, "doing": v.gerund + rest}
            fields["who"] = self.rng.choice(_QUESTION_WORDS.get(_type(step), ("what", "which " + fields["t"])))
            active = step[0].adjectival or v.base in _NO_PASSIVE
            forms += [(w, text, fields, word) for w, text in templates if not active or not _PASSIVE.search(text)]
        return forms

    def _rest(self, step: Step, v: Verb) -> str:
        """What follows a verb: its own words, or now and then the preposition of the label that it is the verb of."""
        first, last = step[0].name.split()[0], step[0].name.split()[-1]
        fits = step[0].adjectival or stem(first) == stem(v.base)
        if v.rest or last not in _PREPOSITIONS or not fits or self.rng.random() > 0.7:
            return f" {v.rest}" if v.rest else ""
        return f" {last}"

    def _of(self, step: Step, kind: str, read: Callable[[Family, int], Iterable[str]]) -> tuple[str, ...]:
        key = (step[0].name, step[1], kind)
        if key not in self._cache:
            self._cache[key] = tuple(dict.fromkeys(word for word in read(*step) if self._allowed(step[0], step[1], word)))
        return self._cache[key]

    def _target(self, step: Step) -> str:
        """A word for the kind of thing a hop leads to: of its type, or one of its nouns."""
        nouns = self.nouns(step)
        if nouns and self.rng.random() < 0.3:
            return self._number(self.rng.choice(nouns))
        return self.rng.choice(_TYPE_WORDS.get(_type(step), ("thing", "things", "ones", "entity")))

    def _number(self, noun: str) -> str:
        return self.rng.choice((noun, plural(noun)))

    def _some(self, words: tuple[str, ...], most: int = 2) -> list[str]:
        return list(words) if len(words) <= most else self.rng.sample(words, most)

    def _draw(self, forms: Forms) -> tuple[str, str] | None:
        forms = [form for form in forms if not _TIGHT.search(form[1]) or _COMPACT.fullmatch(form[2]["np"])]
        if not forms:
            return None
        _, template, fields, wording = self.rng.choices(forms, [form[0] for form in forms])[0]
        text = _ALTERNATIVES.sub(lambda found: self.rng.choice(found[1].split("|")), template).format_map(fields)
        return " ".join(text.split()), wording


def _many(noun: str) -> bool:
    """Whether a noun is a plural."""
    return plural(noun) == noun


def _type(step: Step) -> str:
    return step[0].object_type if step[1] > 0 else step[0].subject_type


def _circumstance(step: Step) -> bool:
    """Whether a hop leads to the place or time of what its verb says ("where X was founded")."""
    return step[1] > 0 and (step[0].adjectival or _type(step) in {PLACE, DATE})


def say(steps: Sequence[Step], phraser: Phraser) -> tuple[str, tuple[str, ...]] | None:
    """A question for a path, `SLOT` standing for where it starts, and the wordings used; None where words are missing."""
    rng, wordings, i = phraser.rng, list[str](), 0
    np = phraser.named(steps[0], SLOT)
    while i < len(steps):
        returns = i + 1 < len(steps) and steps[i + 1] == (steps[i][0], -steps[i][1])
        if returns and rng.random() < 0.6 and (said := phraser.shared(steps[i], np)) is not None:
            i += 2
            if i == len(steps):
                said = (rng.choice(("", "", "what are ", "which are ", "who are ", "name ")) + said[0], said[1])
        else:
            i += 1
            said = phraser.asked(steps[i - 1], np) if i == len(steps) else phraser.described(steps[i - 1], np)
        if said is None:
            return None
        np = said[0]
        wordings.append(said[1])
    text = np + rng.choice(("?", " ?", "", ""))
    text = text.replace("'s ", " 's ") if rng.random() < 0.3 else text
    if text.count(SLOT) != 1:
        return None
    return text[0].upper() + text[1:] if rng.random() < 0.3 and not text.startswith(SLOT) else text, tuple(wordings)


def _nouns(family: Family, direction: int) -> Iterator[str]:
    named = family.object_nouns if direction > 0 else family.subject_nouns
    return (noun for noun in (*named, *_label_nouns(family, direction)) if not noun.startswith(("what ", "where ", "how ")))


def wordings_of(family: Family, way: int, allowed: Callable[[Family, int, str], bool] | None = None) -> list[str]:
    """The words by which a step is known: the family's name, nouns for where it leads, and verbs."""
    phraser = Phraser(random.Random(0), allowed)
    return [family.name, *phraser.nouns((family, way)), *phraser.verbs((family, way))]


def _label_nouns(family: Family, direction: int) -> tuple[str, ...]:
    """The label itself, where it is a noun for the object ("release year") or, with "of", for the subject."""
    words = family.name.split()
    if direction > 0 and words[-1] not in _PREPOSITIONS and not family.object_nouns and not family.verbs:
        return (family.name.removeprefix("has "),)
    if direction < 0 and len(words) > 1 and words[-1] == "of" and not family.subject_nouns:
        return (" ".join(words[:-1]),)
    return ()


__all__ = ["SLOT", "Phraser", "Step", "Verb", "plural", "say", "verb", "wordings_of"]
