"""What a graph can be asked: the relation patterns it holds, as raw material for questions whose answers are known.

Patterns are counted here, on integers; `retrieval.mining` puts them into words; a `QualityGate` says what is wrong with one.
"""

from .patterns import Pattern, PatternMiner
from .quality import QualityGate, Question

__all__ = ["Pattern", "PatternMiner", "QualityGate", "Question"]
