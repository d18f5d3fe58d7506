import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--window-size=1280,1600",
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium found; apt-get install chromium to run it")


def browse(reported, profile, *options):
    """Open the page offline: every name resolves to nothing."""
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    address = (reported / "report/index.html").as_uri()
    command = [BROWSER, *QUIET, offline, f"--user-data-dir={profile}", *options, address]
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
