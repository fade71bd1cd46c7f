"""Endpoints that do their worst: each costs one failed try, in bounded time and memory, with a reason in our words."""

import gzip
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from rms.model.notification_type import NotificationType
from rms.notifications.delivery import Delivery, Later
from rms.notifications.schedule import DELAYS
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.outbound import Outbound
from rms.platform.table import EXISTING, Key, Update
from tests.servers import OK, Authority, Canary, Peer, Script, plainly, serving
from tests.unit.notifications.telling import a_journal, attempts, cursor, tell
from tests.world import CLIENT, World

HOST: Final = "hooks.acme-store.com"
BUDGET: Final = 0.5
"""Seconds that a try has here; in production it has ten."""
GRACE: Final = 1.5
"""Seconds that a busy machine may take on top."""
MEMORY: Final = 8 * 1024 * 1024
"""Bytes that a try may take at its peak, the simulated server's own included."""
BOMB: Final = gzip.compress(gzip.compress(bytes(100_000_000)))

RAN_OUT: Final = f"timed out after {BUDGET} s"
BEFORE: Final = "connection closed before an answer"
CLOSED: Final = "connection closed before the end"
BROKEN: Final = "connection closed before the end of the answer"
NOT_HTTP: Final = "answer is not valid HTTP"
UNREADABLE: Final = "answer cannot be read"
TOO_LONG: Final = "answer is too long"
FAULT: Final = "answered 500: fault at the receiver"
REDIRECT: Final = "answered 302: redirects are not followed, register the new URL"


class Hurried:
    """The real way out, with less time for each call."""

    def __init__(self, http: Outbound) -> None:
        self.http = http

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        return self.http.send(replace(request, total_seconds=BUDGET))

    def problem_with(self, url: str) -> str | None:
        return self.http.problem_with(url)


@contextmanager
def a_world(url: str, tls: Any = None) -> Iterator[World]:
    """RMS whose endpoint `shop` is at this URL; every name leads to this machine."""
    http = Outbound(allow_loopback=True, resolve=lambda _host, _port: ("127.0.0.1",), tls=tls)
    world = World()
    world.core.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set={"url": url}))
    world.core = replace(world.core, http=Hurried(http), local=True)
    try:
        yield world
    finally:
        http.close()


def delivers(world: World) -> tuple[Delivery, Mapping[str, Any]]:
    """Tells the endpoint one thing, in time; answers what came of it and the only attempt."""
    aggregate = a_journal(world, NotificationType.OUT_FOR_PICKUP)
    began = time.monotonic()
    delivery = tell(world, aggregate)
    assert time.monotonic() - began < BUDGET + GRACE
    [attempt] = attempts(world, aggregate)
    if isinstance(delivery, Later):
        assert delivery == Later(world.clock() + timedelta(seconds=DELAYS[0]))
        assert cursor(world, aggregate)["attempts"] == 1
    return delivery, attempt


def flood(head: bytes, more: bytes, times: int = 1 << 30) -> Script:
    """Sends a head, and then the same again and again."""

    def script(peer: Peer) -> None:
        peer.request()
        with suppress(OSError):
            peer.answer(head)
            for _ in range(times):
                peer.answer(more)

    return script


def says(*parts: str | bytes, reset: bool = False) -> Script:
    """Sends just that, and closes."""

    def script(peer: Peer) -> None:
        peer.request()
        for part in parts:
            peer.answer(part if isinstance(part, bytes) else part.replace("\n", "\r\n").encode())
        if reset:
            peer.reset()

    return script


def drips(head: str, more: bytes) -> Script:
    """Sends a head, and then a byte at a time."""

    def script(peer: Peer) -> None:
        peer.request()
        with suppress(OSError):
            peer.answer(head.replace("\n", "\r\n").encode())
            peer.drip(more * 1000)

    return script


def hangs(peer: Peer) -> None:
    peer.request()
    peer.hang()


def does_not_read(peer: Peer) -> None:
    peer.hang()


def answers_a_handshake_with(data: bytes) -> Script:
    """Hears the client's hello, says that, and closes."""

    def script(peer: Peer) -> None:
        peer.conn.recv(65536)
        peer.answer(data)

    return script


