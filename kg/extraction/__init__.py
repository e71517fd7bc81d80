"""Facts out of prose by a small trained model.

windows    whole sentences, as many as the model reads at once
heads      who is named, and what is said of any two of them (numpy, over token states)
extractor  the two together: documents in, facts and mentions with offsets out
labels     what its relations are called in a graph
examples   texts with known facts, in the public forms that training and benchmarks/extract.py read
network    the same model in torch, and its losses; train trains it on public data, export packages it
"""
