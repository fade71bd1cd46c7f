"""The Http port over `requests`: one careful exchange that cannot be led astray, held up or flooded by the other side.

Only requests' transport adapter is used, not its session: at that level redirects, cookies, proxies and .netrc do not
exist. Only the composition root imports this module, because the import of `requests` is dear.
"""

import contextlib
import errno
import http.client
import logging
import queue
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Final, override

import requests
import requests.adapters
import requests.structures
import requests.utils
import urllib3.connection
import urllib3.exceptions

from rms.platform.addresses import BadUrlError, Destination, check_url, destination, is_address, is_loopback, is_public
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer

USER_AGENT: Final = "RMS/1"
"""Who we say we are where the request does not say it."""

IDLE_SECONDS: Final = 4.0
"""How long a kept connection is used again. Many servers close theirs after 5 s; a request that crosses the closing
on the wire has an unknown outcome, which costs far more than a new connection."""

MAX_DIALLED: Final = 4
"""How many of a host's addresses are tried, in the resolver's order, all within `connect_seconds`."""

MAX_LINES: Final = 64
"""How many destinations keep their connections at a time."""

MAX_KEPT: Final = 10
"""How many connections to one destination are kept, one for each thread that may want it; more are closed after use."""

MOST_OVERHEAD: Final = 1024 * 1024
"""How many bytes may come in an exchange besides twice the body that is read at most: head, framing, packing. What is
beyond that is a flood, and a body can be framed so that the library reads all of it into memory."""

type Resolve = Callable[[str, int], Sequence[str]]
"""Addresses of a host, as text. May block, may raise OSError."""

# urllib3 writes whole URLs into its log, and partners want secrets in queries.
for _talker in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_talker).disabled = True


