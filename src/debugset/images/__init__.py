"""Image sets: folders of one manifest and uncompressed tar shards, and where the default's images come from."""
