"""What every status of every partner becomes, told from the other side: each of our names with the statuses behind it.

These tables were written from the partners' guides (Clickpost sections 14 and 15, Shiprocket 11.1 and 11.2, Shipway 8)
and from the notification types of the RMS contract, not from the adapters' data, which `test_status_tables.py` holds
against them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rms.aggregators.contract import Direction
from rms.model.notification_type import NotificationType as To

_NAMES: Final = """
    SHIPPING_LABEL_GENERATED OUT_FOR_PICKUP RETURN_PICKED_UP OUT_FOR_DELIVERY FAILED_DELIVERY DELIVERED RTO
    RETURN_ORDER_PLACED AWB_GENERATED CANCELLED RTO_DELIVERED EXCHANGE_PICKUP EXCHANGE_DELIVERED PICKUP_CANCELLED
    SHIPMENT_STUCK SLA_BREACHED LOST DAMAGED INVOICED READY_TO_SHIP PICKUP_SCHEDULED SHIPPED PAYMENT_FAILED
    UNFULFILLABLE PICKUP_QUEUE PICKUP_RESCHEDULED PICKUP_ERROR CANCELLATION_REQUESTED IN_TRANSIT UNDELIVERED DELAYED
    PARTIAL_DELIVERED DESTROYED FULFILLED REACHED_DESTINATION_HUB MISROUTED PICKED_UP RTO_ACKNOWLEDGED
    INVOICE_GENERATED OTHER
"""
WIRE_VALUES: Final = _NAMES.split()
"""The enumeration, in the contract's order."""

# our name | forward | return. A range stands for its numbers. `!` behind a name: not expected in that direction; `QC`:
# the result of a doorstep QC; `?` behind a status: its meaning is nowhere described.
_CLICKPOST_CODES: Final = """
    SHIPPING_LABEL_GENERATED | 1                    |
    AWB_GENERATED            | 28                   | 1 28
    RETURN_ORDER_PLACED      | 101                  | 101
    PICKUP_QUEUE             | 2                    | 2
    OUT_FOR_PICKUP           | 25                   | 25
    PICKUP_CANCELLED         | 3                    | 3
    PICKED_UP                | 4                    |
    RETURN_PICKED_UP         |                      | 4
    EXCHANGE_PICKUP          | 30                   | 30
    EXCHANGE_DELIVERED       | 32                   | 32
    IN_TRANSIT               | 5 31                 | 5 31
    DELAYED                  | 18                   | 18
    REACHED_DESTINATION_HUB  | 1004                 | 1004
    OUT_FOR_DELIVERY         | 6                    | 6
    FAILED_DELIVERY          | 7 9                  | 7 9
    DELIVERED                | 8                    | 8
    CANCELLED                | 10                   | 10
    LOST                     | 16                   | 16
    DAMAGED                  | 17                   | 17
    RTO                      | 11-13 15 21 26 27    |
    RTO_DELIVERED            | 14                   |
    OTHER                    | 0 19 20 22-24 102    | 0 11-15 19-24 26 27 102
"""

_CLICKPOST_PUT_OFF: Final = """
    PICKUP_CANCELLED         | 3                    |
    PICKUP_RESCHEDULED       |                      | 3
"""
"""A failed pick-up for which the shopper asked for another day: NPR 6."""

_CLICKPOST_EVENTS: Final = """
    AWB_GENERATED            | 9                    | 9
    RETURN_ORDER_PLACED      | 11                   | 11
    SHIPMENT_STUCK           | 17                   | 17
    SLA_BREACHED             | 18                   | 18
    OTHER                    | 1-6 10 12-16 19 20 22 23 29-31 80 | 1-6 10 12-16 19 20 22 23 29-31 80
"""
"""By event, beside a code that has no name: four say more than any code, the others leave it to the code."""

_SHIPROCKET_ORDERS: Final = """
    RETURN_ORDER_PLACED      |                      | 21
    PAYMENT_FAILED           | 8                    |
    UNFULFILLABLE            | 11                   | 11
    INVOICED                 | 2                    |
    READY_TO_SHIP            | 3 80?                | 3
    AWB_GENERATED            | 62?                  | 22? 62?
    PICKUP_QUEUE             | 12                   | 12 23
    PICKUP_SCHEDULED         | 4 70                 | 4 28 70
    PICKUP_RESCHEDULED       | 13                   | 13 31
    PICKUP_ERROR             | 14 35                | 14 24 35 49
    PICKUP_CANCELLED         |                      | 30
    OUT_FOR_PICKUP           | 34                   | 34 47
    PICKED_UP                | 51                   |
    RETURN_PICKED_UP         |                      | 32 51
    SHIPPED                  | 6                    |
    IN_TRANSIT               | 20 59?-61? 64 65?-67? | 6 20 25 59?-61? 64 65?-67?
    DELAYED                  | 37                   | 37
    MISROUTED                | 44                   | 44
    SHIPMENT_STUCK           | 88?                  | 88?
    REACHED_DESTINATION_HUB  | 43                   | 43 90?
    OUT_FOR_DELIVERY         | 19                   | 19 48
    UNDELIVERED              | 36                   | 36 50
    FAILED_DELIVERY          | 89?                  | 89?
    PARTIAL_DELIVERED        | 38                   | 38
    DELIVERED                | 7                    | 7 26
    FULFILLED                | 41 52?               | 41 52?
    CANCELLATION_REQUESTED   | 18                   | 18 29
    CANCELLED                | 5 54                 | 5 27 54
    LOST                     | 33                   | 33
    DAMAGED                  | 40                   | 40
    DESTROYED                | 39 53?               | 39 53?
    RTO                      | 15 45 46 55 87? 90?  |
    RTO_DELIVERED            | 16                   |
    RTO_ACKNOWLEDGED         | 17                   |
    OTHER !                  | 21-32 47-50 57 68    | 2 8 15-17 45 46 55 87
    OTHER QC                 |                      | 57
    OTHER                    | 1 9 10 42 58 69 71-76 81-83 | 1 9 10 42 58 68 69 71-76 80-83
"""

