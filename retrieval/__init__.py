"""Finding evidence: from the words of a question to paths and passages, with every score kept.

A **seed** is an entity that the question names. A **unit** is a phrase that a path must explain. A **state** is a chain of
relations walked from a seed with every node it reaches; a **candidate** is a state judged as an answer set.

    encoder               sentence vectors from the packaged ONNX model, hash-checked
    question, linking     what is asked; which entities are named
    names, ambiguity      names near to what was written; which of several entities of one name comes first
    cards, rewrite        what the graph says of an entity in short; a doubtful question in the words of the graph
    wordings, relations   how people ask for relations; how well each relation of this graph answers to each unit
    temporal              what the dates of several facts say together
    paths, scoring        beam search over relation signatures; ranking of what it found
    exact, cycles         shortest paths, reachability, common neighbours, order and cycles, exactly
    complexity            how hard a path is to find, and when a beam gives way to exact search
    profile               answers in the order of a reader's interests
    dense, fusion, pagerank, passages   searches over chunks, and a second hop between them
    types, evidence       what kind of thing a node is; packing under a token budget
    retriever             Retriever, the default composition of all this
    metrics               recall, hits, F1, nDCG, bootstrap intervals

    >>> from hoptrace.retrieval.question import understand
    >>> reading = understand("Who owns the supplier of Brightwater Labs?", [(25, 41)])
    >>> reading.operation, reading.answer_type, [unit.text for unit in reading.units]
    ('lookup', 'agent', ['owns', 'supplier'])
"""
