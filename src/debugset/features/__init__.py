"""Features of image sets: embedded, stored, searched for neighbours."""