_SHIPROCKET_SHIPMENTS: Final = """
    READY_TO_SHIP            | 2 5? 67?             |
    AWB_GENERATED            | 1 52?                | 1 5? 52?
    PICKUP_QUEUE             | 4                    | 4
    PICKUP_SCHEDULED         | 3 27                 | 3 27
    PICKUP_RESCHEDULED       | 15                   | 15
    PICKUP_ERROR             | 13 20                | 13 20
    OUT_FOR_PICKUP           | 19                   | 19
    PICKED_UP                | 42                   |
    RETURN_PICKED_UP         |                      | 42
    SHIPPED                  | 6                    |
    IN_TRANSIT               | 18 49?-51? 54 55?-57? | 6 18 49?-51? 54 55?-57?
    DELAYED                  | 22                   | 22
    MISROUTED                | 39                   | 39
    SHIPMENT_STUCK           | 76?                  | 76?
    REACHED_DESTINATION_HUB  | 38                   | 38 78?
    OUT_FOR_DELIVERY         | 17                   | 17
    UNDELIVERED              | 21                   | 21
    FAILED_DELIVERY          | 77?                  | 77?
    PARTIAL_DELIVERED        | 23                   | 23
    DELIVERED                | 7                    | 7
    FULFILLED                | 26 43?               | 26 43?
    CANCELLATION_REQUESTED   | 16                   | 16
    CANCELLED                | 8 45                 | 8 45
    LOST                     | 12                   | 12
    DAMAGED                  | 25                   | 25
    DESTROYED                | 24 44?               | 24 44?
    RTO                      | 9 40 41 46 75? 78?   |
    RTO_DELIVERED            | 10                   |
    RTO_ACKNOWLEDGED         | 14                   |
    OTHER !                  | 47                   | 2 9 10 14 40 41 46 75
    OTHER QC                 |                      | 47
    OTHER                    | 11 48 59-63 68 71 72 | 11 48 59-63 67 68 71 72
"""

_SHIPWAY: Final = """
    AWB_GENERATED            | SCH                  | SCH
    PICKUP_SCHEDULED         |                      | RSCH
    PICKUP_RESCHEDULED       |                      | RPSH
    PICKUP_ERROR             |                      | RPF
    PICKUP_CANCELLED         |                      | PCAN
    OUT_FOR_PICKUP           |                      | ROOP
    RETURN_PICKED_UP         |                      | RPKP
    IN_TRANSIT               | INT                  | INT RINT
    DELAYED                  |                      | RSMD?
    OUT_FOR_DELIVERY         | OOD                  | OOD
    UNDELIVERED              | UND                  | UND
    DELIVERED                | DEL                  | DEL RDEL
    CANCELLED                | CAN                  | CAN RCAN
    RTO                      | RTO                  |
    RTO_DELIVERED            | RTD                  |
    OTHER !                  | RSCH ROOP RPKP RDEL RINT RPSH RCAN RCLO RSMD PCAN ROTH RPF | RTO RTD
    OTHER                    | ONH NFI NFIDS        | ONH NFI NFIDS RCLO ROTH
"""

_ALIASES: Final = """
    RETURN_PICKED_UP         | RETURN_PICKUP        | RETURN_PICKUP
    RTO                      | RETURN_TO_ORIGIN     | RETURN_TO_ORIGIN
    RETURN_ORDER_PLACED      | RETURN_CREATED       | RETURN_CREATED
    CANCELLED                | CANCELED             | CANCELED
    PICKUP_CANCELLED         | PICKUP_CANCELED      | PICKUP_CANCELED
    PAYMENT_FAILED           | EPAYMENT_FAILED      | EPAYMENT_FAILED
    DELAYED                  | DELIVERY_DELAYED     | DELIVERY_DELAYED
    REACHED_DESTINATION_HUB  | REACHED_AT_DESTINATION_HUB | REACHED_AT_DESTINATION_HUB
    OTHER                    | INVOICE_GENERATED OTHER NO_SUCH_NAME | INVOICE_GENERATED OTHER NO_SUCH_NAME
"""
"""Spellings that a generic aggregator may use beside our own names. An invoice is never its news."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one status is called in one direction, with the guide's marks."""

    name: To
    unexpected: bool = False
    weak: bool = False
    qc: bool = False


