"""RMS as it is deployed on the local AWS, with its partners, as the tests see it: over HTTP, like everybody else."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import quote

import requests

from local.bodies import a_return
from local.onboarding import Api, Client, onboard
from local.partners import Partner, partner
from local.stack import Stack
from local.steps import say

type Body = dict[str, Any]

IST: Final = timezone(timedelta(hours=5, minutes=30))
PATIENCE_SECONDS: Final = 90.0
POLL_SECONDS: Final = 0.2
ANSWER_SECONDS: Final = 120.0
"""Each call at the same time as others starts a process on the local AWS, which takes its time on a busy machine."""

NOTIFY: Final = "/rms/in/api/clickpost/notify"
ABSENT: Final = "RET-NOBODY-EVER-SENT"
SHOPPER: Final = {
    "firstName": "Ilango",
    "lastName": "Varadarajan",
    "street1": "27 Peacock Lane",
    "street2": "Besant Nagar",
    "city": "Chennai",
    "state": "Tamil Nadu",
    "zip": "600090",
    "country": "INDIA",
    "email": "ilango.varadarajan@example.org",
    "phone": "9791055513",
}
PERSONAL: Final = ("Ilango", "Varadarajan", "27 Peacock Lane", "ilango.varadarajan@example.org", "9791055513")
"""What no log may ever hold of the shopper."""


def eventually[T](look: Callable[[], T], wanted: T, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a look shows what is wanted.

    `seconds` is patience, not a measure: a small machine that does other things as well needs it.
    """
    end = time.monotonic() + seconds
    while (seen := look()) != wanted:
        if time.monotonic() > end:
            assert seen == wanted
        time.sleep(POLL_SECONDS)


