"""The parameters of stage `report`."""

from pydantic import Field

from debugset.base.params import Section


class ReportParams(Section):
    """Section ``report``: how much the report shows.

    Attributes:
        seeds_shown: failures shown with their picks, drawn in turn from the debug classes.
        picks_shown: picks shown for each of them and each embedder, nearest first.
        border_pairs: pairs shown on each side of the leak filter's border; stage `dedup` keeps 24.
        examples: images shown for each fate of a pool image, and for each outcome of a held-out failure.
        modes_shown: failure modes shown, the most important first.
        classes_shown: classes shown with the features that they rest on, those being mended first.
        random_state: of every draw of examples.
    """

    seeds_shown: int = Field(ge=1, le=200)
    picks_shown: int = Field(ge=1, le=50)
    border_pairs: int = Field(ge=1, le=24)
    examples: int = Field(ge=1, le=200)
    modes_shown: int = Field(ge=1, le=1000)
    classes_shown: int = Field(ge=1, le=1000)
    random_state: int = Field(ge=0)
