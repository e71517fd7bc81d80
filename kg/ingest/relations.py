"""What relations are called: one readable label per well-known relation, whichever way a sentence puts it.

Keys of `VERB_RELATIONS` are a verb's lemma, then its preposition if any; `passive` keys start with "be". A label that starts
with "<" has its ends swapped: "Y was founded by X" and "X founded Y" both give (X, founded, Y).
"""

from __future__ import annotations

import re

from .lexicon import IRREGULAR, PHRASAL, third_person


def _table(text: str) -> dict[str, str]:
    """Lines of "label: phrase | phrase", a line that starts deeper going on with the one before, as phrase -> label."""
    rows: dict[str, str] = {}
    for line in re.sub(r"\n\s{8,}", " ", text).strip().splitlines():
        label, _, phrases = line.partition(": ")
        rows |= {phrase.strip(): label.strip() for phrase in phrases.split("|")}
    return rows


# labels whose facts hold over a period rather than happen on a day
STATES = frozenset(
    re.split(
        r"\s*\|\s*",
        """agent of | auditor of | chair of | chief executive of | chief financial officer of | contract with | customer of |
        director of | employed by | governor of | head of | headquartered in | insured by | king of | leads | leased from |
        leased to | licensed by | located in | manages | mayor of | member of | minister of | operates | owns | part of |
        partner of | president of | queen of | registered in | regulated by | shareholder of | spouse | subsidiary of |
        supplies | supplies to | works for""",
    )
)

VERB_RELATIONS: dict[str, str] = _table(
    """
    founded: found | establish | set up | co-found | incorporate
    founded in: be found in | be establish in | be set up in
    incorporated in: be incorporate in
    acquired: acquire | buy | purchase | take over | buy out | take control of
    headquartered in: have seat in | have registered office in | have base in | be base in | be headquarter in | have
            headquarters in | have head office in | move headquarters to | move head office to | be base at
    owns: own | hold stake in | own stake in | have stake in | acquire stake in | buy stake in | take stake in | hold shares
            in | own shares in | hold shares of | hold share in | hold interest in | hold share of | own share of | hold stake
            of | own interest in
    controls: control
    holds: hold
    <owns: belong to | be own by
    supplies: supply | supply with
    supplies to: supply to | deliver to
    supplied to: be supply to
    sold to: sell to | be sell to
    sold: sell
    delivered: deliver
    bought from: buy from | purchase from | acquire from
    <supplies to: source from
    has office in: have offices in
    located in: be locate in | be locate at | be situate in | lie in | be locate on
    registered in: be register in
    merged with: merge with | be merge with
    merged into: merge into
    renamed to: rename | be rename | be rename to | change name to
    also known as: be know as | be call
    named after: be name after
    works for: work for | work at | teach at
    joined: join
    employs: employ | hire
    <employs: be employ by
    left: leave
    leads: head | lead
    manages: run | manage
    chair of: chair
    <regulated by: regulate | supervise | oversee
    <licensed by: license
    fined: fine | penalise | impose fine on | impose penalty on
    sued: sue
    <audited by: audit
    <insured by: insure
    financed: finance | fund
    invested in: invest in
    signed contract with: sign contract with | sign agreement with | win contract with | win contract from | have contract
            with
    awarded contract to: award contract to
    sold stake in: sell stake in | sell shares in
    operates: operate
    leased from: lease from
    leased to: lease to
    chartered from: charter from
    manufactures: manufacture
    makes: make
    built: build
    launched: launch
    listed on: be list on
    specialises in: specialise in
    employees: employ people
    place of birth: be bear in | be bear at | be bear near
    child of: be bear to
    date of birth: be bear on
    place of death: die in | die at
    date of death: die on
    place of burial: be bury in | be bury at
    spouse: marry | be marry to | wed
    divorced: divorce
    educated at: be educate at | study at | graduate from | attend
    educated in: study in
    studied under: study under
    lives in: live in | reside in
    moved to: move to
    succeeded: succeed | replace
    <succeeded: be succeed by
    won: win
    received: receive | be award
    elected: be elect
    nominated for: be nominate for
    killed in: be kill in
    played for: play for
    represented: represent
    <directed by: direct
    <produced by: produce
    <written by: write | script | co-write
    <composed by: compose
    <performed by: sing | perform | record
    <published by: publish
    <released by: release
    <distributed by: distribute
    <edited by: edit
    starring: star
    features: feature
    <starring: star in | appear in | act in
    based on: be base on | adapt from | be adapt from
    <created by: create
    inspired by: be inspire by
    composed by: be compose by | be score by
    released by: be release by
    released on: be release on
    set in: be set in
    filmed in: be film in | be shoot in
    flows into: flow into
    borders: border
    part of: be part of
    named: be name
    comprises: comprise
    <designed by: design
    <developed by: develop
    """
)

