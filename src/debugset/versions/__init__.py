"""Comparing versions: of the data, by what git and DVC keep of each."""
