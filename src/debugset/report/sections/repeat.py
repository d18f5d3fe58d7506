"""How to repeat the run, and what it does not show."""

from typing import Any

from debugset.base.paths import POOL
from debugset.report.inputs import SCORED, Inputs

SHORT = "Repeat, limits"
TITLE = "How to repeat it, and what it does not show"
NEEDS = ()


def context(inputs: Inputs) -> dict[str, Any]:
    """What decides which limits apply."""
    evaluated = not inputs.missing(SCORED)
    generated = not inputs.missing((POOL,)) and "true_label" in inputs.pool.manifest
    return {
        "runs": int(inputs.accuracy["runs"].max()) if evaluated else 1,
        "generated": generated,
    }
