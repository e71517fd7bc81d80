"""The IRIs hoptrace writes: the vocabulary of its exports and the names it mints for nodes that have none.

The host is under `.invalid` (RFC 2606), so nothing can be fetched from it by accident. An export holds one named graph per
chunk with the statements read from that chunk (merged names as one), and the graph `METADATA` with everything needed to
build the same sources again (facts and names as they were put):

    ht:Source    ht:uri ht:mediaType ht:sha256 ht:title ht:kind ht:records ht:recordedAt ht:retractedAt
    ht:Chunk     ht:source ht:start ht:end ht:text ht:kind
    ht:Fact      ht:source ht:subject ht:relation ht:relationIri ht:object ht:start ht:end ht:quote ht:extractor
                 ht:confidence ht:validFrom ht:validTo ht:graph
    ht:Mention   ht:source ht:name ht:start ht:end
    ht:Name      rdfs:label ht:type ht:alias ht:iri, as one text gave them
    ht:Entity    rdfs:label ht:type ht:alias, as the graph shows them
    ht:Relation  rdfs:label ht:functional
    ht:Triple    ht:subject ht:relation ht:object ht:status ht:validFrom ht:validTo ht:recordedAt ht:retractedAt

What people have said stands beside these: `ht:retracted` and `ht:mark` (an audit status) on the id of a triple, `ht:sameAs`
and `ht:differentFrom` between the ids of two entities.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from .model import Entity, Node, Relation, normalize
from .rdf_terms import Blank, Iri, Term, is_absolute, write_term

HT = "https://hoptrace.invalid/ns#"
ID = "https://hoptrace.invalid/id/"
REL = "https://hoptrace.invalid/relation/"
MINTED = (ID, REL)
METADATA = Iri(HT + "metadata")


def ht(local: str) -> Iri:
    return Iri(HT + local)


def minted(stable_id: str) -> Iri:
    """The IRI of a thing that has none but its content id."""
    return Iri(ID + stable_id)


def usable(iri: str) -> bool:
    """Whether an `iri` field can stand in RDF as it is."""
    return is_absolute(iri) and write_term(Iri(iri)) == f"<{iri}>"


def node_term(node: Node) -> Term:
    """A node of the graph as an RDF term: its IRI, its blank label, or an IRI minted from its id."""
    return entity_term(node) if isinstance(node, Entity) else node


def entity_term(entity: Entity) -> Iri | Blank:
    if entity.iri.startswith("_:"):
        return Blank(entity.iri[2:])
    return Iri(entity.iri) if usable(entity.iri) else minted(entity.id)


def relation_term(relation: Relation) -> Iri:
    """The relation's IRI, or its name in words: "is employed by" is `REL` + `is_employed_by`."""
    if usable(relation.iri):
        return Iri(relation.iri)
    words = normalize(relation.iri or relation.label).replace(" ", "_")
    return Iri(REL + re.sub(r"[^\w&+.~-]", lambda found: quote(found[0], safe=""), words))
