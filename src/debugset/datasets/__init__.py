"""Where images come from: the generated worlds, and collections that lie on the machine."""
