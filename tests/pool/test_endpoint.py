import subprocess
import sys

import pytest

ENVIRONMENT = {"PYTHONPATH": "src"}


@pytest.mark.parametrize(
    ("module", "stranger"),
    [
        ("debugset.pool.flickr.photo_service", "debugset.pool.simulator"),
        ("debugset.pool.deliveries.table", "debugset.pool.flickr"),
    ],
)
def test_a_source_imports_no_other_one(module: str, stranger: str) -> None:
    code = f"import sys, {module}; print({stranger!r} in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
