"""A server of its own for a test, which can be stopped, killed and started again at its address."""
from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NODE = os.environ.get("NODE", "node")
TLS = ROOT / "test/support/tls"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._folder = tempfile.mkdtemp(prefix="kelp-python-")
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Returns when it serves."""
        command = [NODE, "src/cli/main.ts", "serve", "--listen", self.address, "--data-dir", f"{self._folder}/data"]
        self._process = subprocess.Popen([*command, *self._options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        seen = []
        for line in self._process.stdout:
            seen.append(line)
            if '"msg":"ready"' in line:
                break
        else:
            raise RuntimeError(f"the server ended: {''.join(seen)}")
        # What it says later is read, too, or it would wait with a full pipe.
        self._drain = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._drain.start()

    def end(self, by: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(by)
        self._process.wait()
        self._drain.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def command(self, *words: str, stdin: str = "") -> str:
        """What the command says to it."""
        options = ["--address", self.address]
        done = subprocess.run(
            [NODE, "src/cli/main.ts", *words, *options], cwd=ROOT, input=stdin, capture_output=True, text=True, check=True
        )
        return done.stdout

    def remove(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def fresh(self) -> None:
        """Takes away what it holds, while it is not running."""
        shutil.rmtree(f"{self._folder}/data")
