"""How to repeat the run, and what it does not show."""

from typing import Any

from debugset.base.paths import POOL
from debugset.report.inputs import ACCURACY_FILES, Inputs

SHORT = "Repeat, limits"
TITLE = "How to repeat it, and what it does not show"
NEEDS = ()


def context(inputs: Inputs) -> dict[str, Any]:
    """What decides which limits apply."""
    runs = 1 if inputs.missing_files(ACCURACY_FILES) else int(inputs.accuracy["runs"].max())
    generated = not inputs.missing_files([POOL]) and "true_label" in inputs.pool.manifest
    return {"runs": runs, "generated": generated}
