"""Rows and columns of tables of accuracies: their order, and how they are headed."""

from debugset.dcd.variants import VARIANTS

VARIANT_ORDER = ("original", *VARIANTS)
COLUMNS = {
    "seed": "seed",
    "heldout": "held-out",
    "seed_source": "seed_source",
    "heldout_source": "heldout_source",
    "test": "test",
    "seed_source_all": "seed_source",
    "heldout_source_all": "heldout_source",
    "test_all": "test",
    "deval": "de-val",
}
GAINED = {"heldout": "held-out failures, %", "seed": "seeds, %", "deval": "de-val, %"}
KEPT = {
    "heldout_source": "heldout_source, debug classes, %",
    "test": "test, debug classes, %",
    "test_all": "test, all classes, %",
}
