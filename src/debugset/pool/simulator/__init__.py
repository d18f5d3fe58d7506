"""A Flickr on this machine: the default talks to it."""
