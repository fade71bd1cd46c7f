"""HTTP on 127.0.0.1 for simulated partners: reads requests, plays out replies (silence and dead lines included).

A partner is a function from `Request` to `Reply`; paths under `/sandbox/` go to its control function, whose
JSON answers steer and inspect it. Nothing is printed but the ready line and, if asked for, one line per request.
"""

import json
import select
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self, override
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.faults import Answer, NoReply, Reply

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
MAX_SILENCE_SECONDS: Final = 300.0
_IDLE_SECONDS: Final = 60.0
_CHUNK: Final = 64 * 1024
_PAGE: Final = 1000

type Control = Callable[[str, tuple[str, ...], Mapping[str, Any]], Any]
"""From (method, path parts after /sandbox/, JSON body merged with the query) to a JSON value."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class ControlError(Exception):
    """The control call asks for something that is not there or makes no sense; answered with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class SandboxServer(AbstractContextManager["SandboxServer"]):
    """A partner's HTTP server on a free or given port; serves from `start` to `close` and leaves no thread behind."""

    def __init__(
        self, respond: Callable[[Request], Reply], control: Control, *, port: int = 0, verbose: bool = False
    ) -> None:
        self.closing = threading.Event()
        self._http = _HttpServer(("127.0.0.1", port), _Handler)
        self._http.respond = respond
        self._http.control = control
        self._http.closing = self.closing
        self._http.verbose = verbose
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox-http")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Drop all connections and wait for their threads."""
        self.closing.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.drop_connections()
        self._http.server_close()

    @override
    def __enter__(self) -> Self:
        return self.start()

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def routes(table: Mapping[str, Callable[..., Any]], *, absent: type[LookupError] = LookupError) -> Control:
    """A control API from a table of calls, `METHOD path`, in which `*` takes any one part.

    An action gets the taken parts, then the values. `absent`, raised by one, is answered 404. None is answered as {}.
    """
    calls: list[tuple[str, list[str], Callable[..., Any]]] = []
    for name, action in table.items():
        method, path = name.split()
        calls.append((method, path.split("/"), action))

    def control(method: str, parts: tuple[str, ...], values: Mapping[str, Any]) -> Any:
        for verb, pattern, action in calls:
            same = len(pattern) == len(parts) and all(p in {"*", part} for p, part in zip(pattern, parts, strict=True))
            if verb == method and same:
                taken = [part for p, part in zip(pattern, parts, strict=True) if p == "*"]
                try:
                    answer = action(*taken, values)
                except absent as problem:
                    raise ControlError(404, str(problem.args[0])) from problem
                return {} if answer is None else answer
        raise ControlError(404, "no such control call")

    return control


def newest[Row](rows: list[Row], values: Mapping[str, Any]) -> list[Row]:
    """The newest rows, `limit` of them (1000 unless told), oldest first."""
    return rows[-max(1, int(values.get("limit", _PAGE))) :]


def serve_until_stopped(ready: Mapping[str, str]) -> None:
    """Print the ready line, then wait for SIGTERM or SIGINT."""
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    stopped.wait()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    respond: Callable[[Request], Reply]
    control: Control
    closing: threading.Event
    verbose: bool

    @override
    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to report; anything else is a bug here and must be seen."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Silence: BaseHTTPRequestHandler would log the URL with the key in it."""

    def _serve(self) -> None:
        started = time.monotonic()
        body = self._read_body()
        if body is None:
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        if request.path.startswith("/sandbox/"):
            reply: Reply = _control_reply(self.server.control, request)
        else:
            reply = self.server.respond(request)
        self._play(reply)
        if self.server.verbose:
            outcome = reply.status if isinstance(reply, Answer) else "no answer"
            took = round((time.monotonic() - started) * 1000)
            sys.stdout.write(f"{request.method} {request.path} {outcome} {took} ms\n")
            sys.stdout.flush()

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding"):
            self._refuse(411, "send Content-Length")
            return None
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_REQUEST_BYTES:
            self._refuse(413, "body too large")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        self._send(Answer(status, {"Content-Type": "text/plain"}, why.encode()))

    def _play(self, reply: Reply) -> None:
        if reply.after_seconds and not self._wait(reply.after_seconds):
            return
        match reply:
            case Answer():
                self._send(reply)
            case NoReply(closes=closes):
                if not closes:
                    self._wait(MAX_SILENCE_SECONDS)
                self.close_connection = True

    def _wait(self, seconds: float) -> bool:
        """Wait, but not longer than the client does; False when the client or the server went away."""
        until = time.monotonic() + seconds
        while not self.server.closing.is_set() and (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if readable and not self._peek():
                self.close_connection = True
                return False
            if readable:
                self.server.closing.wait(min(left, 0.05))
        return not self.server.closing.is_set()

    def _peek(self) -> bool:
        """Whether the client is still there, given that its line has something to read."""
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.cut_at is not None:
            self.close_connection = True
        self.end_headers()
        body = answer.body if answer.cut_at is None else answer.body[: answer.cut_at]
        for start in range(0, len(body), _CHUNK):
            self.wfile.write(body[start : start + _CHUNK])


def _control_reply(control: Control, request: Request) -> Answer:
    try:
        values = json.loads(request.body or b"{}")
        if not isinstance(values, dict):
            raise ControlError(400, "the body must be a JSON object")  # noqa: TRY301 - answered below, as all are
        parts = tuple(part for part in request.path.split("/")[2:] if part)
        answer = control(request.method, parts, {**request.query, **values})
        status = 200
    except ControlError as problem:
        status, answer = problem.status, {"error": str(problem)}
    except (ValueError, TypeError, LookupError) as problem:
        status, answer = 400, {"error": str(problem)}
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())
