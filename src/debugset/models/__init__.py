"""Models: the registry, building and storing them, their features, and attacks on them."""
