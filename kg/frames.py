"""Facts as tables: plain dictionaries, pandas, polars, Arrow; the same columns everywhere.

A `Row` is one statement at one place. What has rows (a graph, the graph on a day, an answer) inherits `Tabular`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]
    import polars as pl
    import pyarrow as pa  # type: ignore[import-untyped]

    from .model import Triple
    from .store import Store


class Row(NamedTuple):
    """One statement at one place. The field names are the columns of every table hoptrace gives out."""

    subject: str
    relation: str
    object: str
    chunk_id: str
    source: str  # uri
    start: int
    end: int
    score: float  # the statement's best confidence; in an answer that of its path
    confidence: float  # the extractor's, at this place
    generation: int  # ledger number the table was read at


_WHOLE, _REAL = ("start", "end", "generation"), ("score", "confidence")


def rows_of(store: Store, triples: Iterable[Triple]) -> Iterator[Row]:
    """Every statement once for each of its spans."""
    generation = store.seq
    uris = {source.id: source.uri for source in store.sources(live=None)}
    for triple in triples:
        for span in triple.spans:
            yield Row(
                subject=triple.subject.label,
                relation=triple.relation.label,
                object=triple.object.label,
                chunk_id=span.chunk_id,
                source=uris.get(span.source_id, span.source_id),
                start=span.start,
                end=span.end,
                score=triple.confidence,
                confidence=span.confidence,
                generation=generation,
            )


class Tabular:
    """Something with `rows`, as tables of other libraries. Columns and types are those of `Row`, also when there are none."""

    __slots__ = ()

    def rows(self) -> Iterable[Row]:
        raise NotImplementedError

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per row."""
        return [row._asdict() for row in self.rows()]

    def to_pandas(self) -> pd.DataFrame:
        """A pandas DataFrame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("a DataFrame", "documents") from None
        types = dict.fromkeys(_WHOLE, "int64") | dict.fromkeys(_REAL, "float64")
        return pd.DataFrame(list(self.rows()), columns=list(Row._fields)).astype(types)

    def to_polars(self) -> pl.DataFrame:
        """A polars DataFrame.

        Raises:
            MissingExtraError: polars is not installed.
        """
        try:
            import polars as pl
        except ImportError:
            raise MissingExtraError("a polars frame", "arrow") from None
        return pl.DataFrame(self._columns(), schema=_types(pl.String(), pl.Int64(), pl.Float64()))

    def to_arrow(self) -> pa.Table:
        """An Arrow table.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        try:
            import pyarrow as pa
        except ImportError:
            raise MissingExtraError("an Arrow table", "arrow") from None
        return pa.table(self._columns(), schema=pa.schema(_types(pa.string(), pa.int64(), pa.float64())))

    def _columns(self) -> dict[str, list[Any]]:
        rows = list(self.rows())
        return {name: [row[i] for row in rows] for i, name in enumerate(Row._fields)}


def _types(text: Any, whole: Any, real: Any) -> dict[str, Any]:
    return {name: whole if name in _WHOLE else real if name in _REAL else text for name in Row._fields}


__all__ = ["Row", "Tabular", "rows_of"]
