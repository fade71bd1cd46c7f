"""Makes the Python environments under `.environments/`, each from its own hashed requirements file.

`python3.13 -m local.environments dev sam local-aws` needs nothing but Python. An environment that is up to date
costs nothing: a stamp in it names what it was made from. Three environments and not one, because the local AWS and
the SAM CLI pin libraries that RMS itself uses in newer versions.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from local.steps import say, step

ROOT: Final = Path(__file__).resolve().parent.parent
ENVIRONMENTS: Final = ROOT / ".environments"
NAMES: Final = ("dev", "sam", "local-aws")
PYTHON: Final = (3, 13)

PIP: Final = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
}


class InstallError(RuntimeError):
    """An environment could not be made; the text is what pip said."""


def python(name: str) -> Path:
    """The interpreter of an environment, which may not exist yet."""
    return ENVIRONMENTS / name / "bin" / "python"


def ensure(names: Iterable[str] = NAMES) -> None:
    """Make the environments that are missing or out of date, side by side.

    Raises:
        InstallError: pip refused; its own words are in the text.
    """
    stale = [name for name in names if not _is_current(name)]
    if not stale:
        return
    with step(f"Installing the Python environments: {', '.join(stale)}"), ThreadPoolExecutor(len(stale)) as pool:
        list(pool.map(_make, stale))


def _requirements(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _stamp(name: str) -> Path:
    return ENVIRONMENTS / name / "made-from"


def _made_from(name: str) -> str:
    """What an environment depends on: its requirements, this interpreter and, for `dev`, the core's own metadata."""
    digest = hashlib.sha256(f"{sys.version}|{sysconfig.get_platform()}|{ROOT}".encode())
    digest.update(_requirements(name).read_bytes())
    if name == "dev":
        digest.update((ROOT / "layers" / "rms" / "pyproject.toml").read_bytes())
    return digest.hexdigest()


def _is_current(name: str) -> bool:
    stamp = _stamp(name)
    return stamp.exists() and stamp.read_text().strip() == _made_from(name)


def _make(name: str) -> None:
    started = time.monotonic()
    folder = ENVIRONMENTS / name
    shutil.rmtree(folder, ignore_errors=True)
    _run([_base_python(), "-m", "venv", str(folder)])
    # Everything is pinned and hashed with what it needs, so pip has nothing to resolve.
    _pip(name, "--require-hashes", "--no-deps", "--requirement", str(_requirements(name)))
    if name == "dev":
        _pip(name, "--no-deps", "--no-build-isolation", "--editable", str(ROOT / "layers" / "rms"))
    _stamp(name).write_text(_made_from(name) + "\n")
    say(f"   {name}: {time.monotonic() - started:.1f} s")


def _base_python() -> str:
    """The interpreter under the running environment, so that an environment never stands on another one."""
    return str(Path(sys.base_prefix, "bin", f"python{PYTHON[0]}.{PYTHON[1]}"))


def _pip(name: str, *arguments: str) -> None:
    # --no-compile: the few modules that are used get compiled when they are first imported.
    _run([str(python(name)), "-m", "pip", "install", "--quiet", "--quiet", "--no-compile", *arguments])


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, env={**os.environ, **PIP}, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise InstallError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def main(names: list[str]) -> int:
    """Make the named environments, or all of them."""
    if sys.version_info[:2] != PYTHON:
        say(f"RMS runs on Python {PYTHON[0]}.{PYTHON[1]}; this is {sys.version.split()[0]}.")
        return 1
    unknown = set(names) - set(NAMES)
    if unknown:
        say(f"No such environment: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}.")
        return 1
    try:
        ensure(names or NAMES)
    except InstallError as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
