"""What the aggregator suite must know of each adapter, and the orders that all of them book.

To put an adapter under the suite, write one module beside this one, `tests/contract/<name>.py`, that defines
`ADAPTER: Final = Adapter(…)`, and put its bodies into `events/<folder>/*.json`. The suite collects every such module by
itself, and fails for a file in that folder that no example uses. `tests/contract/clickpost.py` shows how.

A booking is described as a `Walk`: its `Step`s are the calls that the adapter must ask for, in order, each with the
example that answers it. From these the suite makes by itself: every request checked (URL, query, headers, body,
secrets), every step struck with answers that prove nothing, with refusals at the door and with random bytes, every body
sent in other shapes, and no call made twice. What an error body means at a certain step is a `Reading`. A search that
finds something goes over to `book`: its later steps are `book`'s, and the suite makes sure that nothing is written that
was found done.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from rms.aggregators.contract import (
    Account,
    Aggregator,
    Booked,
    Cancelled,
    Direction,
    Goal,
    Job,
    Label,
    NotFound,
    Ordered,
    RefusalKind,
    Refused,
    Shipment,
    Token,
    Unauthorized,
    Unknown,
    Working,
)
from rms.model.forward_shipment import ForwardItem, ForwardShipment
from rms.model.notification_type import NotificationType as To
from rms.model.return_order import Address, ForwardOrder, Parcel, ReturnItem, ReturnOrder
from rms.platform.http import HttpAnswer

EVENTS: Final = Path(__file__).parents[2] / "events"
NOW: Final = datetime(2026, 2, 3, 13, 10, 58, 250_000, tzinfo=UTC)
RECEIVED_AT: Final = datetime(2026, 2, 20, 4, 0, tzinfo=UTC)
REFERENCE_CLIENT: Final = "kaveri-looms"
GENERATION: Final = 1

# ── what is booked ──────────────────────────────────────────────────────────────────

ORDER: Final = ReturnOrder(
    code="KLR-70031",
    forward_order_code="KL-4471",
    items=(
        ReturnItem(
            item_code="KLR-70031-1",
            sku="KL-KURTA-TEAL-M",
            reason="Size too large",
            name="Handloom kurta, teal, M",
            brand="Kaveri Looms",
            color="Teal",
            category="Apparel",
            sub_category="Kurta",
            price=Decimal("1890.50"),
            final_amount_paid=Decimal("1690.50"),
            image_url="https://img.kaverilooms.example/kurta-teal-1.jpg",
            store_credits_used=Decimal(200),
        ),
        ReturnItem(
            item_code="KLR-70031-2",
            sku="KL-STOLE-RUST",
            reason="Changed my mind",
            name="Cotton stole, rust",
            price=Decimal(640),
        ),
        ReturnItem(
            item_code="KLR-70031-3",
            sku="KL-STOLE-RUST",
            reason="Changed my mind",
            name="Cotton stole, rust",
            price=Decimal(640),
        ),
    ),
    location_code="HOSUR-1",
    currency="INR",
    region="INDIAN",
    reason="Size too large",
    seller_gstin="33AAKCK9021M1Z7",
    parcel=Parcel(
        length_cm=Decimal("30.2"), breadth_cm=Decimal(24), height_cm=Decimal("6.5"), weight_g=Decimal("820.4")
    ),
    drop=Address(
        name="Returns desk",
        line1="Plot 31, SIPCOT Phase 2",
        line2="Gate 2",
        line3=None,
        city="Hosur",
        state="Tamil Nadu",
        zip="635 109",
        country="India",
        email="returns@kaverilooms.example",
        phone="04344 900010",
    ),
    pickup=Address(
        name="Revathi Menon",
        line1="14 Lake View Road",
        line2="Second floor",
        line3="Panampilly Nagar",
        city="Kochi",
        state="Kerala",
        zip="682036",
        country="INDIA",
        email="revathi@mail.example",
        phone="+91 90000 04471",
    ),
    forward=ForwardOrder(
        cod_value=Decimal("3170.50"),
        is_cod=True,
        invoice_value=Decimal("3170.50"),
        invoice_number="KL/26/00871",
        # 01:15 on the next day in India
        invoice_time=datetime(2026, 1, 19, 19, 45, tzinfo=UTC),
        order_time=datetime(2026, 1, 18, 6, 0, tzinfo=UTC),
    ),
)
"""Three units, two of them alike, paid on delivery, no doorstep QC."""

ORDER_WITH_QC: Final = replace(
    ORDER,
    items=(replace(ORDER.items[0], doorstep_qc=True, serial_number="KL-SR-5520"),),
)
"""One unit that the courier is to check at the door."""


FORWARD: Final = ForwardShipment(
    code="KL-4502",
    shipment_code="KLF-4502-1",
    items=(
        ForwardItem(
            item_code="KL-4502-1",
            sku="KL-SAREE-INDIGO",
            name="Cotton saree, indigo",
            quantity=1,
            price=Decimal(2450),
            discount=Decimal(150),
            tax_percent=Decimal(5),
            hsn="52085290",
        ),
        ForwardItem(
            item_code="KL-4502-2",
            sku="KL-STOLE-RUST",
            name="Cotton stole, rust",
            quantity=2,
            price=Decimal(640),
        ),
    ),
    pickup=Address(
        name="Kaveri Looms, dispatch",
        line1="Plot 31, SIPCOT Phase 2",
        line2="Gate 1",
        line3=None,
        city="Hosur",
        state="Tamil Nadu",
        zip="635 109",
        country="India",
        email="dispatch@kaverilooms.example",
        phone="04344 900012",
    ),
    drop=Address(
        name="Joseph Kurian",
        line1="Flat 4C, Backwater Heights",
        line2="Edappally",
        line3=None,
        city="Kochi",
        state="Kerala",
        zip="682024",
        country="INDIA",
        email="joseph@mail.example",
        phone="+91 90000 04502",
    ),
    parcel=Parcel(length_cm=Decimal(32), breadth_cm=Decimal("25.5"), height_cm=Decimal(8), weight_g=Decimal("1240.2")),
    amount=Decimal("3580.00"),
    # 00:40 on the next day in India
    ordered_at=datetime(2026, 2, 1, 19, 10, tzinfo=UTC),
    location_code="HOSUR-1",
    invoice_number="KL/26/00902",
    invoice_time=datetime(2026, 2, 2, 9, 0, tzinfo=UTC),
    seller_gstin="33AAKCK9021M1Z7",
)
"""A paid parcel with three units of two SKUs, with its invoice."""

FORWARD_COD: Final = replace(FORWARD, cash_on_delivery=True)
"""The same, but the courier collects what it is worth."""

FORWARD_PLAIN: Final = replace(
    FORWARD, items=FORWARD.items[1:], invoice_number=None, invoice_time=None, seller_gstin=None, location_code=None
)
"""A paid parcel without all that may be missing."""

# ── how it is described ─────────────────────────────────────────────────────────────


def an_account(aggregator: str, secrets: Mapping[str, str], **options: str) -> Account:
    """The client's account `main` at an aggregator."""
    return Account(REFERENCE_CLIENT, "main", aggregator, secrets, options)


