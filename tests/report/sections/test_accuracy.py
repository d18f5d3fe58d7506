import re

import pandas as pd

from tests.report.world import RIGHT


def test_page_tells_the_accuracy_that_the_predictions_have(world, page):
    predictions = pd.read_parquet(world / "data/evaluation/predictions.parquet")
    failures = pd.read_parquet(world / "data/errors/failures.parquet")
    heldout = failures[failures["role"] == "heldout"]["image_id"]
    for variant in RIGHT:
        rows = predictions[(predictions["model"] == variant) & predictions["image_id"].isin(heldout)]
        accuracy = 100 * (rows["label"] == rows["predicted"]).mean()
        cells = re.search(rf'<th scope="row">{variant}</th>(.*?)</tr>', page, re.DOTALL).group(1)
        assert re.findall(r"<td[^>]*>([\d.]+)<small>", cells)[1] == f"{accuracy:.1f}"
