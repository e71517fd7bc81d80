"""The graph in other programs' formats. `export` writes a file, whole or not at all; what a label holds cannot break it.

    files       the table of formats, and `export`
    graphs      GraphML, GEXF, Cytoscape JSON, node-link JSON: nodes and edges for analysis
    tables      CSV, a workbook for Excel, a zip of CSV files for neo4j-admin
    diagrams    Mermaid, Graphviz, SVG, a page: a picture of what fits on one

RDF is written by `kg.rdf_export`. Every format that can hold all facts reads them from the store in one or two passes.
"""

RDF = ("nq", "trig", "nt", "ttl", "jsonld", "rdf")
FORMATS = (*RDF, "graphml", "gexf", "cyjs", "json", "csv", "xlsx", "zip", "mmd", "dot", "svg", "html")
