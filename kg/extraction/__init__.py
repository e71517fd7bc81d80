"""Facts out of prose by a small trained model.

windows    whole sentences, as many as the model reads at once
heads      who is named, and what is said of any two of them (numpy, over the token states of an ONNX encoder)
extractor  the two together: documents in, facts and mentions with offsets out
examples   texts with known facts, in the public forms that training and benchmarks/extract.py read
train      the same model in torch, from public data; export packages it
"""
