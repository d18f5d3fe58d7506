"""How alike the inference patterns of two attributes are in an image: the paper's varpi."""

import numpy as np
from jaxtyping import Float, Float32


def cosines(patterns: Float[np.ndarray, "n a x"]) -> Float32[np.ndarray, "n a a"]:
    """The cosine between the inference patterns of every two attributes, image by image.

    Args:
        patterns: v, a vector of units for each image and attribute.

    Returns:
        Within [-1, 1]; 1 on the diagonal; 0 where a pattern is zero: it shares nothing.

    Raises:
        ValueError: a value is missing or infinite.
    """
    if not np.isfinite(patterns).all():
        raise ValueError("patterns: a value is missing or infinite")
    lengths = np.linalg.norm(patterns, axis=2, keepdims=True)
    unit = np.divide(patterns, lengths, out=np.zeros_like(patterns), where=lengths > 0)
    return (unit @ unit.swapaxes(1, 2)).clip(-1, 1).astype(np.float32)
