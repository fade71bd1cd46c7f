"""What takes RMS minutes by design begins when the stack comes up, and is looked at when most tests are done."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import requests

from local.steps import say
from tests.e2e.installation import Body, Installation, Shop, code_of

BOOKINGS: Final = {
    "RET-DONE-UNSAID": {"then": "hangs", "does_the_work": True},
    "RET-NEVER-DONE": {"then": "hangs", "does_the_work": False},
    "RET-DONE-LATER": {"then": "hangs", "late_seconds": 40},
}
"""How each booking call fails: none of them is ever answered."""

FAILING: Final = "RET-DEAF"
"""The return whose endpoint answers 500 three times."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """Credentials that worked once, just before they were revoked."""

    headers: dict[str, str]
    answered_before: int


class SlowStories:
    """The stories, each on a client of its own, told by threads of their own."""

    def __init__(self, rms: Installation) -> None:
        say("== What takes minutes begins now: unanswered bookings, a failing endpoint, a revoked credential")
        self.rms = rms
        self.patient = rms.new_shop("patient")
        self.deaf = rms.new_shop("deaf")
        self.bodies: dict[str, Body] = {code: self.patient.a_body(code) for code in BOOKINGS}
        self.revoked = _revoke(self.deaf)
        self.deaf.endpoint_fails("status", times=3, status=500)
        self.deaf.books(FAILING)
        self._pool = ThreadPoolExecutor(1, "slow-stories")
        self._answers: Future[dict[str, requests.Response]] = self._pool.submit(self._book_unanswered)

    @property
    def first_answers(self) -> dict[str, requests.Response]:
        """What RMS said when Clickpost said nothing."""
        return self._answers.result()

    def close(self) -> None:
        """Wait for the thread."""
        self._pool.shutdown()

    def _book_unanswered(self) -> dict[str, requests.Response]:
        answers = {}
        for code, fault in BOOKINGS.items():
            self.patient.clickpost.control.post("faults", {"operation": "create-order", **fault})
            answers[code] = self.patient.call("POST", "/return/create", self.bodies[code])
        return answers


def _revoke(shop: Shop) -> Revoked:
    path = f"/clients/{shop.name}/credentials"
    headers = shop.operator.expect(201, "POST", path, {"username": "leaver", "roles": ["client"]})
    before = shop.post("/return/get/awb", b'{"awbNumber":"1"}', **headers)
    shop.operator.expect(200, "DELETE", f"{path}/leaver")
    return Revoked(headers, before.status_code)


def is_refused(shop: Shop, revoked: Revoked) -> bool:
    """Whether the credentials have stopped working."""
    answer = shop.post("/return/get/awb", b'{"awbNumber":"1"}', **revoked.headers)
    return answer.status_code != 200 and code_of(answer) == (403, "UNAUTHORIZED")
