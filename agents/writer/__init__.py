"""The distilled writer: the sentence a user reads, whose every name, number and date comes from a verified fact.

`story` says what is to be told, `grammar` all the ways to tell it, a small model which of them reads best, and `check` reads the
text back: what states other facts than the story, or cites them otherwise, is rejected. The model is an encoder over the states
of the packaged encoder and a decoder that copies (`network`); it is held to the texts of the grammar, so it cannot invent. It
learned to choose from sentences that people wrote for known facts (`corpora`, `train`).
"""

from .check import faults
from .story import Story, story
from .writer import Writer, Written

__all__ = ["Story", "Writer", "Written", "faults", "story"]
