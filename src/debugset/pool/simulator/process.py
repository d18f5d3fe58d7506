"""The simulator in a process of its own: started here, stopped with us, asked as Flickr is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import debugset
from debugset.base.files import sha256
from debugset.images.sets import MANIFEST
from debugset.pool.flickr.service import Service
from debugset.pool.hosts import Hosts
from debugset.pool.simulator.library import IMAGE_HOST
from debugset.pool.simulator.server import serve

_ANY = "simulated"  # key and secret: any will do


def simulator_service(url: str, world: Path) -> Service:
    """The simulator at ``url``; its spool is named after the world, for another world has other answers."""
    name = f"simulator-{sha256(world / MANIFEST)[:12]}"
    return Service(name, f"{url}/services/rest/", Hosts({IMAGE_HOST: url}), _ANY, _ANY)


@contextmanager
def run_simulator(world: Path, result_cap: int) -> Iterator[Service]:
    """Run the simulator on a free port of the loopback as long as the context.

    Its standard input is a pipe from this process; it ends with that pipe, so it goes even if we are killed. It shows
    the image set ``world`` and gives out ``result_cap`` results of one search. Raises OSError if it did not start.
    """
    source = str(Path(debugset.__file__).parents[1])
    search_path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "debugset.pool.simulator.process", str(world), str(result_cap)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": search_path}
    )
    assert process.stdin and process.stdout
    try:
        line = process.stdout.readline()
        if not line:
            raise OSError(f"{world}: the simulator did not start (exit code {process.wait()}); see its message above")
        yield simulator_service(json.loads(line)["url"], world)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()


if __name__ == "__main__":  # the process that `run_simulator` starts; people use ``debugset pool simulator``
    with suppress(KeyboardInterrupt):
        try:
            serve(Path(sys.argv[1]), "127.0.0.1", 0, int(sys.argv[2]), until_stdin_closes=True)
        except (ValueError, OSError) as error:
            sys.exit(f"error: {' '.join(str(error).split())}")
