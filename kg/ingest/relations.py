"""What relations are called: one readable label per well-known relation, whichever way a sentence puts it.

Keys of `VERB_RELATIONS` are a verb's lemma, then its preposition if any; `passive` keys start with "be". A label that starts
with "<" has its ends swapped: "Y was founded by X" and "X founded Y" both give (X, founded, Y).
"""

from __future__ import annotations

from .lexicon import IRREGULAR, PHRASAL, third_person

# labels whose facts hold over a period rather than happen on a day
STATES = frozenset(
    """owns|supplies|supplies to|headquartered in|located in|chief executive of|chair of|president of|director of|mayor of
    |employed by|works for|member of|part of|subsidiary of|spouse|manages|operates|regulated by|licensed by|chief financial officer of
    |head of|governor of|minister of|leads|shareholder of|customer of|auditor of|insured by|leased from|leased to|king of|queen of|contract with
    |agent of|registered in|partner of""".replace("\n", "").replace("    ", "").split("|")
)

VERB_RELATIONS: dict[str, str] = {
    # companies
    "found": "founded", "establish": "founded", "set up": "founded", "co-found": "founded", "incorporate": "founded",
    "be found in": "founded in", "be establish in": "founded in", "be incorporate in": "incorporated in",
    "be set up in": "founded in", "acquire": "acquired", "buy": "acquired", "purchase": "acquired", "take over": "acquired", "buy out": "acquired", "have seat in": "headquartered in", "have registered office in": "headquartered in", "have base in": "headquartered in",
    "take control of": "acquired", "own": "owns", "control": "controls", "hold": "holds", "belong to": "<owns",
    "be own by": "<owns", "supply": "supplies", "supply to": "supplies to", "be supply to": "supplied to",
    "supply with": "supplies", "deliver to": "supplies to", "sell to": "sold to", "sell": "sold", "deliver": "delivered", "be sell to": "sold to",
    "buy from": "bought from", "purchase from": "bought from", "acquire from": "bought from", "source from": "<supplies to",
    "be base in": "headquartered in", "be headquarter in": "headquartered in", "have headquarters in": "headquartered in",
    "have head office in": "headquartered in", "have offices in": "has office in", "move headquarters to": "headquartered in",
    "move head office to": "headquartered in", "be base at": "headquartered in", "be locate in": "located in",
    "be locate at": "located in", "be situate in": "located in", "lie in": "located in", "be locate on": "located in",
    "be register in": "registered in", "merge with": "merged with", "be merge with": "merged with",
    "merge into": "merged into", "rename": "renamed to", "be rename": "renamed to", "be rename to": "renamed to",
    "change name to": "renamed to", "be know as": "also known as", "be call": "also known as", "be name after": "named after",
    "work for": "works for", "work at": "works for", "join": "joined", "employ": "employs", "be employ by": "<employs",
    "hire": "employs", "leave": "left", "head": "leads", "lead": "leads", "run": "manages", "manage": "manages",
    "chair": "chair of", "regulate": "<regulated by", "supervise": "<regulated by", "oversee": "<regulated by",
    "license": "<licensed by", "fine": "fined", "penalise": "fined", "impose fine on": "fined", "impose penalty on": "fined",
    "sue": "sued", "audit": "<audited by", "insure": "<insured by", "finance": "financed", "fund": "financed",
    "invest in": "invested in", "sign contract with": "signed contract with", "sign agreement with": "signed contract with",
    "award contract to": "awarded contract to", "win contract with": "signed contract with", "win contract from": "signed contract with",
    "have contract with": "signed contract with", "hold stake in": "owns", "own stake in": "owns", "have stake in": "owns",
    "acquire stake in": "owns", "buy stake in": "owns", "take stake in": "owns", "hold shares in": "owns",
    "own shares in": "owns", "hold shares of": "owns", "hold share in": "owns", "hold interest in": "owns",
    "hold share of": "owns", "own share of": "owns", "hold stake of": "owns", "own interest in": "owns",
    "sell stake in": "sold stake in", "sell shares in": "sold stake in", "operate": "operates", "lease from": "leased from",
    "lease to": "leased to", "charter from": "chartered from", "manufacture": "manufactures", "make": "makes", "build": "built",
    "design": "designed by|<", "develop": "developed by|<", "launch": "launched", "be list on": "listed on",
    "specialise in": "specialises in", "employ people": "employees",
    # people
    "be bear in": "place of birth", "be bear at": "place of birth", "be bear near": "place of birth", "be bear to": "child of",
    "be bear on": "date of birth", "die in": "place of death", "die at": "place of death", "die on": "date of death",
    "be bury in": "place of burial", "be bury at": "place of burial", "marry": "spouse", "be marry to": "spouse", "wed": "spouse",
    "divorce": "divorced", "be educate at": "educated at", "study at": "educated at", "graduate from": "educated at",
    "attend": "educated at", "study in": "educated in", "study under": "studied under", "teach at": "works for",
    "live in": "lives in", "reside in": "lives in", "move to": "moved to", "succeed": "succeeded", "replace": "succeeded",
    "be succeed by": "<succeeded", "win": "won", "receive": "received", "be award": "received", "be elect": "elected",
    "be nominate for": "nominated for", "be kill in": "killed in", "play for": "played for", "represent": "represented",
    # works
    "direct": "<directed by", "produce": "<produced by", "write": "<written by", "compose": "<composed by", "sing": "<performed by",
    "perform": "<performed by", "record": "<performed by", "publish": "<published by", "release": "<released by",
    "distribute": "<distributed by", "edit": "<edited by", "star": "starring", "feature": "features", "star in": "<starring",
    "appear in": "<starring", "act in": "<starring", "be base on": "based on", "adapt from": "based on", "create": "<created by",
    "be adapt from": "based on", "be inspire by": "inspired by", "be compose by": "composed by", "be release by": "released by",
    "be release on": "released on", "be set in": "set in", "be film in": "filmed in", "be shoot in": "filmed in",
    "script": "<written by", "co-write": "<written by", "be score by": "composed by",
    # places and things
    "flow into": "flows into", "border": "borders", "be part of": "part of", "be name": "named", "comprise": "comprises",
}