type Read = Booked | Ordered | Refused | RefusalKind | Token | Label | Cancelled
type Meaning = Read | type[Working | Unknown | NotFound | Unauthorized | Label | Refused]
"""What an answer means: exactly this value, a refusal of this kind, or anything of this type."""


@dataclass(frozen=True)
class Call:
    """A request that an adapter must build.

    `query` is all of it; of `headers` only those named are checked. `body` is a file whose JSON must be sent, or None
    when there is no body.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Step:
    """One call of a walk and the example that answers it.

    `name` is that of its `Ask`. `writes`: it may make something at the aggregator, so it must never be repeated
    unawares. `goes_on`: whatever the answer, even none, the walk may go on, because the call only advises.
    """

    name: str
    call: Call
    answer: str
    status: int = 200
    writes: bool = True
    goes_on: bool = False


@dataclass(frozen=True)
class Walk:
    """A walk from its beginning to what comes of it. `searching`: it begins with `find`, not `book`.

    `options` are the account's for this walk, over its usual ones. A search that has found something goes over to
    `book`, on the same steps. `spares`: names of writing steps that a search's find makes unnecessary.
    `known`: the progress of an order that was taken before, from which this walk goes on.
    """

    order: ReturnOrder | ForwardShipment
    steps: tuple[Step, ...]
    result: Meaning
    searching: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    spares: tuple[str, ...] = ()
    goal: Goal = Goal.AWB
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What another answer means at step number `step` (from 0) of a walk, under each of these HTTP statuses."""

    walk: str
    step: int
    answer: str
    meaning: Meaning
    statuses: tuple[int, ...] = (200,)


