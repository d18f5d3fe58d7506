"""Training: the recipe, the batches, and the loop."""
