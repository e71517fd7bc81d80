"""An agent's graph in LlamaIndex: a retriever for query engines. Needs the extra `llamaindex`.

retriever = HoptraceRetriever(agent, k=5)
engine = RetrieverQueryEngine.from_args(retriever, llm=...)
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...kg.errors import MissingExtraError
from .found import Passage, passages

try:
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
except ImportError:
    raise MissingExtraError("LlamaIndex", "llamaindex") from None

if TYPE_CHECKING:
    from ..agent import Agent


class HoptraceRetriever(BaseRetriever):
    """Passages that state the paths of a question first, then the best others.

    A node's id is that of the chunk; its metadata are `source`, `start`, `end`, `score` and, where a path led there, `path` and
    `triples`.

    Args:
        agent: whose graph is searched; no answer is composed.
        k: most nodes.
        as_of: the day at which facts must hold.
    """

    def __init__(self, agent: Agent, *, k: int = 5, as_of: date | None = None) -> None:
        super().__init__()
        self.agent, self.k, self.as_of = agent, k, as_of

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(one) for one in passages(self.agent, query_bundle.query_str, self.k, self.as_of)]


def _node(found: Passage) -> NodeWithScore:
    chunk = found.chunk
    node = TextNode(id_=chunk.id, text=chunk.text, metadata=found.metadata, start_char_idx=chunk.start, end_char_idx=chunk.end)
    return NodeWithScore(node=node, score=found.score)


__all__ = ["HoptraceRetriever"]
