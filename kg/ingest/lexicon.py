"""Word lists of the rule extractor: closed word classes, verbs and their forms, class nouns, name parts.

Only general English is here; what relations are called is in `relations.py`.
"""

from __future__ import annotations

DETERMINERS = frozenset(
    """
        a an the this these those each every another any some all both several many most no its' one two three four five six
        seven eight nine ten""".split()
)
PERSONAL = frozenset("he she it they him them himself herself itself themselves".split())
POSSESSIVE = frozenset("his her its their hers".split())
RELATIVE = frozenset("who which that whom".split())
BE = frozenset("is was are were be been being am".split())
HAVE = frozenset("has have had having".split())
MODAL = frozenset("will would can could may might shall should must do does did".split())
NEGATION = frozenset("not never n't cannot neither nor without".split())
PREPOSITIONS = frozenset(
    """
        of in on at by for with from to into onto under over as about after before since until till between among against
        through during via within near outside inside across off towards toward upon per like beside behind beyond above below
        alongside throughout around including regarding concerning except despite following""".split()
)
SUBORDINATORS = frozenset("when while although though because if whereas where after before since until as once unless".split())
ADVERBS = frozenset(
    """
        also now then later still already soon once again currently formerly previously originally initially eventually
        finally subsequently recently largely mainly mostly primarily partly wholly jointly solely only just even often
        usually always together perhaps probably approximately about nearly almost over roughly best well very widely
        officially formally reportedly allegedly however therefore meanwhile moreover today yesterday first there here long
        ago instead generally notably especially twice nominally legally directly indirectly immediately""".split()
)
HEDGES = frozenset("may might could would should if unless whether reportedly allegedly".split())
CIVIL_TITLES = frozenset("mr mrs ms miss dr prof professor rev reverend".split())
NAME_JOINTS = frozenset(
    "of de van von der den del della di da du la le les el y bin ibn al af av zu dos das mac ap ferch e do the à ter ten".split()
)
NOBILITY = frozenset(
    """
        king queen duke duchess earl count countess baron baroness margrave prince princess emperor empress marquess viscount
        marquis dauphin infante infanta caliph bishop archbishop abbot lord lady elector landgrave viscountess sultan emir
        shah pope archduke archduchess""".split()
)
MALE_TITLES = frozenset(
    """
    king duke earl count baron margrave prince emperor sir lord viscount marquess mr sultan emir shah archduke""".split()
)
FEMALE_TITLES = frozenset(
    """
    queen duchess countess baroness princess empress lady dame mrs ms miss viscountess archduchess""".split()
)

LEGAL_FORMS = frozenset(
    """
        ltd limited inc incorporated plc llc llp gmbh ag sa nv bv oy ab as asa spa srl corp corporation co company kg kk sarl
        pty pte se aps""".split()
)
ORGANIZATION_WORDS = LEGAL_FORMS | frozenset(
    """
        group holdings holding partners industries labs laboratories bank university college institute school agency authority
        ministry department council committee commission association society foundation trust union club team party church
        records pictures studios studio productions entertainment films press airlines airways lines shipping logistics
        systems technologies energy power capital ventures fund insurance motors steel foods pharmaceuticals works bureau
        office court parliament assembly hospital museum federation league orchestra band army navy regiment brothers sons
        services solutions maritime marine freight transport instruments components electronics batteries chemicals mining
        fisheries registry inspectorate logistics analytics coatings ferries shipyard shipyards shipbuilders consulting
        advisers advisors
            associates properties mills brewery refinery plastics textiles packaging tankers carriers terminals towage aggregates
            dredging salvage audit regulator tribunal board exchange mutual company enterprises cooperative consortium
        academy theatre""".split()
)
PLACE_WORDS = frozenset(
    """
        city town village river lake mountain mount island islands sea bay county province state district region republic
        kingdom street road avenue park valley creek port harbour harbor airport station bridge castle cape peninsula ocean
        forest beach hills hill canal strait gulf territory parish""".split()
)
EVENT_WORDS = frozenset(
    """
        war battle olympics championship championships cup festival conference revolution award awards prize tour treaty
        summit election elections games siege""".split()
)

