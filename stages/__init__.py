"""The pipeline's stages: each module reads params, calls debugset and writes its outs.

`python -m stages.X` imports this package first, before any library that computes.
"""

import sys

from debugset.base.command import run
from debugset.base.numerics import settle

if sys.argv[0] == "-m":  # what Python puts there while it looks for the module that it shall run
    run(settle)
