"""Says what is happening and how long it took, for every step that a person would otherwise wait for in silence."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class FlowFailed(Exception):  # noqa: N818 - reads as the sentence it is
    """A flow did not end as it must; the text says where."""


def say(line: str = "") -> None:
    """Print one line at once, also into a pipe."""
    print(line, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title now, and the time it took (or that it failed) at the end."""
    say(f"== {title}")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say(f"   FAILED after {time.monotonic() - started:.1f} s: {title}")
        raise
    say(f"   done in {time.monotonic() - started:.1f} s")


def main(arguments: list[str]) -> int:
    """Run a command as a step: `python -m local.steps TITLE COMMAND...`; answers the command's exit code."""
    title, *command = arguments
    try:
        with step(title):
            subprocess.run(command, check=True)
    except subprocess.CalledProcessError as failure:
        return failure.returncode if failure.returncode > 0 else 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