@dataclass(frozen=True)
class Expected:
    """What a webhook or a scan says, told apart from how the aggregator says it."""

    forward: To
    returned: To
    occurred_at: datetime
    awb: str | None = None
    is_return: bool | None = None
    code: str | None = None
    references: tuple[str, ...] = ()
    forward_references: tuple[str, ...] = ()
    current: To | None = None
    failure: str | None = None
    announces: tuple[str, str, tuple[tuple[str, int], ...]] | None = None
    """Return code, forward order and (SKU, quantity) pairs; an empty code stands for none."""

    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What the webhooks or scans of one parcel have in common. `current`: each tells the present status, too."""

    awb: str | None = None
    is_return: bool | None = None
    references: tuple[str, ...] = ()
    forward_references: tuple[str, ...] = ()
    current: bool = False

    def says(self, forward: To, returned: To, at: str | datetime, code: str, **more: Any) -> Expected:
        """One of them; a time as text is India's. `more` are members of `Expected`, also in place of those here."""
        common = {
            "awb": self.awb,
            "is_return": self.is_return,
            "references": self.references,
            "forward_references": self.forward_references,
            "current": returned if self.current else None,
        }
        return Expected(forward, returned, ist(at) if isinstance(at, str) else at, code=code, **(common | more))


@dataclass(frozen=True)
class Login:
    """The call that gets a token, and what its answers mean, by file and HTTP status."""

    call: Call
    answers: Mapping[tuple[str, int], Meaning]


