"""The pipeline's stages: each module reads params, calls debugset and writes its outs."""
