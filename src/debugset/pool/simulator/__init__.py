"""A Flickr on this machine, as hostile as asked: the default and the tests talk to it."""
