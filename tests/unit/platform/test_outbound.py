"""Outbound against servers that misbehave, all on this machine."""

import gzip
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from rms import composition
from rms.platform import outbound
from rms.platform.http import MAX_ANSWER, HttpAnswer, HttpRequest, NoAnswer
from rms.platform.outbound import MAX_KEPT, Outbound
from tests.servers import OK, Authority, Peer, Script, Server, plainly, serving

pytestmark = pytest.mark.enable_socket

SECRET = "s3cret-key-in-query"
LOOPBACK = ("127.0.0.1",)
BRIEF: Final = 0.25
"""Seconds for an exchange that is to run out of time; all others have more than they need, on a slow machine too."""
RAN_OUT: Final = f"timed out after {BRIEF:.1f} s"


@contextmanager
def sending(**options: Any) -> Iterator[Outbound]:
    http = Outbound(**{"allow_loopback": True, **options})
    try:
        yield http
    finally:
        http.close()


def a_request(port: int, **changes: Any) -> HttpRequest:
    url = changes.pop("url", f"http://127.0.0.1:{port}/hook")
    values: dict[str, Any] = {"query": {"key": SECRET}, "body": b"{}", "total_seconds": 5.0, "connect_seconds": 3.0}
    return HttpRequest(changes.pop("method", "POST"), url, **{**values, **changes})


def send_to(script: Script, **changes: Any) -> tuple[HttpAnswer | NoAnswer, Server]:
    with serving(script) as server, sending() as http:
        return http.send(a_request(server.port, **changes)), server


# ── an ordinary exchange ────────────────────────────────────────────────────────────


def test_an_answer_comes_with_status_headers_in_lower_case_and_body() -> None:
    answer, server = send_to(OK, headers={"X-Client": "acme"}, body=b'{"a":1}')

    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.headers["x-one"], answer.body, answer.truncated) == (200, "1", b"ok", False)
    assert 0 <= answer.elapsed_ms < 5000
    head, body = server.requests[0].split(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == f"POST /hook?key={SECRET} HTTP/1.1".encode()
    assert {b"X-Client: acme", b"Content-Length: 7", b"User-Agent: RMS/1", b"Accept-Encoding: identity"} < set(lines)
    assert body == b'{"a":1}'


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "POST"])
def test_every_method_may_go_without_a_body(method: str) -> None:
    answer, server = send_to(OK, method=method, body=None)

    assert isinstance(answer, HttpAnswer)
    assert server.requests[0].startswith(f"{method} /hook?".encode())


def test_a_burst_to_one_destination_shares_a_connection() -> None:
    with serving(OK) as server, sending() as http:
        answers = [http.send(a_request(server.port)) for _ in range(5)]

        assert [answer.status for answer in answers if isinstance(answer, HttpAnswer)] == [200] * 5
        assert server.connections == 1


def test_a_connection_that_has_been_idle_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(OK) as server, sending() as http:
        http.send(a_request(server.port))
        monkeypatch.setattr(outbound, "IDLE_SECONDS", 0.0)
        answer = http.send(a_request(server.port))

        assert isinstance(answer, HttpAnswer)
        assert server.connections == 2


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    def once(peer: Peer) -> None:
        peer.request()
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(once) as server, sending() as http:
        first = http.send(a_request(server.port))
        time.sleep(0.05)
        second = http.send(a_request(server.port))

        assert isinstance(first, HttpAnswer)
        assert isinstance(second, HttpAnswer)
        assert server.connections == 2


def test_only_so_many_destinations_keep_their_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "MAX_LINES", 1)
    with serving(OK) as one, serving(OK) as other, sending() as http:
        for server in (one, other, one):
            assert isinstance(http.send(a_request(server.port)), HttpAnswer)

        assert (one.connections, other.connections) == (2, 1)


