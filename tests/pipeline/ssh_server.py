"""An SSH server on loopback with SFTP, by the library that `dvc[ssh]` is the client of; keys made for the test."""

import subprocess
import sys
from contextlib import contextmanager

SERVER = """
import asyncio, sys
import asyncssh

async def main(host_key, client_key):
    options = {"server_host_keys": [host_key], "authorized_client_keys": client_key + ".pub", "sftp_factory": True}
    server = await asyncssh.listen("127.0.0.1", 0, **options)
    print(server.get_port(), flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the test closes it
    server.close()

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def ssh_server(folder):
    """Serve the machine's files by SFTP; yield host and port, and the private key's file that is let in."""
    import asyncssh

    names = [str(folder / name) for name in ("host_key", "client_key")]
    for name in names:
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(name)
        key.write_public_key(f"{name}.pub")
    command = [sys.executable, "-c", SERVER, *names]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip()
        assert port.isdigit(), "the SSH server did not start"
        yield f"127.0.0.1:{port}", names[1]
        process.stdin.close()
