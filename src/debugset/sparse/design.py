"""The matrix that the solver multiplies: standardised features with a column of ones behind, by blocks of rows."""

import numpy as np
import torch
from jaxtyping import Float, Float64

from debugset.features.matrix import Matrix

_KEPT_BYTES = 2**30  # of standardised blocks; further ones are read and standardised again in every pass
_NEARLY_CONSTANT = 1e-6  # a standard deviation of this share of the mean is rounding, and no feature


class Design:
    """Blocks of standardised features, the last column ones, on a device.

    Features of float64 are worked on as such, all others in float32. No whole copy is made of what is larger than
    a GiB: its blocks are read when they are needed.
    """

    def __init__(self, features: Float[Matrix, "n d"], block_rows: int, where: torch.device) -> None:
        self.n, self.width = len(features), features.shape[1] + 1
        self.dtype = torch.float64 if features.dtype == np.float64 else torch.float32
        starts = range(0, self.n, block_rows)
        self.rows = [slice(start, min(start + block_rows, self.n)) for start in starts]
        self.means, self.scales = moments(features, self.rows)
        self._features, self._where = features, where
        self._centre = self.on_device(self.means)
        self._inverse = self.on_device(np.divide(1, self.scales, out=np.zeros_like(self.scales), where=self.scales > 0))
        kept = _KEPT_BYTES // (block_rows * self.width * self.dtype.itemsize)
        self._kept = [self._read(rows) for rows in self.rows[:kept]]

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self.rows)

    def __getitem__(self, block: int) -> Float[torch.Tensor, "b w"]:
        """A block of rows."""
        return self._kept[block] if block < len(self._kept) else self._read(self.rows[block])

    def on_device(self, values: np.ndarray) -> torch.Tensor:
        """Values as the blocks are: their type, and where they lie."""
        return torch.from_numpy(values).to(self._where, self.dtype)

    def _read(self, rows: slice) -> Float[torch.Tensor, "b w"]:
        """Standardise rows; they travel to the device as they are stored."""
        stored = np.array(self._features[rows])  # a copy: torch wants no memory that cannot be written
        block = torch.ones((len(stored), self.width), dtype=self.dtype, device=self._where)
        block[:, :-1] = (torch.from_numpy(stored).to(self._where, self.dtype) - self._centre) * self._inverse
        return block


def moments(
    features: Float[Matrix, "n d"], blocks: list[slice]
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"]]:
    """Mean and standard deviation of every feature, read once; 0 is the deviation of nearly constant ones.

    Raises:
        ValueError: a feature is not finite.
    """
    count = 0
    means, squares = np.zeros(features.shape[1]), np.zeros(features.shape[1])
    for rows in blocks:
        block = np.asarray(features[rows], np.float64)
        if not np.isfinite(block).all():
            raise ValueError("features: contains NaN or infinite values; embed these images again")
        block_means = block.mean(axis=0)
        shift, total = block_means - means, count + len(block)
        # Chan's update: squared distances from the block's mean, and of this mean from the one so far
        squares += ((block - block_means) ** 2).sum(axis=0) + shift**2 * count * len(block) / total
        means += shift * len(block) / total
        count = total
    scales = np.sqrt(squares / count)
    return means, np.where(scales > _NEARLY_CONSTANT * np.abs(means), scales, 0.0)
