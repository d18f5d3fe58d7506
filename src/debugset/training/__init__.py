"""Training: the recipe, the training sets of the variants, and the loop."""