X: Final = b"x" * 65536
HEADER: Final = b"X: " + b"y" * 60_000 + b"\r\n"
OK_LINE: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK_LINE + b"Transfer-Encoding: chunked\r\n\r\n"
FAILS: Final = b"HTTP/1.1 500 No\r\n"
GIGABYTE: Final = b"Content-Length: 1073741824\r\n\r\n"
TWICE_PACKED: Final = b"Content-Encoding: gzip, gzip\r\n\r\n"
HOSTILE: Final[Mapping[str, tuple[Script, str]]] = {
    # never ends
    "does not read": (does_not_read, RAN_OUT),
    "does not answer": (hangs, RAN_OUT),
    "drips the status line": (drips("HTTP/1.1 200 ", b"O"), RAN_OUT),
    "drips headers": (drips("HTTP/1.1 200 OK\n", b"X: y\r\n"), RAN_OUT),
    "drips the body": (drips("HTTP/1.1 200 OK\nContent-Length: 5000\n\n", b"x"), RAN_OUT),
    "drips chunks": (drips("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"1\r\nx\r\n"), RAN_OUT),
    "drips 100s": (drips("", b"HTTP/1.1 100 Continue\r\n\r\n"), RAN_OUT),
    # ends early
    "closes before the answer": (says(), BEFORE),
    "closes within the status line": (says("HTTP/1."), NOT_HTTP),
    "closes within the headers": (says("HTTP/1.1 200 OK\nContent-Ty"), BROKEN),
    "closes within the body": (says("HTTP/1.1 200 OK\nContent-Length: 100\n\nhalf"), BROKEN),
    "closes within a chunk": (says(CHUNKED, "ff\nhalf"), BROKEN),
    "closes before the last chunk": (says(CHUNKED, "4\nhalf\n"), BROKEN),
    "resets within the body": (says("HTTP/1.1 200 OK\nContent-Length: 100\n\nhalf", reset=True), CLOSED),
    # is no HTTP
    "speaks SSH": (says("SSH-2.0-OpenSSH_9.6\n"), NOT_HTTP),
    "speaks TLS": (says(bytes.fromhex("15030100020250")), NOT_HTTP),
    "sends zeros": (says(bytes(100_000)), NOT_HTTP),
    "has no such status": (says("HTTP/1.1 99999 OK\n\n"), NOT_HTTP),
    "has another version": (says("HTTP/9.9 200 OK\n\n"), NOT_HTTP),
    "has a thousand headers": (says("HTTP/1.1 200 OK\n" + "X: y\n" * 1000 + "\n"), NOT_HTTP),
    "has one long header": (says("HTTP/1.1 200 OK\nX: " + "y" * 70_000 + "\n\n"), NOT_HTTP),
    "garbles a chunk": (says(CHUNKED, "zz\nab\n0\n\n"), BROKEN),
    "has a chunk of less than nothing": (says(CHUNKED, "-5\nab\n"), UNREADABLE),
    "contradicts itself": (says("HTTP/1.1 200 OK\nContent-Length: 1, 2\n\nab"), UNREADABLE),
    # sends too much
    "fails with a gigabyte": (flood(FAILS + GIGABYTE, X, 16384), FAULT),
    "fails without end": (flood(FAILS + b"\r\n", X), FAULT),
    "redirects without end": (flood(b"HTTP/1.1 302 No\r\nLocation: /\r\n\r\n", X), REDIRECT),
    "fails with a bomb": (says(FAILS + TWICE_PACKED + BOMB), FAULT),
    "has a chunk without end": (flood(CHUNKED + b"-1\r\n", X), TOO_LONG),
    "has headers without end": (flood(OK_LINE, HEADER), TOO_LONG),
    "has trailers without end": (flood(CHUNKED + b"0\r\n", HEADER), TOO_LONG),
    "continues without end": (flood(b"", b"HTTP/1.1 100 Continue\r\n" + HEADER + b"\r\n"), TOO_LONG),
    # is odd
    "gives hints only": (says("HTTP/1.1 103 Early Hints\nLink: </x>\n\n"), "answered 103"),
    "wants another protocol": (says("HTTP/1.1 101 Switching Protocols\nUpgrade: x\n\n"), "answered 101"),
}


@pytest.mark.parametrize(("script", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_one_failed_try_for_an_endpoint_that(script: Script, reason: str) -> None:
    with serving(script) as server, a_world(f"http://127.0.0.1:{server.port}/hook") as world:
        delivery, attempt = delivers(world)

        assert attempt["outcome"] == reason
        assert isinstance(delivery, Later)
        assert server.connections == 1


TOO_MUCH: Final = ("fails with a gigabyte", "fails with a bomb", "has a chunk without end", "has headers without end")


@pytest.mark.parametrize("script", [HOSTILE[name][0] for name in TOO_MUCH], ids=TOO_MUCH)
def test_little_memory_is_taken_for_an_endpoint_that(script: Script) -> None:
    with serving(script) as server, a_world(f"http://127.0.0.1:{server.port}/hook") as world:
        tracemalloc.start()
        try:
            delivers(world)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak < MEMORY


@pytest.mark.parametrize(
    "script",
    [
        flood(OK_LINE + GIGABYTE, X, 16384),
        flood(CHUNKED, b"10000\r\n" + X + b"\r\n"),
        says(OK_LINE + TWICE_PACKED + BOMB),
    ],
    ids=["a gigabyte", "chunks without end", "a bomb"],
)
def test_a_2xx_is_a_failed_attempt_when_it_comes_with(script: Script) -> None:
    with serving(script) as server, a_world(f"http://127.0.0.1:{server.port}/hook") as world:
        tracemalloc.start()
        try:
            delivery, attempt = delivers(world)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert isinstance(delivery, Later)
    assert (attempt["status"], attempt["outcome"]) == (200, "answered 200 with a body that is too long")
    assert len(attempt["answer"]) <= 1024
    assert peak < MEMORY


def test_no_redirect_leads_anywhere() -> None:
    canary = Canary()
    script = plainly(f"HTTP/1.1 307 Go\nLocation: http://127.0.0.1:{canary.port}/\nContent-Length: 0\n\n")
    with serving(script) as server, a_world(f"http://127.0.0.1:{server.port}/hook") as world:
        delivery, attempt = delivers(world)
    canary.close()

    assert isinstance(delivery, Later)
    assert attempt["outcome"] == "answered 307: redirects are not followed, register the new URL"
    assert canary.heard == 0


# ── TLS ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def another(folder: Path) -> Authority:
    """An authority that nobody trusts."""
    (folder / "another").mkdir()
    return Authority(folder / "another")


CERTIFICATES: Final[Mapping[str, tuple[Callable[[Authority, Path], Any], str]]] = {
    "of another host": (lambda ours, _: ours.server("hooks.other-store.com"), "certificate does not match the host"),
    "of the address": (lambda ours, _: ours.server("127.0.0.1"), "certificate does not match the host"),
    "that has expired": (lambda ours, _: ours.server(HOST, days=-1), "certificate has expired"),
    "of an unknown authority": (lambda _, folder: another(folder).server(HOST), "certificate is not trusted"),
    "signed by itself": (lambda _, folder: another(folder).self_signed(HOST), "certificate is not trusted"),
}


@pytest.mark.parametrize(("certificate", "reason"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_nothing_is_sent_under_a_certificate(
    certificate: Callable[[Authority, Path], Any], reason: str, authority: Authority, tmp_path: Path
) -> None:
    with (
        serving(OK, certificate(authority, tmp_path)) as server,
        a_world(f"https://{HOST}:{server.port}/hook", authority.trusted()) as world,
    ):
        delivery, attempt = delivers(world)

    assert isinstance(delivery, Later)
    assert attempt["outcome"] == reason
    assert server.requests == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (answers_a_handshake_with(b"HTTP/1.1 400 This is plain HTTP\r\n\r\n"), "TLS failed"),
        (answers_a_handshake_with(bytes(100)), "TLS failed"),
        (does_not_read, RAN_OUT),
        (lambda peer: peer.drip(bytes.fromhex("1603030fff") + bytes(4095)), RAN_OUT),
        (answers_a_handshake_with(b""), "TLS failed"),
    ],
    ids=["HTTP", "zeros", "nothing", "a handshake that drips", "nothing and closes"],
)
def test_nothing_is_sent_to_a_port_for_https_that_speaks(script: Script, reason: str, authority: Authority) -> None:
    with (
        serving(script) as server,
        a_world(f"https://{HOST}:{server.port}/hook", authority.trusted()) as world,
    ):
        delivery, attempt = delivers(world)

    assert isinstance(delivery, Later)
    assert attempt["outcome"] == reason
    assert server.requests == []


OVER_TLS: Final = (
    "drips headers",
    "drips the body",
    "has a chunk without end",
    "has headers without end",
    "does not answer",
)


@pytest.mark.parametrize("name", OVER_TLS)
def test_one_failed_try_over_tls_for_an_endpoint_that(name: str, authority: Authority) -> None:
    script, reason = HOSTILE[name]
    with (
        serving(script, authority.server(HOST)) as server,
        a_world(f"https://{HOST}:{server.port}/hook", authority.trusted()) as world,
    ):
        delivery, attempt = delivers(world)

        assert attempt["outcome"] == reason
        assert isinstance(delivery, Later)
        assert server.connections == 1


# ── what is not there ───────────────────────────────────────────────────────────────


def test_one_failed_try_for_a_port_where_nobody_listens() -> None:
    with serving(OK) as server:
        pass
    with a_world(f"http://127.0.0.1:{server.port}/hook") as world:
        assert delivers(world)[1]["outcome"] == "connection refused"


def test_one_failed_try_for_a_name_that_does_not_resolve() -> None:
    def nowhere(_host: str, _port: int) -> Any:
        raise OSError("no such name")

    with a_world("https://gone.acme-store.com/hook") as world:
        world.core = replace(world.core, http=Hurried(Outbound(allow_loopback=False, resolve=nowhere)))
        assert delivers(world)[1]["outcome"] == "name does not resolve"


def test_one_failed_try_for_a_name_whose_servers_do_not_answer() -> None:
    def slow(_host: str, _port: int) -> Any:
        time.sleep(2 * BUDGET)
        return ("127.0.0.1",)

    with a_world("https://slow.acme-store.com/hook") as world:
        world.core = replace(world.core, http=Hurried(Outbound(allow_loopback=False, resolve=slow)))
        assert delivers(world)[1]["outcome"] == f"name did not resolve within {BUDGET} s"
