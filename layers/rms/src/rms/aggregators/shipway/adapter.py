"""Shipway behind the aggregator contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rms.aggregators.contract import (
    Account,
    Ask,
    Booked,
    BookingResult,
    Brought,
    CancelResult,
    Direction,
    Goal,
    Job,
    LabelResult,
    NotFound,
    Progress,
    RefusalKind,
    Refused,
    Shipment,
    ShipmentUpdate,
    Token,
    Unauthorized,
    Unknown,
)
from rms.aggregators.shipway import answers, requests, webhook
from rms.aggregators.shipway.account import Settings, check_account
from rms.model.forward_shipment import ForwardShipment
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer

PUSH: Final = "push"
STORE: Final = "store"
LOOK: Final = "look"
CREATE_RETURN: Final = "create return"
FIND: Final = "find"
FIND_RETURN: Final = "find return"


class Shipway:
    """An `Aggregator`. Its credentials go with each call, so that nothing is logged in to."""

    name: str = "SHIPWAY"
    demands_client_fields: bool = False
    confirms_webhooks: bool = True
    takes_orders: bool = True
    tracked_at_once: int = 100
    tracks_by_event_id: bool = False

    def check_account(self, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
        """See `Aggregator`."""
        return check_account(options, secrets)

    def booking_reference(self, client: str, code: str, generation: int, direction: Direction) -> str:
        """See `Aggregator`."""
        return requests.booking_reference(client, code, generation, direction)

    def login(self, account: Account) -> HttpRequest | None:  # noqa: ARG002 - the contract's form
        """Nothing: e-mail and licence key go with each call."""
        return None

    def read_login(self, answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:  # noqa: ARG002 - as above
        """Never asked, because there is no login."""
        return Unknown("Shipway has no login")

    def book(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
        """Forward: one push that brings AWB and label. Return: one call, where the account has them switched on.

        An order that was only stored gets no AWB by any known call: it is looked at, for a carrier may have been
        assigned in Shipway's panel. See docs/adr, "Create Order at Shipway only stores".
        """
        settings = Settings.of(account)
        if "awb" in progress:
            return answers.booked(progress, settings.carrier_id, settings.carrier_name)
        if not isinstance(job.order, ReturnOrder):
            return _forward(account, job, job.order, progress)
        refusal = _cannot_return(settings, job.order)
        return refusal or Ask(CREATE_RETURN, requests.create_return(account, job.order, now))

    def find(
        self,
        account: Account,
        job: Job,
        progress: Progress,  # noqa: ARG002 - the contract's form: a search here is one call
        now: datetime,  # noqa: ARG002 - as above
    ) -> Ask | BookingResult | NotFound:
        """Get orders, by our reference; for a return by its forward order, the only name that Shipway knows of it."""
        if not isinstance(job.order, ReturnOrder):
            return Ask(FIND, requests.get_orders(account, job.reference))
        return Ask(FIND_RETURN, requests.get_orders(account, requests.forward_order_id(account, job.order)))

    def read(
        self,
        job: Job,
        ask: Ask,
        answer: HttpAnswer | NoAnswer,
        progress: Progress,
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        """See `Aggregator`."""
        if isinstance(job.order, ReturnOrder):
            if ask.name == CREATE_RETURN:
                return answers.read_create_return(answer)
            return answers.read_find_return(answer, job.order, ask.request.query["orderid"])
        return _read_forward(job, ask, answer, progress)

    def found(self, progress: Progress) -> bool:  # noqa: ARG002 - the contract's form
        """Never: a search says at once what it found."""
        return False

    def label(self, account: Account, shipment: Shipment) -> HttpRequest:
        """The order's row, in which no link to a label has been seen so far; the push brings it, once."""
        return requests.get_orders(account, shipment.reference)

    def read_label(self, answer: HttpAnswer | NoAnswer) -> LabelResult:
        """See `Aggregator`."""
        return answers.read_label(answer)

    def cancel(self, account: Account, shipment: Shipment) -> HttpRequest:
        """See `Aggregator`."""
        return requests.cancel(account, shipment)

    def read_cancel(self, shipment: Shipment, answer: HttpAnswer | NoAnswer) -> CancelResult:
        """See `Aggregator`."""
        return answers.read_cancel(shipment, answer)

    def tracked_with(self, account: Account, shipment: Shipment) -> str:  # noqa: ARG002 - the contract's form
        """All of an account go together."""
        return ""

    def track(self, account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
        """See `Aggregator`."""
        return requests.track(account, shipments)

    def read_tracking(
        self, answer: HttpAnswer | NoAnswer, received_at: datetime
    ) -> Sequence[ShipmentUpdate] | Unknown | Unauthorized:
        """See `Aggregator`."""
        return webhook.read_tracking(answer, received_at)

    def proves_sender(self, account: Account, body: bytes) -> bool:
        """See `Aggregator`: the older feed carries a hash."""
        return webhook.proves_sender(account, body)

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """See `Aggregator`."""
        return webhook.read_webhook(body, received_at)


def _forward(account: Account, job: Job, shipment: ForwardShipment, progress: Progress) -> Ask:
    if job.goal is Goal.ORDER:
        return Ask(STORE, requests.store(account, shipment, job.reference))
    if "stored" in progress:
        return Ask(LOOK, requests.get_orders(account, job.reference))
    return Ask(PUSH, requests.push(account, shipment, job.reference))


def _read_forward(
    job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
) -> Brought | BookingResult | NotFound:
    match ask.name:
        case "push":
            return answers.read_push(answer)
        case "store":
            return answers.read_store(answer, job.reference)
        case "look":
            return answers.read_look(answer, job.reference)
    result = answers.read_find(answer, job.reference, only_stored="stored" in progress)
    if job.goal is Goal.ORDER and isinstance(result, Booked | Refused):
        return answers.stored(job.reference)  # with or without an AWB, it is there
    return result


def _cannot_return(settings: Settings, order: ReturnOrder) -> Refused | None:
    if not settings.returns:
        said = "returns through Shipway are switched off for this account (options.returns)"
        return Refused(RefusalKind.CONFIGURATION, "RETURNS_OFF", said)
    if any(unit.doorstep_qc for unit in order.items):
        said = "Shipway has no doorstep QC that anybody knows of; book this return with another account"
        return Refused(RefusalKind.SERVICEABILITY, "NO_DOORSTEP_QC", said)
    return None
