"""Chromium without a window, driven over a pipe by its DevTools protocol: keys pressed, downloads kept, pages shot."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys

import pytest

EXECUTABLE = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needed = pytest.mark.skipif(EXECUTABLE is None, reason="no chromium found; apt-get install chromium to run it")
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
)
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"  # every name resolves to nothing
_LONGEST_SILENCE = 60  # seconds without a message, after which the browser hangs
# Chromium reads its commands from descriptor 3 and writes to 4.
_LAUNCHER = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_KEY_CODES = {"Enter": 13, "Backspace": 8, "Escape": 27}


class Browser:
    """One page of a browser with a profile of its own; the messages are JSON, each ended by a zero byte."""

    def __init__(self, profile, *options):
        commands, self._commands = (_above_4(end) for end in os.pipe())
        self._messages, messages = (_above_4(end) for end in os.pipe())
        launch = [sys.executable, "-c", _LAUNCHER, str(commands), str(messages), EXECUTABLE, *QUIET, OFFLINE]
        launch += ["--remote-debugging-pipe", f"--user-data-dir={profile}", *options]
        self._process = subprocess.Popen(launch, pass_fds=(commands, messages), stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(messages)
        self._unread, self._events, self._calls, self._session = b"", [], 0, None
        self._complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._commands)  # by which chromium ends
        self._process.wait(timeout=_LONGEST_SILENCE)
        os.close(self._messages)

    def call(self, method, **parameters):
        """What the browser answers to a command."""
        self._calls += 1
        number = self._calls
        message = {"id": number, "method": method, "params": parameters}
        if self._session and not method.startswith("Browser."):
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self._events.append(answer)

    def wait(self, event, **wished):
        """The next event of that name whose parameters are as wished; those before it are forgotten."""
        while True:
            message = self._events.pop(0) if self._events else self._read()
            parameters = message.get("params", {})
            if message.get("method") == event and wished.items() <= parameters.items():
                return parameters

    def open(self, path):
        """Open a file, and wait until it is loaded."""
        self.call("Page.navigate", url=path.as_uri())
        self.wait("Page.loadEventFired")

    def press(self, *keys):
        """Press keys one after the other, by name or letter."""
        for key in keys:
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            code = _KEY_CODES.get(key, ord(key[0].upper()) if key.isalnum() else 0)  # a full stop's is Delete's
            down = "keyDown" if text else "rawKeyDown"
            self.call("Input.dispatchKeyEvent", type=down, key=key, text=text, windowsVirtualKeyCode=code)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def evaluate(self, expression):
        """The value of a JavaScript expression on the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def keep_downloads(self, folder):
        """Let files that the page saves go to a folder; `wait_for_download` tells when one is there."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)

    def wait_for_download(self):
        """Wait until a file is saved; its name."""
        name = self.wait("Browser.downloadWillBegin")["suggestedFilename"]
        self.wait("Browser.downloadProgress", state="completed")
        return name

    def screenshot(self):
        """The page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def complaints(self):
        """What the browser logged so far, such as refusals by the page's policy, and exceptions of its script."""
        self.evaluate("0")  # all earlier events have been read when this is answered
        return self._complaints

    def _read(self):
        while b"\0" not in self._unread:
            readable, _, _ = select.select([self._messages], [], [], _LONGEST_SILENCE)
            assert readable, "the browser is silent"
            part = os.read(self._messages, 2**20)
            assert part, f"the browser ended with {self._process.wait()}"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        content = json.loads(message)
        if content.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self._complaints.append(content["params"])
        return content


def _above_4(descriptor):
    """The same end of a pipe under a number that chromium needs for nothing else."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved
