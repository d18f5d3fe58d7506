"""Data-Centric Debugging: failures, the leak filter, picks, training sets, the accuracy table."""
