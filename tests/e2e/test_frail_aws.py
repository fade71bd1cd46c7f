"""The flows on an AWS that loses replies, refuses for a while and hangs up: microburst between RMS and the local AWS.

RMS's real handlers run in this process on the real clients; every call of theirs passes microburst. Time is the tests'
own, so that the leases of what died run out at once.
"""

import json
import logging
import os
import secrets
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, override
from uuid import uuid4

import boto3
import pytest

from local import environments
from local.processes import Process, free_port
from local.steps import say
from rms.core import Core
from rms.journal import AggregateId
from rms.journal.events import from_item
from rms.journal.keys import all_due_shards
from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from rms.platform.kms import KmsSecrets
from rms.platform.queues import QueueName, QueueUnavailableError
from rms.platform.sqs import SqsQueues
from rms.platform.table import TableUnavailableError
from tests.builders import a_return_order_body
from tests.e2e.installation import Installation
from tests.fakes.queues import Received
from tests.template import create_queues, create_table, port_urls
from tests.world import CLIENT, World

pytestmark = pytest.mark.e2e

REGION: Final = "ap-south-1"
RETURNS: Final = 4
ROUNDS: Final = 60
"""Minutes of the tests' own time within which everything must have settled."""
HEARD: Final = ["AWB_GENERATED", "OUT_FOR_PICKUP", "RETURN_PICKED_UP", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"]

LOST_REPLY: Final = {"response": {"abort_bytes": 0}}
"""The call is done; its answer never arrives."""
HUNG_UP: Final = {"reset": True}
THROTTLED: Final = {"error": {"code": "ThrottlingException"}}
"""Three times in a row: as often as the client itself tries."""
FAULTS: Final = [
    {"service": "dynamodb", "sequence": {"fail": 1, "pass": 5}, **LOST_REPLY},
    {"service": "dynamodb", "sequence": {"fail": 3, "pass": 24}, **THROTTLED},
    {"service": "dynamodb", "sequence": {"fail": 1, "pass": 12}, **HUNG_UP},
    {"service": "sqs", "sequence": {"fail": 1, "pass": 3}, **LOST_REPLY},
    {"service": "sqs", "sequence": {"fail": 3, "pass": 8}, **THROTTLED},
    {"service": "kms", "sequence": {"fail": 1, "pass": 1}, **LOST_REPLY},
]


KINDS: Final = ("dynamodb response", "dynamodb error", "dynamodb reset", "sqs response", "sqs error")


@contextmanager
def _silence() -> Iterator[None]:
    """Every fault is logged with its traceback; here they are the rule."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class Microburst:
    """The proxy, by its control API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _call(self, method: str, path: str, body: object = None) -> Any:
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - http, ours
            f"{self.url}/_microburst/{path}", raw, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return json.load(answer)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """While this lasts, calls go wrong."""
        self._call("POST", "rules", FAULTS)
        try:
            yield
        finally:
            self._call("POST", "rules", [])

    def struck(self) -> Mapping[str, int]:
        """How often each kind of fault has struck which service."""
        counts: dict[str, int] = {}
        for event in self._call("GET", "fired?limit=100000"):
            name = f"{event['service']} {event['action'].partition(':')[0]}"
            counts[name] = counts.get(name, 0) + 1
        return counts

    def is_up(self) -> bool:
        try:
            return bool(self._call("GET", "health")["status"] == "ok")
        except OSError:
            return False


@pytest.fixture(scope="module")
def microburst(installation: Installation) -> Iterator[Microburst]:
    port = free_port()
    proxy = Microburst(f"http://127.0.0.1:{port}")
    command: list[str | Path] = [environments.python("dev"), "-m", "microburst", "--no-resign", "--port", str(port)]
    command += ["--host", "127.0.0.1", "--upstream", installation.stack.endpoint_url]
    log = installation.stack.folder / "microburst.log"
    with Process("microburst", command, log=log, env={"PATH": os.environ["PATH"]}) as process:
        process.wait_until(proxy.is_up, 30)
        yield proxy


class FrailWorld(World):
    """The world of the other tests, on tables and queues of the local AWS instead of fakes."""

    def __init__(self, endpoint_url: str, proxy_url: str) -> None:
        super().__init__()
        direct: Any = partial(
            boto3.client,
            region_name=REGION,
            endpoint_url=endpoint_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        name = f"frail-{uuid4().hex[:8]}"
        create_table(direct("dynamodb"), name)
        self._sqs = direct("sqs")
        self._urls = port_urls(create_queues(self._sqs, name))
        self.truth = DynamoTable(direct("dynamodb"), name)
        key = direct("kms").create_key()["KeyMetadata"]["KeyId"]
        self.core = Core.on(
            DynamoTable(open_client("dynamodb", region=REGION, endpoint_url=proxy_url), name),
            SqsQueues(open_client("sqs", region=REGION, endpoint_url=proxy_url), self._urls),
            KmsSecrets(lambda: open_client("kms", region=REGION, endpoint_url=proxy_url), key),
            self.core.files,
            self.core.http,
            clock=self.clock,
            fences=lambda: secrets.token_hex(12),
        )
        self._onboard()

    @override
    def work(self, queue: QueueName, *, batch: int = 4) -> int:
        """As Lambda does: what succeeded is deleted, what failed comes again."""
        taken = self._sqs.receive_message(
            QueueUrl=self._urls[queue], MaxNumberOfMessages=batch, VisibilityTimeout=1
        ).get("Messages", [])
        if not taken:
            return 0
        failed = self.hand_over(queue, [Received(each["MessageId"], each["Body"], 1) for each in taken])
        for each in taken:
            if each["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._urls[queue], ReceiptHandle=each["ReceiptHandle"])
        return len(taken)

    def minute(self) -> None:
        """A minute passes: partners, queues, the sweeper. A sweep that fails is followed by the next one."""
        self.clickpost.run_due()
        self.post_webhooks()
        self.work_all()
        self.clock.advance(minutes=1)
        with suppress(TableUnavailableError, QueueUnavailableError):
            self.sweep()

    def create_at_last(self, code: str) -> None:
        """Send a return as a client does that gets no good answer: again."""
        body = a_return_order_body(returnOrderCode=code)
        for _ in range(ROUNDS):
            if self.create_return(body).status == 200:
                return
            self.minute()
        raise AssertionError(f"{code} was never taken")

    def settled(self) -> bool:
        """Whether nothing is due any more, read past the faults."""
        waiting = self.clickpost.state()["webhooks_waiting"]
        return waiting == 0 and not any(self.truth.query_due(shard, until="9999").items for shard in all_due_shards())

    @override
    def settle(self, *, minutes: int = ROUNDS) -> None:
        for _ in range(minutes):
            self.minute()
            if self.settled():
                return
        raise AssertionError(f"not settled after {minutes} minutes")


def test_no_return_no_parcel_and_no_notification_is_lost_or_doubled(
    installation: Installation, microburst: Microburst
) -> None:
    world = FrailWorld(installation.stack.endpoint_url, microburst.url)
    codes = [f"RET-FRAIL-{number}" for number in range(1, RETURNS + 1)]
    with microburst.faults(), _silence():
        for code in codes:
            world.create_at_last(code)
        world.settle()
        for parcel in world.clickpost.parcels():
            world.clickpost.advance(parcel.awb, life="delivered", steps=None)
        world.settle()

    bookings = world.clickpost.describe_bookings()
    assert (bookings["parcels"], bookings["duplicate_parcels"]) == (RETURNS, 0)
    for code in codes:
        journal = world.truth.query(AggregateId(CLIENT, "R", code).pk, prefix="EVENT#").items
        assert [row["SK"] for row in journal] == [f"EVENT#{number:08}" for number in range(1, len(HEARD) + 2)]
        events = [from_item(row).event for row in journal]
        assert world.heard(code) == [event.notification.value for event in events if event.notification]
        assert sorted(world.heard(code)) == sorted(HEARD)
    assert world.receiver.violations() == []

    struck = microburst.struck()
    say(f"   microburst struck: {struck}")
    assert all(struck.get(kind, 0) > 0 for kind in KINDS), struck
