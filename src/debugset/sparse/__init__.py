"""Sparse decision layers: classes that rest on a handful of features, and what these explain of errors."""
