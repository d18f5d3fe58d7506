"""Who answers a scrape: Flickr with the user's key, or the simulator, started here and stopped with us."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import debugset
from debugset.base.files import sha256
from debugset.base.machine import calls_per_hour, files_per_second
from debugset.images.sets import MANIFEST
from debugset.pool.simulator import server
from debugset.pool.simulator.spoiled import PLACEHOLDER_SHA256

REST_URL = "https://api.flickr.com/services/rest/"
_UNLIMITED = 1e9
_VARIABLES = ("FLICKR_API_KEY", "FLICKR_API_SECRET")


@dataclass(frozen=True)
class Service:
    """A photo service.

    Attributes:
        name: what its spool is called; another name never sees this one's answers.
        rest_url: where searches go.
        hosts: host name -> address of the server that stands in for it, for downloads; empty at Flickr.
        key: the API key; like the secret it never appears in outs, logs or error texts.
        secret: the key's secret.
        calls_per_hour: how many searches any hour may see.
        files_per_second: how many files are fetched a second, from each host.
        placeholders: SHA-256 of the pictures that it shows in the place of a photo that is gone.
    """

    name: str
    rest_url: str
    hosts: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default="simulated", repr=False)
    secret: str = field(default="simulated", repr=False)
    calls_per_hour: float = _UNLIMITED
    files_per_second: float = _UNLIMITED
    placeholders: frozenset[str] = frozenset()

    def hide(self, text: str) -> str:
        """The text without key and secret."""
        return text.replace(self.key, "***").replace(self.secret, "***")


def flickr_service() -> Service:
    """Flickr, with ``FLICKR_API_KEY`` and ``FLICKR_API_SECRET`` of the environment, and the machine's limits.

    Raises:
        ValueError: one of them is not set, or a limit is no number.
    """
    for name in _VARIABLES:
        if not os.environ.get(name):
            raise ValueError(f"{name}: not set; set it in the environment or .env, or use scrape.endpoint: simulator")
    key, secret = (os.environ[name] for name in _VARIABLES)
    return Service("flickr", REST_URL, {}, key, secret, float(calls_per_hour()), files_per_second())


def simulated_service(url: str, world: Path) -> Service:
    """The simulator at ``url``, which asks for no patience.

    Its spool is named after the world, for another world has other answers.
    """
    name = f"simulator-{sha256(world / MANIFEST)[:12]}"
    placeholders = frozenset([PLACEHOLDER_SHA256])
    return Service(name, f"{url}/services/rest/", {server.IMAGE_HOST: url}, placeholders=placeholders)


@contextmanager
def running_simulator(world: Path, result_cap: int) -> Iterator[Service]:
    """Start the simulator in a process of its own on a free port of the loopback; stop it at the end.

    Its standard input is a pipe from this process; it ends with that pipe, so it goes even if we are killed.

    Args:
        world: the image set that it shows.
        result_cap: how many results of one search it gives out.

    Raises:
        OSError: it did not start.
    """
    source = str(Path(debugset.__file__).parents[1])
    search_path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", server.__name__, "--world", str(world), "--port", "0"]
    command += ["--result-cap", str(result_cap), "--until-stdin-closes"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": search_path}
    )
    assert process.stdin and process.stdout
    try:
        line = process.stdout.readline()
        if not line:
            raise OSError(f"{world}: the simulator did not start (exit code {process.wait()}); see its message above")
        yield simulated_service(json.loads(line)["url"], world)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()
