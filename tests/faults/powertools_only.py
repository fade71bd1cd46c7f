"""For comparison: create, book, store and notify, guarded by Powertools' idempotency decorator and by nothing else.

As many teams would write it, with what the documentation recommends: the key is the return's code, the Lambda context
is registered so that a dead invocation can be taken over, an error gives the record back, the client sends its call
again until it hears a 2xx, and Clickpost's 323 counts as booked. The store keeps its records in memory under the very
conditions of `DynamoDBPersistenceLayer`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.idempotency import (
    BasePersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from rms.aggregators.clickpost.booking import create_order
from rms.aggregators.contract import Account, Job
from rms.platform.http import HttpAnswer, HttpRequest
from rms.platform.table import TableUnavailableError
from sandbox.clickpost.engine import ClickpostEngine
from sandbox.clickpost.settings import Settings
from sandbox.in_process import InProcessHttp
from sandbox.receiver.engine import ReceiverEngine
from tests.builders import a_return
from tests.fakes.calls import Calls, Plan, ProcessKilledError, at, no_faults, raising
from tests.fakes.clock import FakeClock
from tests.fakes.http import FakeHttp
from tests.faults.invariants import Breach, Kind
from tests.faults.partners import meta_status
from tests.faults.run import RETRY, TRIES, Late
from tests.faults.strikes import Tally, variants
from tests.world import CLICKPOST_HOST, RECEIVER_HOST, a_clickpost_account

LAMBDA_TIMEOUT: Final = timedelta(seconds=29)

_BOOKED: Final = {200, 323}


class Store(BasePersistenceLayer):
    """Idempotency records in memory; each call may be struck."""

    def __init__(self, calls: Calls, clock: FakeClock) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
        self._calls, self._clock = calls, clock
        self._records: dict[str, tuple[DataRecord, datetime]] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        def effect() -> DataRecord:
            if idempotency_key not in self._records:
                raise IdempotencyItemNotFoundError
            return self._records[idempotency_key][0]

        return self._calls.run("table", "get record", (), effect, raising(TableUnavailableError))

    def _put_record(self, data_record: DataRecord) -> None:
        now = self._clock()

        def effect() -> None:
            there = self._records.get(data_record.idempotency_key)
            if there is not None and not (there[0].status == "INPROGRESS" and there[1] < now):
                raise IdempotencyItemAlreadyExistsError(old_data_record=there[0])
            self._records[data_record.idempotency_key] = (data_record, now + LAMBDA_TIMEOUT)

        self._calls.run("table", "put record", (), effect, raising(TableUnavailableError))

    def _update_record(self, data_record: DataRecord) -> None:
        def effect() -> None:
            self._records[data_record.idempotency_key] = (
                data_record,
                datetime.max.replace(tzinfo=self._clock().tzinfo),
            )

        self._calls.run("table", "update record", (), effect, raising(TableUnavailableError))

    def _delete_record(self, data_record: DataRecord) -> None:
        def effect() -> None:
            self._records.pop(data_record.idempotency_key, None)

        self._calls.run("table", "delete record", (), effect, raising(TableUnavailableError))


@dataclass(frozen=True, slots=True)
class _Unfinished(Exception):  # noqa: N818 - what it says is not an error of the code
    """A step did not succeed; the invocation fails and the client calls again."""

    step: str


class _Context(LambdaContext):
    """What the decorator asks of Lambda: how long a dead invocation holds its record."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return int(LAMBDA_TIMEOUT.total_seconds() * 1000)


