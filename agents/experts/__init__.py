"""Sources of knowledge beside paths and passages, each with a price and an opinion, and tools that keep a pool of them small."""