class Outbound:
    """Sends requests and gives back answers as values. Safe to share between threads; keep one per process.

    A request that is not `trusted` is refused unless its URL is in order and every address of its host is public
    (`allow_loopback`: or this machine, for the local stage). The addresses that were checked are the ones dialled,
    under the host's own name for TLS and the Host header. `total_seconds` holds for the whole exchange, resolving
    and reading included, however slowly the other side drips.
    """

    def __init__(
        self, *, allow_loopback: bool, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Opens nothing yet. `resolve` and `tls` stand in for the system's resolver and the public certificates."""
        self._allow_loopback = allow_loopback
        self._resolve = resolve or _system_addresses
        self._given_tls = tls
        self._lines: OrderedDict[tuple[Destination, tuple[str, ...]], _Line] = OrderedDict()
        self._lock = threading.Lock()

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        """The answer, or why there is none. Reasons never hold a URL, a header or a body."""
        exchange = _Exchange(request)
        token = _EXCHANGE.set(exchange)
        try:
            return self._answer(request, exchange)
        except _NotSentError as error:
            return NoAnswer(str(error), sent=False, elapsed_ms=exchange.elapsed_ms())
        except _FAILURES as error:
            return NoAnswer(_reason(error, exchange), sent=exchange.sent, elapsed_ms=exchange.elapsed_ms())
        finally:
            _EXCHANGE.reset(token)

    def problem_with(self, url: str) -> str | None:
        """What is wrong with an endpoint's URL, or with where its host leads today, or None. Sends nothing."""
        request = HttpRequest("POST", url)
        try:
            self._addresses(self._target(request), _Exchange(request), trusted=False)
        except _NotSentError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Closes all kept connections; the next request opens its own."""
        with self._lock:
            lines, self._lines = list(self._lines.values()), OrderedDict()
        for line in lines:
            line.close()

    def _answer(self, request: HttpRequest, exchange: "_Exchange") -> HttpAnswer:
        target = self._target(request)
        line = self._line(target, self._addresses(target, exchange, trusted=request.trusted))
        prepared = requests.Request(
            request.method,
            request.url,
            params=dict(request.query),
            headers=_with_user_agent(request.headers),
            data=request.body,
        ).prepare()
        response = line.send(prepared, stream=True)
        with contextlib.closing(response):
            if exchange.ended:
                # Only a head without its empty line has been read to the end; the library takes that for a whole one.
                raise http.client.IncompleteRead(b"")
            body = _body(response, request.most_bytes)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(
                response.status_code,
                headers,
                body[: request.most_bytes],
                exchange.elapsed_ms(),
                truncated=len(body) > request.most_bytes,
            )

    def _target(self, request: HttpRequest) -> Destination:
        """Where the request goes, if it may go there by its URL alone."""
        if not request.trusted and (problem := check_url(request.url, allow_loopback_http=self._allow_loopback)):
            raise _NotSentError(f"URL refused: it {problem}")
        try:
            return destination(request.url)
        except BadUrlError as problem:
            raise _NotSentError(f"URL refused: it {problem}") from None

    def _addresses(self, target: Destination, exchange: "_Exchange", *, trusted: bool) -> tuple[str, ...]:
        """The host's addresses, all of them checked."""
        found = (target.host,) if is_address(target.host) else self._look_up(target, exchange)
        if not found:
            raise _NotSentError("name does not resolve")
        if not trusted and not all(self._may_dial(address) for address in found):
            raise _NotSentError("address refused: the host leads to an address that is not public")
        return found

    def _may_dial(self, address: str) -> bool:
        return is_public(address) or (self._allow_loopback and is_loopback(address))

    def _look_up(self, target: Destination, exchange: "_Exchange") -> tuple[str, ...]:
        """Asks the resolver from a thread of its own, because it knows no deadline."""
        found: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

        def look() -> None:
            try:
                found.put(self._resolve(target.host, target.port))
            except (OSError, UnicodeError):
                found.put(())

        threading.Thread(target=look, name="resolve", daemon=True).start()
        seconds = min(exchange.connect_seconds, exchange.remaining())
        try:
            return tuple(found.get(timeout=seconds))
        except queue.Empty:
            raise _NotSentError(f"name did not resolve within {seconds:.1f} s") from None

    def _line(self, target: Destination, addresses: tuple[str, ...]) -> "_Line":
        """The line to exactly these addresses, kept from before or new."""
        key = (target, tuple(sorted(addresses)))
        with self._lock:
            line = self._lines.pop(key, None) or _Line(target, addresses, self._tls if _is_tls(target) else None)
            self._lines[key] = line
            oldest = self._lines.popitem(last=False)[1] if len(self._lines) > MAX_LINES else None
        if oldest is not None:
            oldest.close()
        return line

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Checks certificates and host names; its sockets keep our deadline."""
        tls = self._given_tls or ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
        tls.sslsocket_class = _TlsSocket
        return tls


class _NotSentError(Exception):
    """The request was not sent; the text is the reason."""


# ── one exchange: its clock, and what it has done ───────────────────────────────────


class _Exchange:
    """The deadline that every socket operation of this exchange keeps, and how far it came."""

    def __init__(self, request: HttpRequest) -> None:
        self.connect_seconds = request.connect_seconds
        self.total_seconds = request.total_seconds
        self.room = 2 * request.most_bytes + MOST_OVERHEAD
        self.started = time.monotonic()
        self.connecting = False
        self.sent = False
        self.ended = False

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)

    def remaining(self) -> float:
        """Seconds left. Raises TimeoutError at the end: a socket would take 0 for "do not wait"."""
        left = self.started + self.total_seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def received(self, size: int) -> int:
        """Counts what has come in, and answers it; 0 is the end. Raises _FloodError when it has become too much."""
        self.ended = self.ended or size == 0
        self.room -= size
        if self.room < 0:
            raise _FloodError
        return size


class _FloodError(OSError):
    """The other side sends more than any answer has."""


_EXCHANGE: Final[ContextVar[_Exchange]] = ContextVar("exchange")
"""The exchange that this thread is making: sockets outlive exchanges and are made deep inside the library."""


class _PlainSocket(socket.socket):
    """A socket whose every wait ends with the exchange, and which notes what was sent and what has come."""

    @override
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        exchange = _EXCHANGE.get()
        self.settimeout(exchange.remaining())
        return exchange.received(super().recv_into(*args, **kwargs))

    @override
    def sendall(self, *args: Any, **kwargs: Any) -> None:
        exchange = _EXCHANGE.get()
        self.settimeout(exchange.remaining())
        exchange.sent = True
        super().sendall(*args, **kwargs)


class _TlsSocket(ssl.SSLSocket):
    """As `_PlainSocket`. The handshake does not pass here, so `sent` means bytes of the request."""

    @override
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        exchange = _EXCHANGE.get()
        self.settimeout(exchange.remaining())
        return exchange.received(super().recv_into(*args, **kwargs))

    @override
    def send(self, *args: Any, **kwargs: Any) -> int:
        exchange = _EXCHANGE.get()
        self.settimeout(exchange.remaining())
        exchange.sent = True
        return super().send(*args, **kwargs)


# ── the line to one destination: requests' adapter over connections that dial what was checked ──


class _Dials(urllib3.connection.HTTPConnection):
    """The two things that our connections do differently: dial given addresses, grow old quickly."""

    def __init__(self, *args: Any, addresses: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses = addresses[:MAX_DIALLED]
        self._used_at = 0.0

    @override
    def _new_conn(self) -> socket.socket:
        return _dialled(self._addresses, self.port, _EXCHANGE.get())

    @override
    def getresponse(self) -> Any:
        response = super().getresponse()
        # The wall clock, because a frozen Lambda environment may not count its sleep on the monotonic one.
        self._used_at = time.time()
        return response

    @property
    @override
    def is_connected(self) -> bool:
        return super().is_connected and 0 <= time.time() - self._used_at < IDLE_SECONDS


class _DialsTls(_Dials, urllib3.connection.HTTPSConnection):
    """`_Dials` with TLS under the host's own name."""


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Dials


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _DialsTls


class _Line(requests.adapters.HTTPAdapter):
    """requests' adapter for one destination at addresses that were checked; it cannot be talked into another."""

    def __init__(self, target: Destination, addresses: tuple[str, ...], tls: ssl.SSLContext | None) -> None:
        super().__init__(max_retries=0)
        self._pool: urllib3.HTTPConnectionPool = (
            _PlainPool(target.host, target.port, maxsize=MAX_KEPT, addresses=addresses)
            if tls is None
            else _TlsPool(target.host, target.port, maxsize=MAX_KEPT, addresses=addresses, ssl_context=tls)
        )

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> urllib3.HTTPConnectionPool:
        return self._pool

    @override
    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the pool's own TLS context checks, with the certificates loaded once."""

    @override
    def build_response(self, req: Any, resp: Any) -> requests.Response:
        """What came, as far as it is used. The library would read the cookies, which can be made to take minutes."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = requests.structures.CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response

    @override
    def close(self) -> None:
        self._pool.close()
        super().close()


def _dialled(addresses: Sequence[str], port: int, exchange: _Exchange) -> socket.socket:
    """A connection to the first of these addresses that takes it; the time is shared among those left to try."""
    exchange.connecting = True
    end = time.monotonic() + min(exchange.connect_seconds, exchange.remaining())
    failure: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        sock = _PlainSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max((end - time.monotonic()) / (len(addresses) - tried), 0.001))
            sock.connect((address, port))
            sock.settimeout(exchange.remaining())
        except OSError as error:
            sock.close()
            failure = error
        else:
            exchange.connecting = False
            return sock
    raise failure


def _is_tls(target: Destination) -> bool:
    return target.scheme == "https"


def _system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, without doubles."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _with_user_agent(headers: Mapping[str, str]) -> dict[str, str]:
    named = any(name.lower() == "user-agent" for name in headers)
    return dict(headers) if named else {**headers, "User-Agent": USER_AGENT}


def _body(response: requests.Response, most_bytes: int) -> bytes:
    """The body, unpacked, as far as one byte past the cap: the rest is left unread and the connection closed.

    What cannot be unpacked is no body; the status stands.
    """
    try:
        return bytes(response.raw.read(most_bytes + 1, decode_content=True))
    except urllib3.exceptions.DecodeError:
        return b""


# ── why there is no answer ──────────────────────────────────────────────────────────

_FAILURES: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # a header that cannot be written, or an answer that cannot be read
)

_CERTIFICATE_REASONS: Final = {
    9: "certificate is not valid yet",
    10: "certificate has expired",
    62: "certificate does not match the host",
    64: "certificate does not match the host",
}
"""OpenSSL's verify codes that a client's engineer can act on at once; all others are about trust."""

_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (_FloodError, "answer is too long"),
    (ConnectionRefusedError, "connection refused"),
    (http.client.RemoteDisconnected, "connection closed before an answer"),
    (ConnectionError, "connection closed before the end"),
    (http.client.IncompleteRead, "connection closed before the end of the answer"),
    (urllib3.exceptions.IncompleteRead, "connection closed before the end of the answer"),
    (ssl.SSLError, "TLS failed"),
    (http.client.HTTPException, "answer is not valid HTTP"),
)
"""The first row that fits any of an error's causes counts."""

_UNREACHABLE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL})


def _reason(error: BaseException, exchange: _Exchange) -> str:
    """Our own short words for the error at the bottom; the libraries' texts hold URLs."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, TimeoutError):
            return _timed_out(exchange)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE_REASONS.get(cause.verify_code, "certificate is not trusted")
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return "host is unreachable"
    for kind, words in _REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return "answer cannot be read" if exchange.sent else "request could not be written"


def _timed_out(exchange: _Exchange) -> str:
    if exchange.connecting:
        return f"no connection within {min(exchange.connect_seconds, exchange.total_seconds):.1f} s"
    return f"timed out after {exchange.total_seconds:.1f} s"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
