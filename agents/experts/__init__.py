"""Sources of knowledge beside paths and passages: each has a price, and an opinion."""
