"""The same masks, labels and features in the types that users hold them in, and what leaves a doubt."""

import numpy as np
import pandas as pd

MASKS = {
    "integers": lambda mask: mask.astype(np.int64),
    "bytes": lambda mask: mask.astype(np.uint8),
    "floats": lambda mask: mask.astype(np.float32),
    "a list": lambda mask: mask.tolist(),
    "a list of 1 and 0": lambda mask: [int(value) for value in mask],
    "a column": lambda mask: pd.Series(mask, index=range(len(mask), 0, -1)),
    "a nullable column": lambda mask: pd.Series(mask, dtype="boolean"),
    "a column of objects": lambda mask: pd.Series(mask.tolist(), dtype=object),
    "a frame": lambda mask: pd.DataFrame({"mask": mask}),
}

# Each takes a mask's length, at least 4; what follows is how the error goes on after the mask's name.
BAD_MASKS = {
    "a 2": (lambda length: [0, 1, 2] + [0] * (length - 3), "expected True or False, but {name}[2] is 2; pass booleans"),
    "signs": (lambda length: np.repeat(-1, length), "expected True or False, but {name}[0] is -1; pass booleans"),
    "a share": (lambda length: np.full(length, 0.5), "expected True or False, but {name}[0] is 0.5; pass booleans"),
    "a gap": (
        lambda length: [1.0] * (length - 1) + [np.nan],
        "expected True or False, but {name}[{last}] is nan; pass",
    ),
    "no answer": (
        lambda length: [True, None] + [False] * (length - 2),
        r"expected True or False, but {name}[1] is None; pass",
    ),
    "words": (lambda length: ["yes"] * length, "expected True or False, but {name}[0] is 'yes'; pass booleans, or 1"),
    "rows": (
        lambda length: np.array([3, 0]),
        "expected one value for each of {length} .*, got shape \\(2,\\); .*np.isin",
    ),
    "two columns": (lambda length: np.zeros((length, 2), bool), "expected one value .*, got shape \\({length}, 2\\)"),
    "one column": (lambda length: np.zeros((length, 1), bool), "expected one value .*, got shape \\({length}, 1\\)"),
}

LABELS = {
    "narrow integers": lambda labels: labels.astype(np.int8),
    "unsigned integers": lambda labels: labels.astype(np.uint64),
    "floats": lambda labels: labels.astype(np.float64),
    "a list": lambda labels: labels.tolist(),
    "a column": lambda labels: pd.Series(labels, index=range(len(labels), 0, -1)),
    "a nullable column": lambda labels: pd.Series(labels, dtype="Int64"),
    "categories": lambda labels: pd.Series(labels, dtype="category"),
    "a frame": lambda labels: pd.DataFrame({"label": labels}),
}

BAD_LABELS = {
    "booleans": (
        lambda length: np.ones(length, bool),
        r"expected class indices from -?\d, but {name}[0] is True; pass i",
    ),
    "a half": (
        lambda length: [0.0, 1.5] + [0] * (length - 2),
        r"expected class .*, but {name}[1] is 1.5; pass indices",
    ),
    "a gap": (lambda length: [np.nan] + [0] * (length - 1), r"expected class .*, but {name}[0] is nan; pass indices"),
    "names": (
        lambda length: ["cat"] * length,
        r"expected class .*, but {name}[0] is 'cat'; pass indices into the class n",
    ),
    "-2": (lambda length: [0, -2] + [0] * (length - 2), r"expected class .*, but {name}[1] is -2; pass indices"),
    "one-hot": (lambda length: np.eye(length), r"expected one .*, got shape \({length}, {length}\); pass indices"),
}

FEATURES = {
    "a list": lambda features: features.tolist(),
    "a frame": lambda features: pd.DataFrame(features, index=range(len(features), 0, -1)),
    "a frame of objects": lambda features: pd.DataFrame(features.astype(object)),
}


def error(name, line, length):
    """The pattern of a whole error line, or its beginning, about an argument of that name."""
    filled = line.replace("{name}[", f"{name}\\[").replace("] is", "\\] is")
    return f"^{name}: " + filled.replace("{length}", str(length)).replace("{last}", str(length - 1))
