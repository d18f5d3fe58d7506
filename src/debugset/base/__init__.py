"""What everything stands on: files, git, the machine, parameters, numerics. Knows nothing of images."""