# facts about a day: the verb and the label of (subject, label, date)
DATE_RELATIONS: dict[str, str] = {
    "bear": "date of birth", "die": "date of death", "found": "founded in", "establish": "founded in", "incorporate": "founded in",
    "release": "released in", "publish": "published in", "premiere": "released in", "open": "opened in", "build": "built in",
    "launch": "launched in", "close": "closed in", "dissolve": "dissolved in", "marry": "married in", "complete": "completed in",
    "set up": "founded in", "record": "recorded in", "kill": "date of death", "murder": "date of death", "execute": "date of death",
}

# role nouns: "R of Y" said about X. "<" swaps the ends; "parent" and "director" depend on the other end.
ROLES: dict[str, str] = {
    "son": "child of", "daughter": "child of", "child": "child of", "father": "<father", "mother": "<mother", "wife": "spouse",
    "husband": "spouse", "spouse": "spouse", "widow": "spouse", "consort": "spouse", "brother": "sibling", "sister": "sibling",
    "half-brother": "sibling", "half-sister": "sibling", "sibling": "sibling", "grandson": "grandchild of",
    "granddaughter": "grandchild of", "grandfather": "<grandfather", "grandmother": "<grandmother", "cousin": "cousin",
    "uncle": "uncle of", "nephew": "nephew of", "niece": "niece of", "parent": "<child of", "son-in-law": "son-in-law of",
    "founder": "founded", "co-founder": "founded", "owner": "owns", "co-owner": "owns", "shareholder": "owns",
    "parent company": "<subsidiary of", "parent": "<subsidiary of", "subsidiary": "subsidiary of", "division": "part of",
    "unit": "subsidiary of", "affiliate": "affiliate of", "arm": "subsidiary of", "branch": "part of", "part": "part of",
    "supplier": "supplies to", "customer": "customer of", "client": "customer of", "distributor": "distributor of",
    "maker": "makes", "manufacturer": "makes", "producer": "<produced by", "operator": "operates", "insurer": "<insured by",
    "auditor": "<audited by", "regulator": "<regulated by", "partner": "partner of", "competitor": "competitor of",
    "chief executive": "chief executive of", "chief executive officer": "chief executive of", "ceo": "chief executive of",
    "managing director": "chief executive of", "general manager": "general manager of",
    "chief financial officer": "chief financial officer of", "finance director": "chief financial officer of",
    "cfo": "chief financial officer of", "chief operating officer": "chief operating officer of",
    "chief technology officer": "chief technology officer of",
    "chairman": "chair of", "chair": "chair of", "chairwoman": "chair of", "chairperson": "chair of", "president": "president of",
    "vice president": "vice president of", "head": "head of", "leader": "head of", "director": "director of",
    "executive director": "director of", "mayor": "mayor of", "governor": "governor of", "minister": "minister of",
    "prime minister": "prime minister of", "king": "king of", "queen": "queen of", "ruler": "ruler of", "emperor": "emperor of",
    "duke": "duke of", "duchess": "duchess of", "count": "count of", "countess": "countess of", "bishop": "bishop of",
    "member": "member of", "capital": "capital of", "author": "<written by", "writer": "<written by", "screenwriter": "<written by",
    "composer": "<composed by", "singer": "<performed by", "editor": "<edited by", "creator": "<created by",
    "star": "<starring", "publisher": "<published by", "tributary": "tributary of", "suburb": "part of", "district": "part of",
    "single": "part of", "track": "part of", "sequel": "sequel to", "remake": "remake of", "adaptation": "based on",
    "professor": "professor of", "student": "student of", "employee": "works for", "agent": "agent of", "lawyer": "lawyer of",
    "ambassador": "ambassador to", "secretary": "secretary of", "inspector": "inspector of", "captain": "captain of",
    "headquarters": "<headquartered in", "product": "<makes", "brand": "<makes", "head office": "<headquartered in", "home port": "<home port", "name": "<also known as",
    "former name": "<formerly known as", "predecessor": "predecessor of", "successor": "succeeded", "deputy": "deputy of",
    "price": "<price", "revenue": "<revenue", "turnover": "<revenue", "population": "<population", "cost": "<price",
    "profit": "<profit", "fine": "<fine", "shipyard": "shipyard of", "manager": "manager of", "trustee": "trustee of",
    "commissioner": "commissioner of", "flagship": "flagship of",
}  # fmt: skip
VERB_RELATIONS = {k: v for k, v in VERB_RELATIONS.items() if "|" not in v} | {"design": "<designed by", "develop": "<developed by"}
PARENT_WORDS = frozenset(("son", "daughter", "child"))
KINSHIP = frozenset(("child of", "spouse", "sibling", "<father", "<mother", "<child of"))
WORK_ROLES = {"director of": "<directed by"}  # the director of a film is not a director of a firm