def soon[T](look: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Wait until there is something to see; answers it."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"nothing to see after {seconds:.0f} s"
        time.sleep(POLL_SECONDS)
    return seen


def code_of(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an error that comes in our envelope, and in nothing else."""
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json", answer.text
    envelope = answer.json()
    assert set(envelope) == {"code", "message", "description"}, envelope
    assert all(isinstance(text, str) and text for text in envelope.values()), envelope
    return answer.status_code, envelope["code"]


def a_scan(awb: str, code: int, at: datetime, **more: object) -> bytes:
    """A Clickpost webhook: one scan, with India's time that ends in Z."""
    words = f"Scan {code}"
    return json.dumps(
        {
            "waybill": awb,
            "cp_id": 25,
            "clickpost_status_code": code,
            "clickpost_status_description": words,
            "status": words,
            "remark": "",
            "location": "Guindy_Hub (Tamil Nadu)",
            "timestamp": at.astimezone(IST).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "additional": {"is_rvp": True},
            **more,
        }
    ).encode()


@dataclass(frozen=True, slots=True)
class Shop:
    """A client of RMS: its credentials, its own Clickpost, its endpoint at the receiver."""

    client: Client
    stack: Stack
    clickpost: Partner
    receiver: Partner

    @property
    def name(self) -> str:
        return self.client.name

    @property
    def operator(self) -> Api:
        return Api(self.stack.api_url, self.client.operator)

    # ── what it calls ───────────────────────────────────────────────────────────────

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        """A call with a body of JSON, or none."""
        return requests.request(
            method, f"{self.stack.api_url}{path}", json=body, headers=dict(self.client.headers), timeout=ANSWER_SECONDS
        )

    def found(self, path: str, body: object = None) -> Any:
        """What a successful call answers: a POST with a body, a GET without."""
        answer = self.call("GET" if body is None else "POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, raw: bytes, **headers: str) -> requests.Response:
        """A POST of any bytes, under its credentials unless a header says otherwise."""
        sent = {"Content-Type": "application/json", **self.client.headers, **headers}
        return requests.post(f"{self.stack.api_url}{path}", data=raw, headers=sent, timeout=ANSWER_SECONDS)

    def asks_to_book(self, code: str, **changes: object) -> requests.Response:
        """POST /return/create: RMS books."""
        return self.call("POST", "/return/create", self.a_body(code, **changes))

    def tells_of(self, body: Body) -> requests.Response:
        """POST /return/return-orders."""
        return self.call("POST", "/return/return-orders", body)

    def books(self, code: str) -> str:
        """A return booked by RMS; answers its AWB."""
        answer = self.asks_to_book(code)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["returnAwb"])

    def a_body(self, code: str, **changes: object) -> Body:
        """A body for POST /return/create."""
        return a_return(code) | {"pickupAddress": SHOPPER} | changes

    def get(self, code: str) -> requests.Response:
        return self.call("GET", f"/return/return-orders/{quote(code, safe='')}")

    def timeline(self, code: str) -> list[Mapping[str, Any]]:
        """RMS's own account of a return; empty while there is none."""
        answer = self.get(code)
        if answer.status_code == 404:
            return []
        assert answer.status_code == 200, answer.text
        events: list[Mapping[str, Any]] = answer.json()["timeline"]
        return events

    def told(self, code: str) -> list[str]:
        """The notification types of a return's timeline."""
        return [str(event["notificationType"]) for event in self.timeline(code) if event["notificationType"]]

    def status(self, code: str) -> str:
        """The state of a return."""
        answer = self.get(code)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"])

    def cursor(self, code: str) -> Mapping[str, Any]:
        """How far its endpoint has heard a return."""
        [cursor] = self.get(code).json()["notifications"]
        assert isinstance(cursor, dict)
        return cursor

    def replays(self, code: str, **body: object) -> requests.Response:
        return self.call("POST", f"/return/return-orders/{quote(code, safe='')}/replay", body)

    # ── what its Clickpost does ─────────────────────────────────────────────────────

    def notifies(self, raw: bytes, **headers: str) -> requests.Response:
        """A webhook as its Clickpost posts it; headers in place of the right `webhook_key` when given."""
        sent = {"Content-Type": "application/json", **(headers or {"webhook_key": self.client.webhook_key})}
        return requests.post(f"{self.stack.api_url}{NOTIFY}", data=raw, headers=sent, timeout=ANSWER_SECONDS)

    def parcel_travels(self, awb: str, life: str = "delivered", steps: int | str = "all") -> None:
        self.clickpost.control.post(f"shipments/{awb}/advance", {"life": life, "steps": steps})

    def parcels(self, code: str) -> int:
        """How many parcels Clickpost holds for a return of this code."""
        reference = self.get(code).json()["booking"]["reference"]
        bookings = self.clickpost.control.get("bookings")["bookings"]
        return sum(booking["parcels"] for booking in bookings if booking["reference"] == reference)

    # ── what it heard ───────────────────────────────────────────────────────────────

    def deliveries(self, code: str) -> list[Mapping[str, Any]]:
        """Every delivery about a return, repeats and refused ones included, in order of arrival."""
        arrived: Sequence[Mapping[str, Any]] = self.receiver.control.get(f"deliveries?endpoint={self.name}")
        return [delivery for delivery in arrived if delivery["aggregate"] == code]

    def heard(self, code: str) -> list[str]:
        """The notification types that it took in about a return, repeats left out, in order of arrival."""
        return [
            str(delivery["notification_type"])
            for delivery in self.deliveries(code)
            if delivery["accepted"] and not delivery["accepted_before"]
        ]

    def endpoint_fails(self, then: str, times: int = 1, **more: object) -> None:
        """The next deliveries to it go wrong."""
        self.receiver.control.post("faults", {"endpoint": self.name, "then": then, "times": times, **more})

    def violations(self) -> list[Mapping[str, Any]]:
        """What RMS did wrong in telling it."""
        return [each for each in self.receiver.control.get("violations") if each["endpoint"] == self.name]


@dataclass(slots=True)
class Installation:
    """The deployed stack with a receiver, and the clients that it has."""

    stack: Stack
    receiver: Partner
    shops: list[Shop] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    _partners: ExitStack = field(default_factory=ExitStack)

    def new_shop(self, name: str, *options: str) -> Shop:
        """A client with a Clickpost of its own, which runs with these options."""
        folder = self.stack.folder / name
        folder.mkdir()
        clickpost = self._partners.enter_context(
            partner("clickpost", "--webhook-spacing", "1", *options, folder=folder)
        )
        client = onboard(self.stack, clickpost, self.receiver, client=name, name=name.title())
        self.secrets |= {client.webhook_key, client.headers["authPassword"], client.operator["authPassword"]}
        shop = Shop(client, self.stack, clickpost, self.receiver)
        self.shops.append(shop)
        return shop

    def sweep(self) -> None:
        """What the schedule does every minute, now."""
        name = self.stack.outputs["SweepDueWorkFunction"]
        answer = self.stack.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def watch(self, shop: Shop) -> Mapping[str, Any]:
        """Have every parcel of a client asked for that is under way, as if nothing had been heard of any."""
        wish = json.dumps({"silentForHours": 0, "client": shop.name}).encode()
        name = self.stack.outputs["TrackSilentShipmentsFunction"]
        answer = self.stack.client("lambda").invoke(FunctionName=name, Payload=wish)
        said = answer["Payload"].read()
        assert "FunctionError" not in answer, said
        done = json.loads(said)
        assert isinstance(done, dict)
        return done

    def is_idle(self) -> bool:
        """Whether no queue holds a message, waiting or being worked."""
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        sqs = self.stack.client("sqs")
        attributes = [
            sqs.get_queue_attributes(QueueUrl=self.stack.outputs[f"{queue}QueueUrl"], AttributeNames=list(counts))
            for queue in ("Inbound", "Bookings", "Deliveries")
        ]
        return all(each["Attributes"][count] == "0" for each in attributes for count in counts)

    def forget_dead_letter(self, message: Mapping[str, Any]) -> None:
        """Delete a message from the dead-letter queue of `inbound`."""
        self.stack.client("sqs").delete_message(
            QueueUrl=self.stack.outputs["InboundDeadLetterQueueUrl"], ReceiptHandle=message["ReceiptHandle"]
        )

    def sweeping[T](self, look: Callable[[], T]) -> Callable[[], T]:
        """A look that has the sweeper run first, so that nobody waits for the full minute."""

        def swept() -> T:
            self.sweep()
            time.sleep(1)
            return look()

        return swept

    @contextmanager
    def quick_redelivery(self, queue: str, seconds: int = 4) -> Iterator[str]:
        """The queue gives failed messages back after so many seconds instead of minutes; answers its URL."""
        sqs, url = self.stack.client("sqs"), self.stack.outputs[f"{queue}QueueUrl"]
        name = "VisibilityTimeout"
        usual = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
        try:
            yield url
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: usual})

    def close(self) -> None:
        """Stop the partners."""
        say("   stopping the partners")
        self._partners.close()