@dataclass(frozen=True)
class Adapter:
    """An adapter's examples: files under `events/{folder}`, and what each of them means."""

    adapter: Aggregator
    folder: str
    account: Account
    """Its secrets hold `token` where the adapter logs in."""

    walks: Mapping[str, Walk]
    """Bookings and searches by a name of their own; at least one booking of each direction and one search."""

    readings: Sequence[Reading]
    """Every error class, at the steps where it can come."""

    door: Mapping[int, RefusalKind | type[Unauthorized]]
    """HTTP statuses that, as the answer to a call of `book`, say by themselves that nothing was done: who can help."""

    label_call: Call
    labels: Mapping[tuple[str, int], Meaning]
    """Answers to `label` by file and HTTP status."""

    cancel_calls: Mapping[Direction, Call]
    """None for a direction in which the adapter has no such call."""

    cancels: Mapping[tuple[str, int], Meaning]
    """Answers to `cancel` by file and HTTP status."""

    shipments: Mapping[Direction, Shipment]
    """A booked shipment of each direction, whose AWBs the examples of tracking speak of."""

    track_call: Call | None
    """Asks for the shipments of `tracked`; None where there is no such call."""

    tracked: tuple[Shipment, ...]
    tracking: Mapping[str, tuple[Expected, ...]]
    """The scans in each answer to `track`, oldest first; empty where it says that it knows nothing."""

    webhooks: Mapping[str, Expected | tuple[Expected, ...]]
    """Each webhook's updates, oldest first."""

    same_scans: Mapping[str, str]
    """Webhook by the tracking answer that holds the same scan: both must have one event id."""

    unknown_status: bytes
    """A webhook with a status that no table has."""

    unknown_status_code: str
    login: Login | None = None
    search_door: Mapping[int, Meaning] = field(default_factory=dict)
    """HTTP statuses that mean something by themselves to a search; all others, and these to a book, prove nothing."""

    takes_lists: bool = False
    """Whether one body may hold a list of webhooks."""

    no_news: tuple[bytes, ...] = ()
    """Bodies that are read as no update at all, such as the dashboard's test call."""

    typed: frozenset[str] = frozenset()
    """Members whose JSON type says something: digits in place of a number prove nothing, or mean another thing."""

    tells_apart: Mapping[str, str] = field(default_factory=dict)
    """By file the member that alone tells somebody else's booking from ours; without it nobody could."""

    accepts_silently: bool = False
    """Whether any success without a complaint is a cancel taken in hand."""

    repeats_safely: bool = False
    """Whether the aggregator itself never books one reference twice, so that a search may be the booking again."""

    reference_pattern: str = "[A-Z0-9-]{1,20}"

    @property
    def name(self) -> str:
        """As in `logisticAggregatorName`."""
        return self.adapter.name

    def file(self, name: str) -> bytes:
        """An example's bytes."""
        return (EVENTS / self.folder / name).read_bytes()

    def answer(self, name: str, status: int = 200) -> HttpAnswer:
        """An example as an answer."""
        return answered(self.file(name), status)

    def job(self, order: ReturnOrder | ForwardShipment) -> Job:
        """The booking of an order under its reference."""
        direction = Direction.RETURN if isinstance(order, ReturnOrder) else Direction.FORWARD
        code = order.code if isinstance(order, ReturnOrder) else order.shipment_code
        return Job(self.adapter.booking_reference(REFERENCE_CLIENT, code, GENERATION, direction), order)

    def used(self) -> Iterator[str]:
        """The files that some example uses."""
        calls = [self.label_call, *self.cancel_calls.values()]
        if self.track_call is not None:
            calls.append(self.track_call)
        for walk in self.walks.values():
            calls += [step.call for step in walk.steps]
            yield from (step.answer for step in walk.steps)
        if self.login is not None:
            calls.append(self.login.call)
            yield from (file for file, _ in self.login.answers)
        yield from (call.body for call in calls if call.body is not None)
        yield from (reading.answer for reading in self.readings)
        yield from (file for file, _ in (*self.labels, *self.cancels))
        yield from (*self.tracking, *self.webhooks)

    def news(self, webhook: str) -> tuple[Expected, ...]:
        """The updates of a webhook."""
        expected = self.webhooks[webhook]
        return expected if isinstance(expected, tuple) else (expected,)


def answered(body: bytes, status: int = 200, *, truncated: bool = False) -> HttpAnswer:
    """An answer with this body."""
    return HttpAnswer(status, {"content-type": "application/json"}, body, elapsed_ms=412, truncated=truncated)


def means(result: object, meaning: Meaning) -> bool:
    """Whether a result is what was meant."""
    if isinstance(meaning, type):
        return isinstance(result, meaning)
    if isinstance(meaning, RefusalKind):
        return isinstance(result, Refused) and result.kind is meaning
    same: bool = result == meaning
    return same


def same_json(sent: bytes | None, expected: bytes) -> bool:
    """Whether a body says what an example says, whatever its spacing and the order of its keys."""
    same: bool = json.loads(sent or b"null") == json.loads(expected)
    return same


def ist(text: str) -> datetime:
    """A moment in UTC, from India's clocks."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=5, minutes=30)
