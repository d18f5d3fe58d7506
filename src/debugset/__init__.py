"""debugset: find where an image classifier fails, collect the images that fix it, prove the gain."""
