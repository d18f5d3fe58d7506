"""Flickr: searches, window by window, until all that can be found is found."""