def verb_relation(lemma: str, noun: str, prep: str, passive: bool) -> tuple[str, bool]:
    """The label of a verb with its object noun and preposition, and whether subject and object are swapped.

    >>> verb_relation("acquire", "", "", False), verb_relation("own", "", "by", True)
    (('acquired', False), ('owns', True))
    >>> verb_relation("inspect", "", "", False)
    ('inspects', False)
    """
    words = " ".join(word for word in (lemma, noun, prep) if word)
    if passive and prep == "by" and not noun:
        label, swap = verb_relation(lemma, "", "", False)
        return label, not swap
    label = VERB_RELATIONS.get(f"be {words}" if passive else words, "")
    if not label and passive and prep:
        label = f"{past(lemma)} {noun} {prep}".replace("  ", " ")
    if not label:
        label = " ".join(word for word in ("was " + past(lemma) if passive else third_person(lemma), noun, prep) if word)
    return label.removeprefix("<"), label.startswith("<")


_PAST = {verb: form for form, verb in IRREGULAR.items()} | {
    "bear": "born", "begin": "begun", "go": "gone", "become": "become", "know": "known", "write": "written", "sing": "sung", "take": "taken",
    "give": "given", "drive": "driven", "choose": "chosen", "show": "shown", "see": "seen", "draw": "drawn", "oversee": "overseen",
    "break": "broken", "withdraw": "withdrawn", "fly": "flown", "grow": "grown", "fall": "fallen", "get": "got", "rise": "risen",
}  # fmt: skip
_DOUBLES = frozenset("transfer refer star step stop plan drop ship control cancel label travel ban permit occur prefer commit submit admit rob".split())


def past(lemma: str) -> str:
    """The past participle, for labels such as "listed on"; a chain such as "agreed to buy" stays as it is.

    >>> past("supply"), past("transfer"), past("write")
    ('supplied', 'transferred', 'written')
    """
    if " " in lemma:
        first, rest = lemma.split(" ", 1)
        return f"{past(first)} {rest}" if lemma in PHRASAL else lemma
    if lemma in _PAST:
        return _PAST[lemma]
    if lemma in _DOUBLES:
        return lemma + lemma[-1] + "ed"
    if lemma.endswith("e"):
        return lemma + "d"
    if lemma.endswith("y") and lemma[-2:-1] not in "aeiou":
        return lemma[:-1] + "ied"
    return lemma + "ed"
