"""The command ``debugset``: a file a group of commands."""