# facts about a day: the verb and the label of (subject, label, date)
DATE_RELATIONS: dict[str, str] = _table(
    """
    date of birth: bear
    date of death: die | kill | murder | execute
    founded in: found | establish | incorporate | set up
    released in: release | premiere
    published in: publish
    opened in: open
    built in: build
    launched in: launch
    closed in: close
    dissolved in: dissolve
    married in: marry
    completed in: complete
    recorded in: record
    """
)

# role nouns: "R of Y" said about X; "<" swaps the ends
ROLES: dict[str, str] = _table(
    """
    child of: son | daughter | child
    <father: father
    <mother: mother
    spouse: wife | husband | spouse | widow | consort
    sibling: brother | sister | half-brother | half-sister | sibling
    grandchild of: grandson | granddaughter
    <grandfather: grandfather
    <grandmother: grandmother
    cousin: cousin
    uncle of: uncle
    nephew of: nephew
    niece of: niece
    <subsidiary of: parent | parent company
    son-in-law of: son-in-law
    founded: founder | co-founder
    owns: owner | co-owner | shareholder
    subsidiary of: subsidiary | unit | arm
    part of: division | branch | part | suburb | district | single | track
    affiliate of: affiliate
    supplies to: supplier
    customer of: customer | client
    distributor of: distributor
    makes: maker | manufacturer
    <produced by: producer
    operates: operator
    <insured by: insurer
    <audited by: auditor
    <regulated by: regulator
    partner of: partner
    competitor of: competitor
    chief executive of: chief executive | chief executive officer | ceo | managing director
    general manager of: general manager
    chief financial officer of: chief financial officer | finance director | cfo
    chief operating officer of: chief operating officer
    chief technology officer of: chief technology officer
    chair of: chairman | chair | chairwoman | chairperson
    president of: president
    vice president of: vice president
    head of: head | leader
    director of: director | executive director
    mayor of: mayor
    governor of: governor
    minister of: minister
    prime minister of: prime minister
    king of: king
    queen of: queen
    ruler of: ruler
    emperor of: emperor
    duke of: duke
    duchess of: duchess
    count of: count
    countess of: countess
    bishop of: bishop
    member of: member
    capital of: capital
    <written by: author | writer | screenwriter
    <composed by: composer
    <performed by: singer
    <edited by: editor
    <created by: creator
    <starring: star
    <published by: publisher
    tributary of: tributary
    sequel to: sequel
    remake of: remake
    based on: adaptation
    professor of: professor
    student of: student
    works for: employee
    agent of: agent
    lawyer of: lawyer
    ambassador to: ambassador
    secretary of: secretary
    inspector of: inspector
    captain of: captain
    <headquartered in: headquarters | head office
    <makes: product | brand
    <home port: home port
    <also known as: name
    <formerly known as: former name
    predecessor of: predecessor
    succeeded: successor
    deputy of: deputy
    <price: price | cost
    <revenue: revenue | turnover
    <population: population
    <profit: profit
    <fine: fine
    shipyard of: shipyard
    manager of: manager
    trustee of: trustee
    commissioner of: commissioner
    flagship of: flagship
    """
)
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


_PAST = {verb: form for form, verb in IRREGULAR.items()} | dict(
    pair.split(":")
    for pair in """bear:born begin:begun go:gone become:become know:known write:written sing:sung take:taken give:given
    drive:driven choose:chosen show:shown see:seen draw:drawn oversee:overseen break:broken withdraw:withdrawn fly:flown
    grow:grown fall:fallen get:got rise:risen""".split()
)
_DOUBLES = frozenset(
    "transfer refer star step stop plan drop ship control cancel label travel ban permit occur prefer commit submit admit".split()
)


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
