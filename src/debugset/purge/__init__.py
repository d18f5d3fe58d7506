"""Purging: finding all that holds a forgotten photo in old versions of the data, and removing it."""
