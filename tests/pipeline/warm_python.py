"""A Python that is warm: a server which has imported the heavy libraries, and forks itself for every stage.

Twenty-two stages start twenty-two Pythons, and nearly all of their time goes into importing torch; DVC itself takes a
second to import. A clone whose PATH begins with `warm_python`'s folder runs `python -m stages.X` and `dvc` in a fork of
the server instead: the same interpreter and libraries, and none of our own code until the fork has taken over the
caller's folder, environment and arguments.
"""

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

import pydantic

LIBRARIES = (
    "numpy", "pandas", "pyarrow.parquet", "pyarrow.dataset", "pyarrow.pandas_compat", "pydantic.types",
    "jaxtyping", "dotenv", "PIL.Image", "PIL.JpegImagePlugin", "PIL.WebPImagePlugin", "skimage.color", "skimage.data",
    "skimage.io", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "torch", "tqdm", "yaml", "timm",
    "safetensors.torch", "lightning_fabric", "jinja2", "aiohttp.web", "httpx", "flickrapi", "stamina", "sqlite3",
    "dvc.cli.parser", "dvc.repo", "dvc.commands.repro",
)  # fmt: skip
OURS = ("debugset", "stages", "tests")

CLIENT = """\
#!{python} -SIE
import os, socket, sys
arguments = sys.argv[1:]
if sys.argv[0].endswith("dvc"):
    arguments = ["-m", "dvc", *arguments]
elif arguments[:1] != ["-m"] or not arguments[1].startswith("stages."):
    os.execv({python!r}, [{python!r}, *arguments])
import json
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    told = json.dumps([os.getcwd(), dict(os.environ), arguments[1:]]).encode()
    socket.send_fds(server, [len(told).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(told)
    code = server.recv(1)
sys.exit(code[0] if code else 70)
"""


@contextmanager
def warm_python(folder):
    """Start the server; yield the folder whose `python` and `dvc` ask it."""
    address = folder / "socket"
    client = folder / "bin" / "python"
    client.parent.mkdir()
    client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    client.with_name("dvc").symlink_to(client)
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # a test's tensors are small; more threads wait for each other
    with subprocess.Popen([sys.executable, __file__, str(address)], stdin=subprocess.DEVNULL, env=one_thread) as server:
        try:
            while not address.exists():
                assert server.poll() is None, "the warm Python did not start"
                time.sleep(0.05)
            yield client.parent
        finally:
            server.terminate()


def serve(address):
    """Import the libraries, then answer until terminated."""
    for library in LIBRARIES:
        __import__(library)
    pydantic.create_model("Any")  # the first model of a process looks through all installed packages for plugins
    gc.freeze()  # or every fork's collector writes to, and so copies, the pages of all these libraries
    assert not {name.split(".")[0] for name in sys.modules} & set(OURS)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.tmp")
        listener.listen()
        Path(f"{address}.tmp").rename(address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks are not waited for
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                answer(connection)
            connection.close()


def answer(connection):
    """In a fork: become the caller's process, run its module, tell the exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    told = b""
    while len(told) < int.from_bytes(length, "big"):
        told += connection.recv(1 << 16)
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    code = 1
    try:
        code = run(*json.loads(told))
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))
    os._exit(code)


def run(folder, environment, arguments):
    """Run a module as `python -m` would; its exit code."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    path = [str(Path(entry).resolve()) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:1] = [folder, *path]
    sys.argv = arguments
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
