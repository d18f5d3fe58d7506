import re
import subprocess

import numpy as np
from PIL import Image

from tests.browser import EXECUTABLE, OFFLINE, QUIET, needed

pytestmark = needed


def browse(reported, profile, *options):
    """Open the page offline: every name resolves to nothing."""
    address = (reported / "report/index.html").as_uri()
    options = ("--enable-logging=stderr", "--window-size=1280,1600", *options)
    command = [EXECUTABLE, *QUIET, OFFLINE, f"--user-data-dir={profile}", *options, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_browser_opens_the_page_from_disk(reported, tmp_path):
    picture = tmp_path / "page.png"
    shot = browse(reported, tmp_path / "profile", f"--screenshot={picture}")
    assert "CONSOLE" not in shot.stderr
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    assert pixels.shape == (1600, 1280, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500  # text, drawings and photographs
    below = browse(reported, tmp_path / "profile", "--dump-dom").stdout
    assert re.search(r"<h2>How to repeat it", below)
    assert below.count("<svg") == 12