def test_threads_share_one_outbound_and_each_keeps_its_own_deadline() -> None:
    answers: list[HttpAnswer | NoAnswer] = []

    with serving(OK) as good, serving(lambda peer: peer.hang()) as bad, sending() as http:
        threads = [
            threading.Thread(
                target=lambda port=port, to=to: answers.append(http.send(a_request(port, total_seconds=to)))
            )
            for port, to in [(good.port, 5.0)] * 6 + [(bad.port, BRIEF)] * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sum(isinstance(answer, HttpAnswer) for answer in answers) == 6
    assert sum(isinstance(answer, NoAnswer) and answer.sent for answer in answers) == 2


def all_at_once(http: Outbound, ports: Sequence[int]) -> list[int | None]:
    """The statuses that as many threads get."""
    with ThreadPoolExecutor(len(ports)) as threads:
        answers = list(threads.map(lambda port: http.send(a_request(port)), ports))
    return [answer.status if isinstance(answer, HttpAnswer) else None for answer in answers]


def when_all_are_there(everybody: threading.Barrier) -> Script:
    """Answers nobody before everybody has asked."""

    def script(peer: Peer) -> None:
        while peer.request():
            everybody.wait(5)
            peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return script


def test_twenty_threads_are_at_twenty_destinations_at_the_same_time() -> None:
    script = when_all_are_there(threading.Barrier(20))
    with ExitStack() as servers, sending() as http:
        ports = [servers.enter_context(serving(script)).port for _ in range(20)]

        assert all_at_once(http, ports) == [200] * 20


def test_twenty_threads_are_at_one_destination_at_the_same_time() -> None:
    with serving(when_all_are_there(threading.Barrier(20))) as server, sending() as http:
        assert all_at_once(http, [server.port] * 20) == [200] * 20


def test_so_many_threads_as_may_be_use_their_connections_to_one_destination_again() -> None:
    with serving(when_all_are_there(threading.Barrier(MAX_KEPT))) as server, sending() as http:
        for _ in range(3):
            assert all_at_once(http, [server.port] * MAX_KEPT) == [200] * MAX_KEPT

        assert server.connections == MAX_KEPT


def test_as_many_connections_are_kept_as_messages_are_worked_at_the_same_time() -> None:
    assert composition.AT_ONCE <= MAX_KEPT


def test_no_redirect_is_followed_and_its_body_is_not_read_whole() -> None:
    with serving(OK) as target:

        def redirect(peer: Peer) -> None:
            peer.request()
            peer.answer(f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{target.port}/\r\n\r\n".encode())
            for _ in range(1000):
                peer.answer(b"x" * 65536)

        answer, _ = send_to(redirect)

        assert isinstance(answer, HttpAnswer)
        assert (answer.status, len(answer.body), answer.truncated) == (302, MAX_ANSWER, True)
        assert target.connections == 0


def test_no_cookie_is_kept() -> None:
    with (
        serving(plainly("HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/\nContent-Length: 0\n\n")) as server,
        sending() as http,
    ):
        http.send(a_request(server.port))
        http.send(a_request(server.port))

        assert not [request for request in server.requests if b"cookie" in request.lower()]


def test_no_proxy_variable_and_no_netrc_is_heeded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login rms password hush\n")
    with serving(OK) as proxy, serving(OK) as server, sending() as http:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        http.send(a_request(server.port))

        assert proxy.connections == 0
        assert b"authorization" not in server.requests[0].lower()


# ── servers that misbehave ──────────────────────────────────────────────────────────


def hangs_before_reading(peer: Peer) -> None:
    peer.hang()


def hangs_after_reading(peer: Peer) -> None:
    peer.request()
    peer.hang()


def drips_the_status_line(peer: Peer) -> None:
    peer.request()
    peer.drip(b"HTTP/1.1 200 " + b"O" * 60_000)


def drips_headers(peer: Peer) -> None:
    peer.request()
    peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000)


def drips_the_body(peer: Peer) -> None:
    peer.request()
    peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    peer.drip(b"x" * 5000)


def drips_chunks(peer: Peer) -> None:
    peer.request()
    peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\nx\r\n" * 5000)


def continues_for_ever(peer: Peer) -> None:
    peer.request()
    with suppress(OSError):
        while not peer.server.over.wait(0.01):
            peer.answer(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize(
    "script",
    [
        hangs_before_reading,
        hangs_after_reading,
        drips_the_status_line,
        drips_headers,
        drips_the_body,
        drips_chunks,
        continues_for_ever,
    ],
)
def test_the_total_deadline_holds_for_a_server_that(script: Script) -> None:
    began = time.monotonic()
    answer, _ = send_to(script, total_seconds=BRIEF)

    assert answer == NoAnswer(RAN_OUT, sent=True, elapsed_ms=answer.elapsed_ms)
    assert BRIEF <= time.monotonic() - began < BRIEF + 1.5
    assert BRIEF * 1000 - 1 <= answer.elapsed_ms < BRIEF * 1000 + 1000


def test_the_total_deadline_holds_for_a_server_that_does_not_read_a_long_body() -> None:
    answer, _ = send_to(hangs_before_reading, body=b"x" * 50_000_000, total_seconds=BRIEF)

    assert answer == NoAnswer(RAN_OUT, sent=True, elapsed_ms=answer.elapsed_ms)


def test_a_kept_connection_keeps_the_deadline_of_the_request_at_hand() -> None:
    def one_then_hang(peer: Peer) -> None:
        peer.request()
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        peer.request()
        peer.hang()

    with serving(one_then_hang) as server, sending() as http:
        assert isinstance(http.send(a_request(server.port, total_seconds=5.0)), HttpAnswer)
        answer = http.send(a_request(server.port, total_seconds=BRIEF))

        assert answer == NoAnswer(RAN_OUT, sent=True, elapsed_ms=answer.elapsed_ms)
        assert server.connections == 1


def test_a_huge_answer_is_read_to_the_cap_and_no_further() -> None:
    taken: list[int] = []

    def flood(peer: Peer) -> None:
        peer.request()
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        with suppress(OSError):
            for _ in range(16384):
                peer.answer(b"x" * 65536)
                taken.append(65536)

    answer, _ = send_to(flood, total_seconds=5.0)

    assert isinstance(answer, HttpAnswer)
    assert (len(answer.body), answer.truncated) == (MAX_ANSWER, True)
    assert answer.elapsed_ms < 2000
    assert sum(taken) < 64 * 1024 * 1024


@pytest.mark.parametrize(
    ("start", "more"),
    [
        # The library takes the size -1 for "all that comes", whatever was to be read at most.
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["chunk without end", "trailers", "packed nothing", "headers", "continue"],
)
def test_a_flood_that_no_cap_of_the_body_holds_is_no_answer(start: bytes, more: bytes) -> None:
    taken: list[int] = []

    def flood(peer: Peer) -> None:
        peer.request()
        peer.answer(start)
        with suppress(OSError):
            for _ in range(16384):
                peer.answer(more)
                taken.append(len(more))

    answer, _ = send_to(flood)

    assert answer == NoAnswer("answer is too long", sent=True, elapsed_ms=answer.elapsed_ms)
    assert sum(taken) < 64 * 1024 * 1024


def test_cookies_that_are_made_to_take_long_are_not_read_at_all() -> None:
    cookies = b"Set-Cookie: a=b\r\n" + (b"Set-Cookie2: " + b", ; " * 15_000 + b"\r\n") * 17

    def bake(peer: Peer) -> None:
        peer.request()
        peer.answer(b"HTTP/1.1 200 OK\r\n" + cookies + b"Content-Length: 0\r\n\r\n")

    answer, _ = send_to(bake)

    assert isinstance(answer, HttpAnswer)
    assert answer.elapsed_ms < 1000


@pytest.mark.parametrize(("size", "truncated"), [(MAX_ANSWER - 1, False), (MAX_ANSWER, False), (MAX_ANSWER + 1, True)])
def test_the_cap_is_exact(size: int, truncated: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    answer, _ = send_to(plainly(f"HTTP/1.1 200 OK\nContent-Length: {size}\n\n{'x' * size}"))

    assert isinstance(answer, HttpAnswer)
    assert (len(answer.body), answer.truncated) == (min(size, MAX_ANSWER), truncated)


@pytest.mark.parametrize(("size", "truncated"), [(200_000, False), (200_001, True)])
def test_a_request_may_want_a_larger_answer(size: int, truncated: bool) -> None:  # noqa: FBT001 - as above
    answer, _ = send_to(plainly(f"HTTP/1.1 200 OK\nContent-Length: {size}\n\n{'x' * size}"), most_bytes=200_000)

    assert isinstance(answer, HttpAnswer)
    assert (len(answer.body), answer.truncated) == (200_000, truncated)


def test_a_packed_answer_is_unpacked_to_the_cap_and_no_further() -> None:
    packed = gzip.compress(b"\0" * 200_000_000, compresslevel=1)

    def bomb(peer: Peer) -> None:
        peer.request()
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)

    answer, _ = send_to(bomb, total_seconds=3.0)

    assert isinstance(answer, HttpAnswer)
    assert (len(answer.body), answer.truncated) == (MAX_ANSWER, True)


def test_a_body_that_cannot_be_unpacked_leaves_the_status() -> None:
    answer, _ = send_to(plainly("HTTP/1.1 201 Created\nContent-Encoding: gzip\nContent-Length: 7\n\nnotgzip"))

    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.body) == (201, b"")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "connection closed before an answer"),
        ("HTTP/1.1 200 OK", "connection closed before the end of the answer"),
        ("HTTP/1.1 200 OK\nContent-Ty", "connection closed before the end of the answer"),
        ("HTTP/1.1 200 OK\nContent-Length: 0\n", "connection closed before the end of the answer"),
        ("HTTP/1.1 200 OK\nContent-Length: 10\n\nshort", "connection closed before the end of the answer"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nab", "connection closed before the end of the answer"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\nab\n", "connection closed before the end of the answer"),
        ("SSH-2.0-OpenSSH_9.6\n", "answer is not valid HTTP"),
        ("HTTP/1.1 abc OK\n\n", "answer is not valid HTTP"),
        ("HTTP/9.9 200 OK\n\n", "answer is not valid HTTP"),
        ("HTTP/1.1 99999 OK\n\n", "answer is not valid HTTP"),
        ("HTTP/1.1 200 OK\n" + "X: y\n" * 101 + "\n", "answer is not valid HTTP"),
        ("HTTP/1.1 200 OK\nX: " + "y" * 70_000 + "\n\n", "answer is not valid HTTP"),
        ("\x00\x01\x02\n", "answer is not valid HTTP"),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_a_broken_answer_is_no_answer_and_may_have_had_an_effect(raw: str, reason: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(raw.replace("\n", "\r\n").encode())

    answer, _ = send_to(script)

    assert answer == NoAnswer(reason, sent=True, elapsed_ms=answer.elapsed_ms)


def test_a_reset_is_no_answer_and_may_have_had_an_effect() -> None:
    def reset(peer: Peer) -> None:
        peer.request()
        peer.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    answer, _ = send_to(reset)

    assert isinstance(answer, NoAnswer)
    assert answer.sent
    assert "closed" in answer.reason


@pytest.mark.parametrize(
    "raw",
    [
        "HTTP/1.1 200 OK\nno colon here\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\n folded: x\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\nContent-Length: banana\nConnection: close\n\n",
        "HTTP/1.1 200 OK\nSet-Cookie: \x01=\x02;;;=;\nContent-Length: 0\n\n",
        "HTTP/1.1 302 Found\nLocation: http://[bad\nContent-Length: 0\n\n",
        "HTTP/1.1 429 Slow\nRetry-After: soon\nContent-Length: 0\n\n",
        "HTTP/1.1 401 No\nWWW-Authenticate: Basic realm=\nContent-Length: 0\n\n",
        "HTTP/1.0 200\n\n",
    ],
    ids=ascii,
)
def test_an_odd_answer_never_raises_and_never_logs_the_query(raw: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(raw.replace("\n", "\r\n").encode("latin-1"))

    answer, _ = send_to(script)

    assert SECRET not in caplog.text
    assert SECRET not in str(answer)


def test_no_reason_and_no_log_line_holds_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    scripts: list[Script] = [hangs_after_reading, lambda _peer: None, plainly("nonsense\n"), OK]

    answers = [send_to(script, total_seconds=BRIEF)[0] for script in scripts]
    with sending(allow_loopback=False) as http:
        answers.append(http.send(a_request(1)))
        answers.append(http.send(a_request(1, url=f"https://127.0.0.1/?key={SECRET}")))

    assert SECRET not in caplog.text
    assert SECRET not in "".join(answer.reason for answer in answers if isinstance(answer, NoAnswer))


# ── what certainly was not sent ─────────────────────────────────────────────────────


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_refused_connection_was_not_sent() -> None:
    with sending() as http:
        answer = http.send(a_request(a_free_port()))

    assert answer == NoAnswer("connection refused", sent=False, elapsed_ms=answer.elapsed_ms)


def test_a_host_that_takes_no_connection_costs_the_connect_time_only() -> None:
    # A full backlog drops what comes next.
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second, sending() as http:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        answer = http.send(a_request(listener.getsockname()[1], total_seconds=3.0, connect_seconds=0.3))

    assert answer == NoAnswer("no connection within 0.3 s", sent=False, elapsed_ms=answer.elapsed_ms)
    assert 200 < answer.elapsed_ms < 900


def test_a_name_that_does_not_resolve_was_not_sent() -> None:
    def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with sending(resolve=nowhere) as http:
        answer = http.send(a_request(443, url="https://gone.acme-store.com/"))

    assert answer == NoAnswer("name does not resolve", sent=False, elapsed_ms=answer.elapsed_ms)


def test_a_name_with_no_address_was_not_sent() -> None:
    with sending(resolve=lambda _host, _port: ()) as http:
        answer = http.send(a_request(443, url="https://gone.acme-store.com/"))

    assert answer == NoAnswer("name does not resolve", sent=False, elapsed_ms=answer.elapsed_ms)


def test_a_resolver_that_hangs_costs_the_connect_time_only() -> None:
    release = threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        release.wait(10)
        return LOOPBACK

    with sending(resolve=slow) as http:
        answer = http.send(a_request(443, url="https://slow.acme-store.com/", connect_seconds=0.2))
        release.set()

    assert answer == NoAnswer("name did not resolve within 0.2 s", sent=False, elapsed_ms=answer.elapsed_ms)
    assert answer.elapsed_ms < 600


@pytest.mark.parametrize(
    "headers", [{"X-A": "b\r\nX-Evil: 1"}, {"X-A\r\n": "b"}, {"X-A": "\u20ac"}, {"": "x"}], ids=ascii
)
def test_a_header_that_cannot_be_written_is_never_sent(headers: dict[str, str]) -> None:
    answer, server = send_to(OK, headers=headers)

    if isinstance(answer, NoAnswer):
        assert answer == NoAnswer("request could not be written", sent=False, elapsed_ms=answer.elapsed_ms)
    assert not [request for request in server.requests if b"X-Evil" in request]


# ── addresses ───────────────────────────────────────────────────────────────────────


def test_all_addresses_are_tried_in_turn() -> None:
    with serving(OK) as server, sending(resolve=lambda _host, _port: ("127.0.0.2", "::1", "127.0.0.1")) as http:
        answer = http.send(a_request(server.port, url=f"http://localhost:{server.port}/hook"))

        assert isinstance(answer, HttpAnswer)
        assert f"Host: localhost:{server.port}".encode() in server.requests[0]


def test_a_name_that_moves_is_followed_to_its_new_address() -> None:
    where = ["127.0.0.1", "127.0.0.2"]
    with serving(OK) as server, sending(resolve=lambda _host, _port: (where.pop(0),)) as http:
        first = http.send(a_request(server.port, url=f"http://localhost:{server.port}/"))
        second = http.send(a_request(server.port, url=f"http://localhost:{server.port}/"))

    assert isinstance(first, HttpAnswer)
    assert second == NoAnswer("connection refused", sent=False, elapsed_ms=second.elapsed_ms)


def test_a_trusted_request_may_go_to_a_private_address_over_http() -> None:
    with serving(OK) as server, sending(allow_loopback=False, resolve=lambda _host, _port: LOOPBACK) as http:
        request = a_request(server.port, url=f"http://sandbox:{server.port}/v3", trusted=True)

        assert isinstance(http.send(request), HttpAnswer)
        assert server.connections == 1


def test_a_trusted_request_does_not_open_the_way_for_others() -> None:
    with serving(OK) as server, sending(allow_loopback=False, resolve=lambda _host, _port: LOOPBACK) as http:
        url = f"https://acme-store.com:{server.port}/"
        http.send(a_request(server.port, url=url, trusted=True, total_seconds=BRIEF))
        before = server.connections
        answer = http.send(a_request(server.port, url=url))

        assert isinstance(answer, NoAnswer)
        assert "not public" in answer.reason
        assert server.connections == before == 1


def test_a_trusted_request_is_held_to_the_form_of_a_url() -> None:
    with sending() as http:
        answer = http.send(a_request(1, url="https://user:pass@acme-store.com/", trusted=True))

    assert answer == NoAnswer(
        "URL refused: it must not hold a user name or password", sent=False, elapsed_ms=answer.elapsed_ms
    )


# ── TLS ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def over_tls(
    authority: Authority, server_tls: ssl.SSLContext, script: Script = OK, **changes: Any
) -> tuple[HttpAnswer | NoAnswer, Server]:
    """Sends to hooks.acme-store.com, which the resolver says is this machine."""
    with (
        serving(script, server_tls) as server,
        sending(resolve=lambda _host, _port: LOOPBACK, tls=authority.trusted()) as http,
    ):
        url = f"https://hooks.acme-store.com:{server.port}/rms"
        return http.send(a_request(server.port, url=url, **changes)), server


def test_tls_speaks_under_the_hosts_name_to_the_checked_address(authority: Authority) -> None:
    answer, server = over_tls(authority, authority.server("hooks.acme-store.com"))

    assert isinstance(answer, HttpAnswer)
    assert answer.body == b"ok"
    assert server.names == ["hooks.acme-store.com"]
    assert f"Host: hooks.acme-store.com:{server.port}".encode() in server.requests[0]


def test_a_tls_connection_is_kept_for_a_burst(authority: Authority) -> None:
    with (
        serving(OK, authority.server("hooks.acme-store.com")) as server,
        sending(resolve=lambda _host, _port: LOOPBACK, tls=authority.trusted()) as http,
    ):
        url = f"https://hooks.acme-store.com:{server.port}/rms"
        answers = [http.send(a_request(server.port, url=url)) for _ in range(3)]

        assert all(isinstance(answer, HttpAnswer) for answer in answers)
        assert server.connections == 1


def test_an_address_may_be_named_by_its_certificate(authority: Authority) -> None:
    with serving(OK, authority.server("127.0.0.1")) as server, sending(tls=authority.trusted()) as http:
        answer = http.send(a_request(server.port, url=f"https://127.0.0.1:{server.port}/"))

    assert isinstance(answer, HttpAnswer)


def test_another_hosts_certificate_is_refused_before_anything_is_sent(authority: Authority) -> None:
    answer, server = over_tls(authority, authority.server("hooks.other-store.com"))

    assert answer == NoAnswer("certificate does not match the host", sent=False, elapsed_ms=answer.elapsed_ms)
    assert server.requests == []


def test_a_certificate_for_the_dialled_address_does_not_stand_for_the_host(authority: Authority) -> None:
    answer, _ = over_tls(authority, authority.server("127.0.0.1"))

    assert answer == NoAnswer("certificate does not match the host", sent=False, elapsed_ms=answer.elapsed_ms)


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    answer, server = over_tls(authority, authority.server("hooks.acme-store.com", days=-1))

    assert answer == NoAnswer("certificate has expired", sent=False, elapsed_ms=answer.elapsed_ms)
    assert server.requests == []


def test_an_unknown_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    answer, server = over_tls(authority, Authority(tmp_path).server("hooks.acme-store.com"))

    assert answer == NoAnswer("certificate is not trusted", sent=False, elapsed_ms=answer.elapsed_ms)
    assert server.requests == []


def test_without_other_orders_only_the_public_authorities_are_trusted(authority: Authority) -> None:
    with (
        serving(OK, authority.server("hooks.acme-store.com")) as server,
        sending(resolve=lambda _host, _port: LOOPBACK) as http,
    ):
        answer = http.send(a_request(server.port, url=f"https://hooks.acme-store.com:{server.port}/"))

    assert answer == NoAnswer("certificate is not trusted", sent=False, elapsed_ms=answer.elapsed_ms)


def test_old_tls_is_refused(authority: Authority) -> None:
    old = authority.server("hooks.acme-store.com")
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    answer, server = over_tls(authority, old)

    assert answer == NoAnswer("TLS failed", sent=False, elapsed_ms=answer.elapsed_ms)
    assert server.requests == []


def test_a_plain_server_behind_an_https_url_is_not_spoken_to(authority: Authority) -> None:
    with (
        serving(lambda peer: peer.answer(b"HTTP/1.1 200 OK\r\n\r\n")) as server,
        sending(resolve=lambda _host, _port: LOOPBACK, tls=authority.trusted()) as http,
    ):
        answer = http.send(a_request(server.port, url=f"https://hooks.acme-store.com:{server.port}/"))

    assert isinstance(answer, NoAnswer)
    assert not answer.sent


def test_the_total_deadline_holds_for_a_handshake_that_hangs(authority: Authority) -> None:
    with (
        serving(hangs_before_reading) as server,
        sending(resolve=lambda _host, _port: LOOPBACK, tls=authority.trusted()) as http,
    ):
        url = f"https://hooks.acme-store.com:{server.port}/"
        answer = http.send(a_request(server.port, url=url, total_seconds=BRIEF))

    assert answer == NoAnswer(RAN_OUT, sent=False, elapsed_ms=answer.elapsed_ms)
    assert answer.elapsed_ms < 1500


@pytest.mark.parametrize("script", [hangs_after_reading, drips_headers, drips_the_body, drips_chunks])
def test_the_total_deadline_holds_over_tls_for_a_server_that(script: Script, authority: Authority) -> None:
    answer, _ = over_tls(authority, authority.server("hooks.acme-store.com"), script, total_seconds=0.5)

    assert answer == NoAnswer("timed out after 0.5 s", sent=True, elapsed_ms=answer.elapsed_ms)
    assert answer.elapsed_ms < 2000


def vanishes(peer: Peer) -> None:
    peer.request()


def test_a_server_that_vanishes_after_the_handshake_may_have_acted(authority: Authority) -> None:
    answer, _ = over_tls(authority, authority.server("hooks.acme-store.com"), vanishes)

    assert isinstance(answer, NoAnswer)
    assert answer.sent
