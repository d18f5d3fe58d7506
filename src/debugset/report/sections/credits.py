"""Who made the pool's photos that this page shows, and under which licence."""

from typing import Any

from debugset.pool.rights.credit import CREDIT_COLUMNS, credits_of
from debugset.report.inputs import Inputs

SHORT = "Credits"
TITLE = "Who made these photos"
NEEDS = ()


def context(inputs: Inputs) -> dict[str, Any] | None:
    """A line for each photo of the pool that a section before this one shows; None if nothing is known of them."""
    rows = sorted(inputs.shown_pool_rows)
    if not rows or not set(CREDIT_COLUMNS) <= set(inputs.pool.manifest):
        return None
    return {"credits": credits_of(inputs.pool.manifest.iloc[rows])}
