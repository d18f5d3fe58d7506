"""The table's columns and their headings, in the paper's order (table 4)."""

COLUMNS = {
    "seed": "seed",
    "heldout": "held-out",
    "mfreq": "mfreq",
    "complement": "complement",
    "test": "test",
    "mfreq_all": "mfreq",
    "complement_all": "complement",
    "test_all": "test",
    "deval": "de-val",
}
GAINED = {"heldout": "held-out failures, %", "seed": "seeds, %", "deval": "de-val, %"}
KEPT = {
    "complement": "complement, debug classes, %",
    "test": "test, debug classes, %",
    "test_all": "test, all classes, %",
}
