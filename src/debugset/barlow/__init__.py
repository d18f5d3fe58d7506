"""Barlow: failure modes of a classifier as short rules on features (Singla et al., CVPR 2021)."""
