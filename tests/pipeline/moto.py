"""An S3 server on loopback, from moto, in an environment of its own: its dependencies are not the product's."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

VERSION = "5.2.5"
FOLDER = Path(__file__).resolve().parents[2] / ".venv-moto"
BUCKET = "shared"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test-key-of-s3", "AWS_SECRET_ACCESS_KEY": "test-secret-of-s3"}
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()  # until the test closes it
server.stop()
"""


def environment():
    """The interpreter of the server's environment, built if it is missing; skips the test if it cannot be."""
    python, built = FOLDER / "bin" / "python", FOLDER / VERSION
    if built.exists():
        return python
    shutil.rmtree(FOLDER, ignore_errors=True)
    install = [python, "-m", "pip", "install", "--quiet", f"moto[server]=={VERSION}"]
    for command in ([sys.executable, "-m", "venv", FOLDER], install):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            pytest.skip(f"moto {VERSION}, the S3 server, cannot be installed: {done.stdout.strip()[-300:]}")
    built.touch()
    return python


@contextmanager
def s3_server():
    """Serve S3; yield the server's address. The bucket is there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    command = [environment(), "-c", SERVER]
    options = {"env": kept | CREDENTIALS, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, **options) as process:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "the S3 server did not start"
        make = f"import boto3; boto3.client('s3', endpoint_url={url!r}, region_name='us-east-1')"
        make += f".create_bucket(Bucket={BUCKET!r})"
        subprocess.run([environment(), "-c", make], env=kept | CREDENTIALS, check=True)
        yield url
        process.stdin.close()
