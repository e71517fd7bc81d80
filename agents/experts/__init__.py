"""Experts and their pool: which are chosen, kept at hand, trimmed, fused and split, and those that give text."""
