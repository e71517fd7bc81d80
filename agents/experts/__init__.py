"""Experts beside the path search: what answers without looking into the graph.

    memory        a small closed-book model of one graph: a question and a linked name in, a belief over answers out
    train_memory  how it learns: facts of the graph, put into words by the lexicon, shown as often as they are spoken of
    veto          when it may not speak: the ledger knows that what it learned has changed or was erased
"""