# class nouns of definitions ("X is a ferry operator") and the coarse type each one tells
CLASS_TYPES: dict[str, str] = {
    word: kind
    for kind, words in {
        "person": """
            actor actress artist author writer poet novelist playwright journalist editor director producer screenwriter
            filmmaker composer singer rapper musician songwriter guitarist pianist drummer dancer painter sculptor
            photographer politician president minister senator governor mayor ambassador diplomat lawyer judge officer soldier
            general admiral scientist physicist chemist mathematician astronomer biologist engineer architect economist
            philosopher historian theologian professor teacher scholar physician doctor nurse surgeon businessman
            businesswoman entrepreneur executive banker analyst auditor accountant chairman chairwoman chair chief ceo cfo
            founder player footballer cricketer golfer hurdler swimmer runner boxer wrestler coach manager athlete cyclist
            driver king queen prince princess emperor duke duchess earl count countess baron baroness nobleman noblewoman
            bishop priest saint missionary ruler monarch consort son daughter wife husband mother father brother sister man
            woman person critic activist comedian model cinematographer conductor broadcaster merchant aristocrat peer
            lieutenant captain colonel dean inventor explorer inspector commissioner secretary treasurer trustee shareholder
            investor lawyer partner cousin niece nephew widow""",
        "organization": """
            company firm corporation group supplier maker manufacturer producer operator distributor retailer wholesaler bank
            insurer airline carrier shipyard subsidiary parent conglomerate holding startup start-up consultancy charity
            foundation organisation organization institution agency authority regulator ministry department council committee
            university college school institute newspaper magazine publisher broadcaster station studio label band duo trio
            orchestra team club party union association society federation league church hospital museum cooperative
            laboratory brewery contractor vendor refinery fund trust business customer watchdog inspectorate chain brand
            bureau court lender buyer owner shipowner broker""",
        "place": """
            city town village municipality commune country state nation island river lake mountain region province county
            district suburb neighbourhood capital port harbour airport bridge castle palace street valley creek bay peninsula
            territory township hamlet borough settlement tributary park""",
        "work": """
            film movie documentary song single album book novel poem play opera musical series show episode game painting
            sculpture magazine short drama comedy thriller western remake adaptation sequel symphony soundtrack memoir
            anthology sitcom serial telenovela""",
        "event": """
            war battle festival championship tournament conference election revolution treaty ceremony race siege merger tour
            cup match season""",
        "product": """
            vessel ship ferry tanker car aircraft engine sensor device software drug battery chip platform turbine pump valve
            machine tool locomotive smartphone computer drone motor""",
    }.items()
    for word in words.split()
}
# words after which "the company", "the film" stand for an entity named before
ANAPHORS = frozenset(
    """
        company firm group corporation supplier maker manufacturer operator producer bank regulator agency authority ministry
        film movie documentary song single album book novel series show port city town village island river ship vessel ferry
        tanker subsidiary buyer seller owner carrier shipyard university club party band organisation organization product
        foundation fund insurer distributor contractor consultancy retailer yard plant""".split()
)
DEMONYMS: dict[str, str] = dict(
    pair.split(":")
    for pair in """
        American:United_States British:United_Kingdom English:England Scottish:Scotland Welsh:Wales Irish:Ireland
        French:France German:Germany Italian:Italy Spanish:Spain Portuguese:Portugal Dutch:Netherlands Belgian:Belgium
        Swiss:Switzerland Austrian:Austria Swedish:Sweden Norwegian:Norway Danish:Denmark Finnish:Finland Icelandic:Iceland
        Polish:Poland Czech:Czech_Republic Slovak:Slovakia Hungarian:Hungary Romanian:Romania Bulgarian:Bulgaria Greek:Greece
        Turkish:Turkey Russian:Russia Soviet:Soviet_Union Ukrainian:Ukraine Serbian:Serbia Croatian:Croatia Slovenian:Slovenia
        Bosnian:Bosnia Albanian:Albania Estonian:Estonia Latvian:Latvia Lithuanian:Lithuania Georgian:Georgia Armenian:Armenia
        Israeli:Israel Egyptian:Egypt Moroccan:Morocco Algerian:Algeria Tunisian:Tunisia Nigerian:Nigeria Ghanaian:Ghana
        Kenyan:Kenya Ethiopian:Ethiopia Iranian:Iran Persian:Persia Iraqi:Iraq Syrian:Syria Lebanese:Lebanon Jordanian:Jordan
        Saudi:Saudi_Arabia Pakistani:Pakistan Indian:India Bangladeshi:Bangladesh Nepalese:Nepal Chinese:China
        Taiwanese:Taiwan Japanese:Japan Korean:Korea Vietnamese:Vietnam Thai:Thailand Malaysian:Malaysia Indonesian:Indonesia
        Filipino:Philippines Singaporean:Singapore Australian:Australia Canadian:Canada Mexican:Mexico Cuban:Cuba
        Brazilian:Brazil Argentine:Argentina Argentinian:Argentina Chilean:Chile Peruvian:Peru Colombian:Colombia
        Venezuelan:Venezuela Bolivian:Bolivia Jamaican:Jamaica Trinidadian:Trinidad Barbadian:Barbados Kuwaiti:Kuwait
        Afghan:Afghanistan Uruguayan:Uruguay Lankan:Sri_Lanka Maltese:Malta Cypriot:Cyprus Mongolian:Mongolia
        Cambodian:Cambodia""".split()
)
LANGUAGES = frozenset(
    """
        Tamil Telugu Hindi Malayalam Kannada Bengali Marathi Punjabi Gujarati Urdu Arabic Hebrew Latin Catalan Basque
        Cantonese Mandarin Sinhala Sinhalese Hollywood Bollywood Jewish Christian Catholic Protestant Muslim Buddhist Roman
        European African Asian Native Castilian Frankish Byzantine Ottoman Flemish Bavarian Prussian Saxon Norman Western
        Nordic Baltic Victorian Democratic Republican Liberal Conservative""".split()
)
MALE = frozenset(
    """
        john william james george charles thomas henry robert edward richard joseph david michael peter paul frank louis
        daniel samuel arthur albert walter alexander philip philippe francis frederick jack harry fred ernest patrick martin
        stephen steven andrew anthony mark christopher kevin brian eric kenneth donald ronald hugh otto karl carl hans ludwig
        jean pierre jacques antonio juan carlos josé luis giovanni ivan vladimir leo max adam simon victor leonard alfred
        raymond ralph roger roy benjamin matthew jonathan luke oscar edmund geoffrey nicholas lars erik olaf johan jan anders
        sven nils rolf ali muhammad mohammed ahmed hassan ibrahim raj ravi anil vijay akira marco mario luigi pedro jorge
        miguel stefan""".split()
)
FEMALE = frozenset(
    """
        mary elizabeth anna anne ann margaret sarah jane emma alice catherine katherine helen maria marie louise charlotte
        victoria sophia sophie eleanor isabella joan julia laura susan barbara dorothy ruth rose grace florence edith evelyn
        martha caroline harriet frances emily amelia clara matilda agnes adelaide beatrice bertha blanche constance eva ingrid
        astrid karen linda patricia jennifer lisa nancy betty sandra sharon michelle amy angela nicole rachel rebecca hannah
        olivia lucy christine christina diana irene josephine teresa theresa yolanda zita gisela fatima aisha leila priya
        lakshmi olga natalia tatiana elena giulia carmen rosa lucia ana isabel inés ingeborg sigrid greta marta nora""".split()
)

