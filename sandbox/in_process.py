"""RMS's Http port answered by engines in the same process: no sockets, no waiting, the same behaviour and faults.

The one module here that knows RMS; the partners themselves need only the standard library.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.faults import Answer, NoReply, Reply

type Partner = Callable[[str, str, Mapping[str, str], Mapping[str, str], bytes], Reply]
"""From (method, path, query, headers in lower case, body) to a reply: `ClickpostEngine.handle` is one."""


class InProcessHttp:
    """Sends each request to the partner whose host its URL names; an unknown host refuses the connection."""

    def __init__(self, partners: Mapping[str, Partner]) -> None:
        self.partners = dict(partners)

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        """See `rms.platform.http.Http`. Waits that the request would not sit out become time-outs at once."""
        parts = urlsplit(request.url)
        partner = self.partners.get(parts.netloc)
        if partner is None:
            return NoAnswer("connection refused", sent=False, elapsed_ms=0)
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = partner(request.method, parts.path, request.query, headers, request.body or b"")
        waited = min(reply.after_seconds, request.total_seconds)
        match reply:
            case NoReply(closes=True):
                return NoAnswer("connection closed", sent=True, elapsed_ms=round(waited * 1000))
            case Answer() if reply.after_seconds < request.total_seconds:
                return _answer(reply, request.most_bytes)
        return NoAnswer("timed out", sent=True, elapsed_ms=round(request.total_seconds * 1000))

    def problem_with(self, url: str) -> str | None:
        """See `rms.platform.http.Http`: the partners' hosts are the only ones here."""
        return None if urlsplit(url).netloc in self.partners else "name does not resolve"


def _answer(reply: Answer, most_bytes: int) -> HttpAnswer | NoAnswer:
    elapsed = round(reply.after_seconds * 1000)
    if reply.cut_at is not None:
        return NoAnswer("connection closed within the body", sent=True, elapsed_ms=elapsed)
    headers = {name.lower(): value for name, value in reply.headers.items()}
    body = reply.body[:most_bytes]
    return HttpAnswer(reply.status, headers, body, elapsed, truncated=len(reply.body) > most_bytes)
