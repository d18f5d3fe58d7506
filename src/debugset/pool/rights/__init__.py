"""Whose photos they are, what may be done with them, and how one is taken back out."""
