"""Parameters of a feature's pictures: section ``visuals``."""

from pydantic import PositiveFloat, PositiveInt

from debugset.base.params import Section


class VisualsParams(Section):
    """Section ``visuals``: how images are changed to show what a feature looks for.

    Attributes:
        attack_radius: of feature attacks, L2, in units of pixels in [0, 1].
        attack_step: length of a step of them.
        attack_steps: how many.
    """

    attack_radius: PositiveFloat
    attack_step: PositiveFloat
    attack_steps: PositiveInt
