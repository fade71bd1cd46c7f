"""Partners on the other end of the Http port, played by functions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from tests.fakes.calls import Calls, Fault

type Answer = HttpAnswer | NoAnswer
type Handler = Callable[[HttpRequest], Answer]


def answer(status: int = 200, body: object = b"", **headers: str) -> HttpAnswer:
    """An answer as it comes: `body` as bytes, or anything else as JSON; `retry_after="3"` is `retry-after: 3`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return HttpAnswer(status, {"content-type": "application/json", **named}, content, elapsed_ms=12)


def no_answer(reason: str = "timed out", *, sent: bool = True) -> NoAnswer:
    """Silence: by default after the request has left."""
    return NoAnswer(reason, sent, elapsed_ms=10_000)


@dataclass(slots=True)
class Route:
    """Everything under one URL prefix. Scripted answers go first, one each; then the handler, if there is one."""

    prefix: str
    handler: Handler | None
    script: list[Answer | Handler] = field(default_factory=list)

    def play(self, request: HttpRequest) -> Answer:
        if self.script:
            scripted = self.script.pop(0)
            return scripted if isinstance(scripted, HttpAnswer | NoAnswer) else scripted(request)
        if self.handler is None:
            raise AssertionError(f"nothing more is scripted for {request.method} {request.url}")
        return self.handler(request)


class FakeHttp:
    """The Http port. `requests` are those that reached a partner, in the order in which they did.

    A call to a URL that no route covers fails the test: code under test must not reach further than it says. Faults
    are what they look like from here: a lost reply or a late effect is `NoAnswer(sent=True)`, a throttle is 429.
    """

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.requests: list[HttpRequest] = []
        self.problems: dict[str, str] = {}
        """What `problem_with` says of a URL; of all others it says nothing."""
        self._routes: dict[str, Route] = {}

    def on(self, prefix: str, handler: Handler | None = None, *, script: tuple[Answer | Handler, ...] = ()) -> Route:
        """Let a partner answer under a URL prefix; the longest prefix wins, a second `on` replaces the first."""
        route = self._routes[prefix] = Route(prefix, handler, list(script))
        return route

    def send(self, request: HttpRequest) -> Answer:
        matching = [prefix for prefix in self._routes if request.url.startswith(prefix)]
        if not matching:
            raise AssertionError(f"nobody answers at {request.url}")
        route = self._routes[max(matching, key=len)]

        def effect() -> Answer:
            self.requests.append(request)
            return route.play(request)

        return self.calls.run("http", "send", (request,), effect, _without_the_real_answer)

    def problem_with(self, url: str) -> str | None:
        return self.problems.get(url)

    def sent_to(self, prefix: str) -> list[HttpRequest]:
        """The requests that reached anybody under this prefix."""
        return [request for request in self.requests if request.url.startswith(prefix)]


def json_of(request: HttpRequest) -> Mapping[str, object]:
    """The JSON object in a request's body."""
    content = json.loads(request.body or b"{}")
    assert isinstance(content, dict)
    return content


def _without_the_real_answer(fault: Fault) -> Answer:
    if fault is Fault.THROTTLED:
        return answer(429, {"message": "slow down"}, retry_after="1")
    return no_answer(fault.value)
