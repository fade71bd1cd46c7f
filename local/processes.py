"""Starts the processes of the local stack so that none of them can outlive the one who started it.

Every process runs on a leash: a tiny parent that holds a pipe from us. When the pipe closes, because we stopped it or
because we were killed, the leash ends the process and all that it started (they share a process group).
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parent.parent
GRACE_SECONDS: Final = 5.0
LOG_LINES: Final = 40


class DidNotStart(RuntimeError):  # noqa: N818 - reads as the sentence it is
    """A process ended or never became ready; the text has the end of its log."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A running command with its log; ends with `stop`, with the `with` block, or with the interpreter."""

    def __init__(
        self, name: str, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str], cwd: Path = ROOT
    ) -> None:
        """Start it now; `env` is the whole environment, nothing is inherited."""
        self.name = name
        self.log = log
        leash = [sys.executable, "-I", str(Path(__file__)), *map(str, command)]
        with log.open("ab") as out:
            self._leash = subprocess.Popen(
                leash, cwd=cwd, env=dict(env), stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
            )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._leash.poll() is None

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait for it to be ready.

        Raises:
            DidNotStart: it ended, or was not ready within the seconds.
        """
        end = time.monotonic() + seconds
        while not ready():
            if not self.running():
                raise DidNotStart(f"{self.name} ended with exit code {self._leash.returncode}.\n{self.last_words()}")
            if time.monotonic() > end:
                self.stop()
                raise DidNotStart(f"{self.name} was not ready after {seconds:.0f} s.\n{self.last_words()}")
            time.sleep(0.05)

    def last_words(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])

    def stop(self) -> None:
        """End it and everything that it started; does nothing when it has ended."""
        if self._leash.stdin and not self._leash.stdin.closed:
            self._leash.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._leash.wait(GRACE_SECONDS * 6)  # it needs one grace; the rest is for a busy machine
        if self.running():
            self._leash.kill()
            self._leash.wait()


def _hold(command: list[str]) -> int:
    """The leash: run the command in a group of its own until it ends or our input closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _let_go)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    os.set_blocking(0, False)
    try:
        while child.poll() is None and _held():
            time.sleep(0.05)
    except InterruptedError:
        pass
    finally:
        _end(child)
    return child.returncode


def _let_go(_signal: int, _frame: FrameType | None) -> None:
    raise InterruptedError


def _held() -> bool:
    try:
        return os.read(0, 1) != b""
    except BlockingIOError:
        return True


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    sys.exit(_hold(sys.argv[1:]))
