"""An aggregator for tests that wants all that Clickpost does not: a login, two calls for an AWB, a search."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Final, override

from rms.aggregators.clickpost import Clickpost
from rms.aggregators.contract import (
    Account,
    Ask,
    Booked,
    BookingResult,
    Brought,
    Direction,
    Job,
    Label,
    LabelResult,
    NotFound,
    Progress,
    RefusalKind,
    Refused,
    Shipment,
    Token,
    Unauthorized,
    Unknown,
)
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from tests.fakes.http import answer, no_answer

URL: Final = "https://porter.test"
SECONDS: Final = 6.0
DAY: Final = 24 * 3600


class Porter(Clickpost):
    """The adapter. What it has in common with Clickpost is only that neither does I/O."""

    name = "PORTER"

    @override
    def check_account(self, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
        return [] if "password" in secrets else ["secrets.password: may not be empty"]

    @override
    def booking_reference(self, client: str, code: str, generation: int, direction: Direction) -> str:
        return f"{direction}-{client}-{code}-{generation}"

    @override
    def login(self, account: Account) -> HttpRequest | None:
        return HttpRequest("POST", f"{URL}/login", body=account.secrets["password"].encode(), total_seconds=SECONDS)

    @override
    def read_login(self, answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:
        if isinstance(answer, HttpAnswer) and answer.status == 200:
            given = json.loads(answer.body)
            return Token(given["token"], given["lifetime"])
        if isinstance(answer, HttpAnswer) and answer.status == 400:
            return Refused(RefusalKind.CONFIGURATION, "400", "wrong password")
        return Unknown("login failed")

    @override
    def book(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
        if "awb" in progress:
            return Booked(progress["awb"], "Porter Express", progress["order"])
        if "order" in progress:
            return Ask("assign", _post(account, "/assign", {"order": progress["order"]}))
        return Ask("create", _post(account, "/create", {"reference": job.reference}))

    @override
    def find(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult | NotFound:
        return Ask("search", _post(account, "/search", {"reference": job.reference}))

    @override
    def read(
        self, job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        if isinstance(answer, NoAnswer):
            return Unknown(f"{ask.name}: {answer.reason}")
        match answer.status:
            case 200:
                return Brought({**progress, **json.loads(answer.body)})
            case 401:
                return Unauthorized()
            case 404:
                return NotFound()
            case 422:
                return Refused(RefusalKind.CALLER, "422", "no courier goes there", burnt=True)
            case status:
                return Unknown(f"HTTP {status}")

    @override
    def found(self, progress: Progress) -> bool:
        return "order" in progress

    @override
    def label(self, account: Account, shipment: Shipment) -> HttpRequest:
        return _post(account, "/label", {"awb": shipment.awb})

    @override
    def read_label(self, answer: HttpAnswer | NoAnswer) -> LabelResult:
        if isinstance(answer, HttpAnswer) and answer.status == 401:
            return Unauthorized()
        return Label(f"{URL}/label.pdf") if isinstance(answer, HttpAnswer) and answer.status == 200 else Unknown("?")


@dataclass
class PorterOffice:
    """The other end. `now_and_then` is asked before each call and may answer in its place."""

    now_and_then: Callable[[str], HttpAnswer | NoAnswer | None] = lambda _: None
    password: str = "open sesame"
    lifetime: int = 10 * DAY
    calls: list[str] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    awbs: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def handle(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        """The answer to one call."""
        name = request.url.removeprefix(f"{URL}/")
        with self._lock:
            self.calls.append(name)
            instead = self.now_and_then(name)
            return self._work(name, request) if instead is None else instead

    def lost(self, name: str, request: HttpRequest) -> NoAnswer:
        """Do the work, and let nobody hear of it."""
        self._work(name, request)
        return no_answer()

    def count(self, name: str) -> int:
        """How often this was called."""
        return self.calls.count(name)

    def _work(self, name: str, request: HttpRequest) -> HttpAnswer:
        if name == "login":
            if (request.body or b"").decode() != self.password:
                return answer(400)
            token = f"token-{self.count('login')}"
            self.tokens.add(token)
            return answer(200, {"token": token, "lifetime": self.lifetime})
        if request.headers["Authorization"].removeprefix("Bearer ") not in self.tokens:
            return answer(401)
        return self._serve(name, json.loads(request.body or b"{}"))

    def _serve(self, name: str, asked: dict[str, Any]) -> HttpAnswer:
        match name:
            case "create":
                order = self.orders[asked["reference"]] = f"order-{self.count('create')}"
                return answer(200, {"order": order})
            case "assign":
                awb = self.awbs.setdefault(asked["order"], f"PX{len(self.awbs) + 1:08}")
                return answer(200, {"awb": awb})
            case "search" if asked["reference"] not in self.orders:
                return answer(404)
            case "search":
                return answer(200, {"order": self.orders[asked["reference"]]})
            case _:
                return answer(200)


def _post(account: Account, path: str, body: dict[str, str]) -> HttpRequest:
    return HttpRequest(
        "POST",
        URL + path,
        headers={"Authorization": f"Bearer {account.secrets['token']}"},
        body=json.dumps(body).encode(),
        total_seconds=SECONDS,
    )