type Table = Mapping[Direction, Mapping[str, Cell]]
"""By direction and status."""


def table(rows: str) -> Table:
    """A table above, read."""
    found: dict[Direction, dict[str, Cell]] = {Direction.FORWARD: {}, Direction.RETURN: {}}
    for row in rows.strip().splitlines():
        named, *columns = row.split("|")
        name, *marks = named.split()
        for direction, column in zip(found, columns, strict=True):
            for status, weak in _statuses(column):
                assert status not in found[direction], f"{status} stands twice"
                found[direction][status] = Cell(To[name], "!" in marks, weak, "QC" in marks)
    return found


def _statuses(column: str) -> list[tuple[str, bool]]:
    weak = "?"
    found: list[tuple[str, bool]] = []
    for part in column.split():
        first, _, last = part.partition("-")
        plain = first.rstrip(weak)
        numbers = range(int(plain), int(last.rstrip(weak)) + 1) if last else [plain]
        found += [(str(number), first.endswith(weak)) for number in numbers]
    return found


# ── how a webhook carries a status ──────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Source:
    """One list of statuses: whose, which webhooks of `events/` carry one, and how it is put into them.

    `raw` is what an update keeps of a status, as a format of it.
    """

    folder: str
    name: str
    table: Table
    files: Mapping[Direction, tuple[str, ...]]
    put: Callable[[dict[str, Any], str], None]
    raw: str = "{}"


def _clickpost(code: str, event: str | None = None, npr: int | None = None) -> Callable[[dict[str, Any], str], None]:
    def put(hook: dict[str, Any], status: str) -> None:
        additional = hook["additional"]
        for told in (hook, additional["latest_status"]):
            told["clickpost_status_code"] = int(code.format(status))
            told["clickpost_status_description"] = f"Status{status}"
        additional["notification_event_id"] = None if event is None else int(event.format(status))
        additional["npr_status_code"] = npr

    return put


def _shiprocket(name: str) -> Callable[[dict[str, Any], str], None]:
    def put(hook: dict[str, Any], status: str) -> None:
        for each in ("current_status", "shipment_status"):
            hook[each], hook[f"{each}_id"] = (f"STATUS {status}", int(status)) if each == name else (None, None)
        hook |= {"qc_failure_reason": "", "qc_image": ""}

    return put


def _shipway(hook: dict[str, Any], status: str) -> None:
    if "status_feed" in hook:
        hook["status_feed"] = [{**hook["status_feed"][0], "current_status": status}]
        return
    hook["current_status"] = status
    if "api_input" in hook:
        hook["api_input"] |= {"current_status": status, "current_status_desc": ""}


def _generic(hook: dict[str, Any], status: str) -> None:
    hook["notificationType"] = status


def _own_names() -> Table:
    own = {name: Cell(To[name]) for name in WIRE_VALUES if name != "INVOICE_GENERATED"}
    return dict.fromkeys(Direction, own)


_OF_CLICKPOST: Final = {
    Direction.FORWARD: ("webhook.forward_rto.json", "webhook.forward_delivery_failed_ndr2.json"),
    Direction.RETURN: ("webhook.picked_up.json", "webhook.delivered_selected.json"),
}
_OF_SHIPROCKET: Final = {
    Direction.FORWARD: ("webhook.forward_undelivered.json",),
    Direction.RETURN: ("webhook.return_picked_up.json",),
}
_OF_SHIPWAY: Final = {
    Direction.FORWARD: ("webhook.panel_delivered.json", "webhook.plain.json", "webhook.feed.json"),
    Direction.RETURN: ("webhook.panel_return_picked_up.json", "webhook.plain.json", "webhook.feed.json"),
}
_OF_GENERIC: Final = {
    Direction.FORWARD: ("push.forward_in_transit.json", "push.forward_without_awb.json"),
    Direction.RETURN: ("push.return_picked_up.json", "push.return_both_item_names.json"),
}

SOURCES: Final = (
    Source("clickpost", "codes", table(_CLICKPOST_CODES), _OF_CLICKPOST, _clickpost("{}")),
    Source("clickpost", "put off", table(_CLICKPOST_PUT_OFF), _OF_CLICKPOST, _clickpost("{}", npr=6)),
    Source("clickpost", "events", table(_CLICKPOST_EVENTS), _OF_CLICKPOST, _clickpost("102", "{}"), raw="102"),
    Source(
        "shiprocket", "orders", table(_SHIPROCKET_ORDERS), _OF_SHIPROCKET, _shiprocket("current_status"), raw="{}/-"
    ),
    Source(
        "shiprocket",
        "shipments",
        table(_SHIPROCKET_SHIPMENTS),
        _OF_SHIPROCKET,
        _shiprocket("shipment_status"),
        raw="-/{}",
    ),
    Source("shipway", "codes", table(_SHIPWAY), _OF_SHIPWAY, _shipway),
    Source("generic", "names", _own_names(), _OF_GENERIC, _generic),
    Source("generic", "other spellings", table(_ALIASES), _OF_GENERIC, _generic),
)