VERBS = frozenset(
    """
        abandon accept accuse achieve acquire act adapt add adopt advise agree allow announce appear apply appoint approve
        arrange arrest arrive assign assist attack attend audit award back base battle begin believe belong bid block blame
        book borrow break build buy call campaign cancel carry cast cause cease certify chair challenge change charge charter
        claim close collaborate collect combine come commission compete complete compose concern conclude conduct confirm
        consider consist contain continue contract control convert convict cooperate cost cover create criticise criticize cut
        deal debut decide declare decline dedicate defeat defend deliver demolish deny depend depose describe design destroy
        develop devote die direct disclose dismiss dispute dissolve distribute divest divorce document donate double draw
        drive drop earn edit educate elect employ encourage end endorse enlist enter equip establish estimate examine exceed
        execute expand expect expire explain export extend face fail fall fall feature fight file fill finance find fine
        finish fire fit flee fly follow form found fund gain generate get give go govern grant grow guarantee halt handle head
        help hire hold host house identify impose import improve inaugurate include incorporate increase inherit inject
        inspect inspire install insure intend introduce invest investigate invite involve issue join keep kill know label land
        last launch lead lease leave lend license link list live locate lose love maintain make manage manufacture mark market
        marry measure meet merge mine mortgage mount move murder name narrate negotiate nominate note notify obtain occupy
        occur offer open operate oppose order organise organize oversee own part participate pass pay penalise penalize
        perform place plan plead play pledge portray premiere present preside prevent print prohibit process produce promise
        promote propose prosecute protect prove provide publish purchase pursue qualify raise rank reach receive recall record
        recover recruit reduce refer refuse register regulate reject relate release relocate remain remake remarry remove
        rename renew rent repair repay replace report represent require rescue resign resolve retain retire return reveal
        review revoke rise rule run sail sanction say schedule score secure see seek seize select sell send separate serve set
        settle share shift ship shoot show sign sing sit specialise specialize sponsor stand star start state step stop store
        study succeed sue suffer supervise supply support surrender suspend swap take target teach tell terminate test total
        tour track trade train transfer transform translate transport travel triple turn undergo unveil upgrade urge use value
        view visit voice vote warn watch wed widen win withdraw work obtain apologise apologize thank promise step stand write
        chronicle depict set comprise flow save commit prepare remove spend raise remember note baptise baptize marry crown
        raid inherit designate rule translate relocate recognise recognize honour honor observe protect respond visit mention
        inform insist hope wish settle permit ban warn delay postpone double shrink exceed store load unload dock moor anchor
        berth inspect detain repair paint coat weld fit""".split()
)
IRREGULAR: dict[str, str] = dict(
    pair.split(":")
    for pair in """
        began:begin begun:begin bought:buy built:build came:come cut:cut dealt:deal drew:draw drawn:draw drove:drive
        driven:drive fell:fall fallen:fall fought:fight fled:flee found:find flew:fly flown:fly gave:give given:give got:get
        gotten:get went:go gone:go grew:grow grown:grow held:hold kept:keep knew:know known:know led:lead left:leave lent:lend
        let:let lost:lose made:make met:meet paid:pay put:put rose:rise risen:rise ran:run said:say saw:see seen:see
        sought:seek sold:sell sent:send shot:shoot showed:show shown:show sang:sing sung:sing sat:sit stood:stand took:take
        taken:take taught:teach told:tell won:win withdrew:withdraw withdrawn:withdraw wrote:write written:write became:become
        become:become becomes:become went:go becoming:become born:bear bore:bear shut:shut split:split spent:spend
        spends:spend spoke:speak spoken:speak brought:bring chose:choose chosen:choose oversaw:oversee overseen:oversee
        underwent:undergo bid:bid broke:break broken:break wed:wed set:set hid:hide hidden:hide dubbed:dub hit:hit
        overtook:overtake overtaken:overtake beat:beat thought:think felt:feel wound:wind forgot:forget struck:strike
        swore:swear sworn:swear threw:throw thrown:throw bet:bet headquartered:headquarter buried:bury married:marry
        died:die""".split()
)
PARTICIPLES = frozenset(
    """written sung known born taken given driven chosen shown seen drawn begun overseen broken withdrawn sworn
    headquartered""".split()
)
PHRASAL = frozenset(
    """take over|set up|carry out|spin off|sell off|buy out|wind up|hand over|break up|shut down|close down|step down
stand down""".replace("\n", "|").split("|")
)
COMMON_STARTERS = frozenset(
    """
        according additionally although among another apart because besides both but despite due during early each either
        every few following for former further given having here how if instead is it its last late latest like many meanwhile
        more most much neither no none not nothing one only other others our out overall prior several similarly since so some
        soon such than thanks that the their then there these they this those though through thus together under unlike until
        we what when where whereas whether which while who whose why with within yet you your i my me his her he she however
        annual quarterly monthly total net gross revenue profit sales shares staff workers employees employers police
        officials analysts investors critics fans residents locations production filming construction operations shareholders
        directors members customers suppliers deliveries payments talks plans work trade prices costs demand growth extract
        form name date item figure company note notes summary background contact subject date""".split()
)


