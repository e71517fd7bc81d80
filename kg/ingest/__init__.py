"""From files to facts.

    discover -> loaders -> extractor -> cut -> store
    which       Document    facts in     tiles    one transaction
    files       + table     its text              per document
                facts

A `Document` is text that offsets point into, with the facts that its tables already state. `loaders` makes it; what is
not plain text is parsed in a child process (`kg.sandbox`). `rules` is the default extractor, `pipeline.ingest` runs it
all, and `journal` remembers what was done, so that a second run reads only what changed.
"""
