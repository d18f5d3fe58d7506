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
from shlex import quote

import pydantic

LIBRARIES = (
    "numpy", "pandas", "pyarrow.parquet", "pyarrow.dataset", "pyarrow.pandas_compat", "pydantic.types",
    "jaxtyping", "dotenv", "PIL.Image", "PIL.JpegImagePlugin", "PIL.WebPImagePlugin", "skimage.color", "skimage.data",
    "skimage.io", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "torch", "tqdm", "yaml", "timm",
    "safetensors.torch", "lightning_fabric", "jinja2", "aiohttp.web", "httpx", "flickrapi", "stamina", "sqlite3",
    "dvc.cli.parser", "dvc.repo", "dvc.commands.repro",
)  # fmt: skip
OURS = ("debugset", "stages", "tests")

# A script's first line ends at a space and after some 100 bytes, so it cannot name an interpreter anywhere.
SCRIPT = """\
#!/bin/sh
exec {python} -SIE {client} "$0" "$@"
"""
CLIENT = """\
import os, socket, sys
name, *arguments = sys.argv[1:]
if name.endswith("dvc"):
    arguments = ["-m", "dvc", *arguments]
elif arguments[:1] != ["-m"] or not arguments[1].startswith("stages."):
    os.execv(sys.executable, [sys.executable, *arguments])
import json
told = json.dumps([os.getcwd(), dict(os.environ), arguments[1:]]).encode()
os.chdir({folder!r})  # a socket's address has 107 bytes at most
with socket.socket(socket.AF_UNIX) as server:
    server.connect("socket")
    socket.send_fds(server, [len(told).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(told)
    code = server.recv(1)
sys.exit(code[0] if code else 70)
"""


@contextmanager
def warm_python(folder, libraries=LIBRARIES):
    """Start the server; yield the folder whose `python` and `dvc` ask it."""
    client, script = folder / "client.py", folder / "bin" / "python"
    script.parent.mkdir()
    client.write_text(CLIENT.format(folder=str(folder)), encoding="utf-8")
    script.write_text(SCRIPT.format(python=quote(sys.executable), client=quote(str(client))), encoding="utf-8")
    script.chmod(0o755)
    script.with_name("dvc").symlink_to(script)
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # a test's tensors are small; more threads wait for each other
    command = [sys.executable, __file__, *libraries]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, env=one_thread) as server:
        try:
            while not (folder / "socket").exists():
                assert server.poll() is None, "the warm Python did not start"
                time.sleep(0.05)
            yield script.parent
        finally:
            server.terminate()


def serve(libraries):
    """Import libraries, then answer at the socket of this folder until terminated."""
    for library in libraries:
        __import__(library)
    pydantic.create_model("Any")  # the first model of a process looks through all installed packages for plugins
    gc.freeze()  # or every fork's collector writes to, and so copies, the pages of all these libraries
    assert not {name.split(".")[0] for name in sys.modules} & set(OURS)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.tmp")
        listener.listen()
        Path("socket.tmp").rename("socket")
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
    serve(sys.argv[1:])
