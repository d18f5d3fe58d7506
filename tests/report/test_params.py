import subprocess
import sys
from pathlib import Path

import pytest

from debugset.base.params import ParamsError, check
from debugset.report.params import ReportParams


def test_wrong_params_are_named():
    with pytest.raises(ParamsError, match=r"`report\.seeds_shown`"):
        check({"report": {"seeds_shown": 0}}, "report", ReportParams)


def test_params_import_nothing_heavy():
    code = "import sys, debugset.report.params; print({'matplotlib', 'pandas', 'jinja2'} & set(sys.modules))"
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "set()"