class DecoratedFlow:
    """One client, one return, one endpoint."""

    def __init__(
        self, partner: Settings, plan: Plan = no_faults, late: Late = Late.SOON, *, client_repeats: bool = True
    ) -> None:
        self.clock = FakeClock()
        self.calls = Calls(plan=plan, late_by=2 if late is Late.SOON else None)
        self.late = late
        self.tries = TRIES if client_repeats else 1
        self.clickpost = ClickpostEngine(partner, clock=self.clock)
        self.receiver = ReceiverEngine(clock=self.clock)
        self.returns: dict[str, str] = {}
        self.answered: Mapping[str, Any] | None = None
        self._http = FakeHttp(self.calls)
        partners = InProcessHttp({CLICKPOST_HOST: self.clickpost.handle, RECEIVER_HOST: self.receiver.handle})
        self._http.on("https://", partners.send)
        account = a_clickpost_account()
        self._account = Account("lotus", account.alias, account.aggregator, account.secrets, account.options)
        self._order = a_return()
        self._create = self._guarded()

    def _guarded(self) -> Any:
        config = IdempotencyConfig(event_key_jmespath="code", lambda_context=_Context())
        store = Store(self.calls, self.clock)

        @idempotent_function(data_keyword_argument="order", persistence_store=store, config=config)  # type: ignore[untyped-decorator]  # as above
        def create_return(order: dict[str, str]) -> dict[str, str]:
            awb = self._book(order["code"])
            self._keep(order["code"], awb)
            self._notify(order["code"], awb)
            return {"code": order["code"], "awb": awb}

        return create_return

    def _book(self, code: str) -> str:
        request = create_order(self._account, Job(code, self._order), self.clock())
        assert request is not None
        answer = self._http.send(request)
        if not isinstance(answer, HttpAnswer) or answer.status != 200 or meta_status(answer) not in _BOOKED:
            raise _Unfinished("book")
        return str(json.loads(answer.body)["result"]["waybill"])

    def _keep(self, code: str, awb: str) -> None:
        def effect() -> None:
            self.returns[code] = awb

        self.calls.run("table", "put return", (), effect, raising(TableUnavailableError))

    def _notify(self, code: str, awb: str) -> None:
        told = {"notificationType": "AWB_GENERATED", "returnOrderCode": code, "returnAwb": awb, "sequence": 1}
        headers = {"Content-Type": "application/json", "webhook-id": f"{code}-1"}
        url = f"https://{RECEIVER_HOST}/hooks/team"
        answer = self._http.send(HttpRequest("POST", url, headers=headers, body=json.dumps(told).encode()))
        if not isinstance(answer, HttpAnswer) or answer.status != 200:
            raise _Unfinished("notify")

    def play(self) -> "DecoratedFlow":
        """The client calls until it is answered; what is late happens."""
        for _ in range(self.tries):
            self.answered = self._call()
            if self.answered is not None:
                break
            self.clock.advance(RETRY.total_seconds())
            if self.late is not Late.LAST:
                self.calls.land()
        self.calls.land()
        return self

    def _call(self) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] | None = self.calls.run("intake", "POST", (), self._invoke, lambda _: None)
        except ProcessKilledError:
            return None
        return answer

    def _invoke(self) -> Mapping[str, Any] | None:
        try:
            answer: Mapping[str, Any] = self._create(order={"code": self._order.code})
        except (ProcessKilledError, Exception):  # noqa: BLE001 - a 5xx, whatever it was: the client calls again
            return None
        return answer

    def breaches(self) -> list[Breach]:
        """What was lost or doubled."""
        code = self._order.code
        truth = self.clickpost.describe_bookings()
        found = [Breach(Kind.DUPLICATE_AWB, "booked twice")] * truth["duplicate_parcels"]
        awbs = [awb for booking in truth["bookings"] for awb in booking["awbs"]]
        if self.answered is None and self.tries > 1:
            found.append(Breach(Kind.LOST_RETURN, "never answered"))
        if code not in self.returns and (self.answered is not None or awbs):
            found.append(Breach(Kind.LOST_RETURN, "booked or answered, and not stored"))
        if self.answered is not None and self.answered["awb"] != self.returns.get(code):
            found.append(Breach(Kind.OTHER, "the AWB answered is not the AWB stored"))
        if code in self.returns and not self.receiver.heard("team", code):
            found.append(Breach(Kind.LOST_NOTIFICATION, "nobody was told"))
        told = {json.loads(delivery.body)["returnAwb"] for delivery in self.receiver.deliveries("team")}
        if len(told) > 1:
            found.append(Breach(Kind.OTHER, "the client was told two AWBs for one return"))
        return found


def strike_decorated(partner: Settings, name: str, *, client_repeats: bool = True) -> Tally:
    """Each call of the decorated flow, struck by each fault."""
    tally = Tally(name)
    calm = DecoratedFlow(partner, client_repeats=client_repeats).play()
    tally.add("no fault", calm.breaches())
    made = list(calm.calls.made)
    tally.calls = len(made)
    for call in made:
        for fault, late in variants(call, past_settling=partner.refuses_duplicates):
            flow = DecoratedFlow(partner, at(call.number, fault), late, client_repeats=client_repeats).play()
            strike = f"call {call.number} ({call.port}, {call.operation}) {fault.name}"
            tally.add(strike, flow.breaches())
    return tally
