"""Image sets: folders of one manifest and uncompressed tar shards, and their images as pixels."""
