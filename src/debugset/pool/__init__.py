"""The pool: weakly labelled photos from a photo service's search, and the simulator that stands in for it."""