def _forms(verb: str) -> dict[str, str]:
    """Inflected forms of a regular verb and the tag of each: B base, Z -s, E -ed, G -ing."""
    stem = verb[:-1] if verb.endswith("e") else verb
    third = verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")
    if verb.endswith("y") and verb[-2] not in "aeiou":
        stem_ed, third = verb[:-1] + "ied", verb[:-1] + "ies"
    else:
        stem_ed = stem + "ed"
    forms = {verb: "B", third: "Z", stem_ed: "E", stem + "ing": "G"}
    if len(verb) > 2 and verb[-1] in "bdglmnprt" and verb[-2] in "aeiou" and verb[-3] not in "aeiou":
        forms |= {verb + verb[-1] + "ed": "E", verb + verb[-1] + "ing": "G"}
    return forms


VERB_FORMS: dict[str, tuple[str, str]] = {form: (verb, tag) for verb in sorted(VERBS) for form, tag in _forms(verb).items()}
VERB_FORMS |= {form: (verb, "K" if form in PARTICIPLES else "E") for form, verb in IRREGULAR.items()}
# irregular forms that the tables above leave out, and "found", which is the past of find far more often than a base form
VERB_FORMS |= {
    "becomes": ("become", "Z"),
    "become": ("become", "E"),
    "founded": ("found", "E"),
    "founds": ("found", "Z"),
    "found": ("find", "E"),
    "spends": ("spend", "Z"),
    "lies": ("lie", "Z"),
    "lay": ("lie", "E"),
    "starring": ("star", "G"),
    "starred": ("star", "E"),
}


def third_person(verb: str) -> str:
    """The -s form, used as the label of an open relation.

    >>> third_person("supply"), third_person("audit")
    ('supplies', 'audits')
    """
    if " " in verb:
        first, rest = verb.split(" ", 1)
        return f"{third_person(first)} {rest}" if verb in PHRASAL else verb
    if verb in ("have", "go", "do"):
        return {"have": "has", "go": "goes", "do": "does"}[verb]
    return next((form for form, tag in _forms(verb).items() if tag == "Z"), verb)


# words that may stand before a name without being part of it: "chief executive Orla Vance", "President Batista"
ROLE_WORDS = frozenset(word for word, kind in CLASS_TYPES.items() if kind == "person") | frozenset(
    "ceo cfo coo cto mayor chief executive vice deputy managing sergeant police professor dr captain leader head".split()
)
