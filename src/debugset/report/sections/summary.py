"""The first screen: what failed, what was collected, what it gained."""

from typing import Any

from debugset.base.paths import POOL, SEED_SOURCE
from debugset.dcd.failures import MODE
from debugset.report.inputs import ACCURACY_FILES, Inputs
from debugset.report.pictures import tile
from debugset.report.pool_photos import caption_and_mark, pool_tile
from debugset.report.seeds import SEED_SET, draw_seeds, nearest_picks

SHORT = "In short"
TITLE = "In short"
NEEDS = ACCURACY_FILES
_STORY_PICKS = 4  # a line of them fits beside the failure


def context(inputs: Inputs) -> dict[str, Any]:
    """The headline numbers and one failure with its picks."""
    roles, failed = inputs.failures["role"], set(inputs.failures["class"])
    return {
        "seeds": int((roles == "seed").sum()),
        "heldout": int((roles == "heldout").sum()),
        "modes": int((roles == MODE).sum()),
        "spotless": [inputs.class_name(index) for index in inputs.debug_classes if index not in failed],
        "classes": [inputs.class_name(index) for index in inputs.debug_classes],
        "added": inputs.added.get(inputs.chosen, {}),
        "story": _story(inputs),
    }


def _story(inputs: Inputs) -> dict[str, Any] | None:
    """The first shown seed with picks that the chosen variant mends, its picks and labels; None without any."""
    if inputs.missing_files([SEED_SET, POOL]) or inputs.chosen_embedder not in inputs.picks:
        return None
    now = inputs.predicted_labels(inputs.chosen, SEED_SOURCE)
    for seed in draw_seeds(inputs):
        picks = nearest_picks(inputs, inputs.chosen_embedder, seed)["row"].head(_STORY_PICKS).tolist()
        if not picks or now.get(seed.image_id) != seed.label:
            continue
        tiles = []
        for row in picks:
            caption, mark = caption_and_mark(inputs, row, seed.label)
            tiles.append(pool_tile(inputs, row, f"pick from the pool: {caption}", caption=caption, mark=mark))
        label = inputs.class_name(seed.label)
        failure = tile(inputs.images(SEED_SET).image(seed.row), f"a failure: {label}")
        return {"failure": failure, "label": label, "predicted": inputs.class_name(seed.predicted), "picks": tiles}
    return None
