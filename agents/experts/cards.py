"""Experts that give text: what they write is kept where it is about the question, made short, and checked against the graph.

After Knowledge Card (Feng et al. 2023, arXiv 2305.09955). There, facts are checked by models of fact verification; here, by the
graph itself: a sentence is read by rules, and what it says is in the graph, against it, or unknown to it. Passages that were
retrieved can go the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...kg.errors import UnknownEntityError, UnknownRelationError
from ...kg.graph import KnowledgeGraph
from ...kg.ingest.rules import RuleExtractor
from ...kg.ingest.sentences import sentences
from ...kg.model import Document, Fact, normalize
from ...retrieval.encoder import TextEncoder

_TOKENS = 30  # of a text that is short enough
_TEXTS = 20  # texts that are kept
_ROUNDS = 3  # cards that are asked one after the other


@dataclass(frozen=True, slots=True)
class Card:
    """An expert that writes background.

    Attributes:
        name: of the expert.
        about: its domain in a few words, compared with the question.
        write: texts for a question.
    """

    name: str
    about: str
    write: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Text:
    """What a card wrote.

    Attributes:
        card: the name of its expert.
        text: as it was kept.
        relevance: cosine to the question.
        factuality: of `factuality`, before it was made short.
    """

    card: str
    text: str
    relevance: float
    factuality: float


def verdict(kg: KnowledgeGraph, fact: Fact) -> int | None:
    """What the graph says of a fact: 1, it holds it; -1, its relation has one object at a time, and that is another; 0, neither;
    None, it does not know the subject or the relation."""
    try:
        relation = kg.relation(fact.relation)
        held = {normalize(triple.object.label) for triple in kg.triples(fact.subject.label, relation.id)}
    except (UnknownEntityError, UnknownRelationError):
        return None
    if normalize(fact.object.label) in held:
        return 1
    return -1 if held and relation.functional else 0


def factuality(kg: KnowledgeGraph, text: str) -> float:
    """(supported - contradicted + 1) / (supported + contradicted + 2) of a text's facts; .5 where the graph says nothing."""
    found = [one for one in (verdict(kg, fact) for fact in _facts(text)) if one]
    return (sum(found) + 1) / (len(found) + 2)


def relevance(encoder: TextEncoder, question: str, texts: Sequence[str]) -> np.ndarray:
    """Cosine of each text to the question, float32 [texts]."""
    if not texts:
        return np.zeros(0, np.float32)
    vectors = encoder.encode([question, *texts])
    cosines: np.ndarray = vectors[1:] @ vectors[0]
    return cosines


def brevity(kg: KnowledgeGraph, encoder: TextEncoder, text: str, tokens: int = _TOKENS) -> str:
    """The text if it is short; of a longer one the sentences that state a fact whose subject and relation the graph knows. Where
    there are none, as many of the first as fit, at least one."""
    if encoder.count_tokens([text])[0] <= tokens:
        return text
    spans = sentences(text)
    stated = [fact for fact in _facts(text) if verdict(kg, fact) is not None]
    kept = [text[a:b] for a, b in spans if any(fact.start < b and fact.end > a for fact in stated)]
    if kept:
        return " ".join(kept)
    parts = [text[a:b] for a, b in spans]
    ends = np.cumsum(encoder.count_tokens(parts))
    return " ".join(parts[: max(1, int((ends <= tokens).sum()))])


def filtered(
    kg: KnowledgeGraph, encoder: TextEncoder, question: str, written: Sequence[tuple[str, str]], limit: int = _TEXTS
) -> list[Text]:
    """The texts that are nearest the question and that the graph does not contradict, nearest first, made short.

    Args:
        written: the name of the card and the text that it wrote.
        limit: texts that are kept.
    """
    cosines = relevance(encoder, question, [text for _, text in written])
    kept: list[Text] = []
    for at in np.argsort(-cosines, kind="stable")[:limit].tolist():
        card, text = written[at]
        score = factuality(kg, text)
        if score >= 0.5:
            kept.append(Text(card, brevity(kg, encoder, text), float(cosines[at]), score))
    return kept


def bottom_up(kg: KnowledgeGraph, encoder: TextEncoder, question: str, cards: Sequence[Card]) -> list[Text]:
    """What all cards wrote, filtered."""
    return filtered(kg, encoder, question, [(card.name, text) for card in cards for text in card.write(question)])


def top_down(
    kg: KnowledgeGraph, encoder: TextEncoder, question: str, cards: Sequence[Card], more: Callable[[Sequence[Text]], bool]
) -> list[Text]:
    """What the cards nearest the question wrote, filtered, one card after the other while more is needed, three at most.

    Args:
        more: whether what there is does not suffice.
    """
    order = np.argsort(-relevance(encoder, question, [card.about for card in cards]), kind="stable")
    found: list[Text] = []
    for at in order[:_ROUNDS].tolist():
        if not more(found):
            break
        found += filtered(kg, encoder, question, [(cards[at].name, text) for text in cards[at].write(question)])
    return found


def _facts(text: str) -> tuple[Fact, ...]:
    return tuple(RuleExtractor().extract([Document("", "text/plain", text, "")])[0][0])


__all__ = ["Card", "Text", "bottom_up", "brevity", "factuality", "filtered", "relevance", "top_down", "verdict"]
