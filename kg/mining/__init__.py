"""What a graph can be asked: the relation patterns it holds, as raw material for questions whose answers are known.

Patterns are counted here, on integers; `retrieval.mining` puts them into words.
"""

from .patterns import Pattern, PatternMiner

__all__ = ["Pattern", "PatternMiner"]
