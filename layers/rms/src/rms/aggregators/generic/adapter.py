"""An aggregator of the generic contract behind the aggregator contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NoReturn

from rms.aggregators.contract import (
    Account,
    Ask,
    BookingResult,
    Brought,
    CancelResult,
    Direction,
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
from rms.aggregators.generic import answers, push, requests
from rms.aggregators.generic.account import Settings, check_account
from rms.aggregators.reading import whole
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer

COURIERS: Final = "couriers"
GENERATE: Final = "generate"
GET: Final = "get"
FIND_COURIERS: Final = "find couriers"
FIND: Final = "find"

NO_CANCEL: Final = Refused(
    RefusalKind.CALLER,
    "NO_CANCEL_CALL",
    "cannot be cancelled through the generic contract: cancel it at the aggregator itself",
)


class GenericAggregator:
    """An `Aggregator` of any registered name.

    Its search is Generate once more with the same orderNumber: the aggregator has promised to answer that with the AWB
    already made. If nothing was made, Generate makes it now; either way there is one booking afterwards. So `find`
    never makes a *second* one, and `NotFound` never comes.
    """

    demands_client_fields: bool = False
    confirms_webhooks: bool = False
    takes_orders: bool = False
    tracked_at_once: int = 0
    tracks_by_event_id: bool = False

    def __init__(self, name: str) -> None:
        self.name = name

    def check_account(self, options: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
        """See `Aggregator`."""
        return check_account(options, secrets)

    def booking_reference(self, client: str, code: str, generation: int, direction: Direction) -> str:
        """See `Aggregator`."""
        return requests.order_number(client, code, generation, direction)

    def login(self, account: Account) -> HttpRequest | None:  # noqa: ARG002 - the contract's form
        """Nothing: the account's headers go with each call."""
        return None

    def read_login(self, answer: HttpAnswer | NoAnswer) -> Token | Refused | Unknown:  # noqa: ARG002 - as above
        """Never asked, because there is no login."""
        return Unknown("the generic contract has no login")

    def book(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult:
        """Couriers, where the account has that URL; Generate; then Get, which must bring what is still missing."""
        settings = Settings.of(account, job.direction)
        if refusal := _cannot_book(settings, job):
            return refusal
        if "order_id" not in progress:
            if settings.couriers_url and "courier_id" not in progress:
                return Ask(COURIERS, requests.couriers(self.name, settings, job))
            return Ask(GENERATE, self._generate(settings, job, progress, now))
        if "got" not in progress:
            return Ask(GET, requests.get(self.name, settings, job.direction, progress["order_id"]))
        return answers.outcome(self.name, job.direction, progress)

    def find(self, account: Account, job: Job, progress: Progress, now: datetime) -> Ask | BookingResult | NotFound:
        """The same, up to Generate. Which courier serves the lane today is no longer a condition, only advice."""
        settings = Settings.of(account, job.direction)
        if not settings.serves:
            return Unknown(
                f"the account has no URLs for {job.direction.value.lower()} shipments, so nothing can be found"
            )
        if settings.couriers_url and "asked" not in progress:
            return Ask(FIND_COURIERS, requests.couriers(self.name, settings, job))
        return Ask(FIND, self._generate(settings, job, progress, now))

    def read(
        self, job: Job, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress
    ) -> Brought | BookingResult | NotFound | Unauthorized:
        """See `Aggregator`."""
        match ask.name:
            case "couriers" | "find couriers":
                return _chosen(answers.read_couriers(answer), progress, searching=ask.name == FIND_COURIERS)
            case "generate":
                result = answers.read_generate(answer, job.reference)
            case "find":
                result = answers.read_search(answer, job.reference)
            case _:
                return answers.read_get(answer, job.reference, progress)
        return Brought({**progress, **result.progress}) if isinstance(result, Brought) else result

    def found(self, progress: Progress) -> bool:
        """See `Aggregator`: the aggregator has named its own id."""
        return "order_id" in progress

    def label(self, account: Account, shipment: Shipment) -> HttpRequest:
        """See `Aggregator`."""
        settings = Settings.of(account, shipment.direction)
        return requests.get(self.name, settings, shipment.direction, shipment.order_id)

    def read_label(self, answer: HttpAnswer | NoAnswer) -> LabelResult:
        """See `Aggregator`."""
        return answers.read_label(answer)

    def cancel(self, account: Account, shipment: Shipment) -> HttpRequest | Refused:  # noqa: ARG002 - the contract's form
        """No call: the contract has none."""
        return NO_CANCEL

    def read_cancel(self, shipment: Shipment, answer: HttpAnswer | NoAnswer) -> CancelResult:  # noqa: ARG002 - as above
        """Never asked, because there is no call."""
        return NO_CANCEL

    def tracked_with(self, account: Account, shipment: Shipment) -> str | None:  # noqa: ARG002 - the contract's form
        """Never asked, because there is no call."""
        return None

    def track(self, account: Account, shipments: Sequence[Shipment]) -> NoReturn:  # noqa: ARG002 - as above
        """No call: the contract has none, which `tracked_at_once` says.

        Raises:
            ValueError: always, because there are more than `tracked_at_once` shipments.
        """
        raise ValueError(f"{self.name} cannot be asked where a shipment is: the generic contract has no tracking")

    def read_tracking(
        self,
        answer: HttpAnswer | NoAnswer,  # noqa: ARG002 - as above
        received_at: datetime,  # noqa: ARG002 - as above
    ) -> Sequence[ShipmentUpdate] | Unknown | Unauthorized:
        """Never asked, because there is no call."""
        return Unknown("the generic contract has no tracking")

    def proves_sender(self, account: Account, body: bytes) -> bool:  # noqa: ARG002 - the contract's form
        """Always: the credential has proved it."""
        return True

    def read_webhook(self, body: bytes, received_at: datetime) -> Sequence[ShipmentUpdate]:
        """See `Aggregator`."""
        return push.read_push(self.name, body, received_at)

    def _generate(self, settings: Settings, job: Job, progress: Progress, now: datetime) -> HttpRequest:
        return requests.generate(
            self.name,
            settings,
            job,
            now,
            courier_id=whole(progress.get("courier_id")),
            courier_name=progress.get("courier_name", ""),
        )


def _cannot_book(settings: Settings, job: Job) -> Refused | None:
    if not settings.serves:
        said = f"the account has no URLs for {job.direction.value.lower()} shipments"
        return Refused(RefusalKind.CONFIGURATION, "NO_URL", said)
    if isinstance(job.order, ReturnOrder) and any(unit.doorstep_qc for unit in job.order.items):
        said = "the generic contract has no doorstep QC; book this return with another account"
        return Refused(RefusalKind.SERVICEABILITY, "NO_DOORSTEP_QC", said)
    return None


def _chosen(
    result: answers.Courier | Refused | Unknown, progress: Progress, *, searching: bool
) -> Brought | Refused | Unknown:
    asked = {**progress, "asked": "yes"}
    if isinstance(result, answers.Courier):
        return Brought({**asked, "courier_id": str(result.id), "courier_name": result.name})
    return Brought(asked) if searching else result
