"""Shiprocket's two status tables as data, and the rule that says which of a body's ids and texts decides.

The two numberings collide: 21 is Return Pending among orders and Undelivered among shipments. Order ids stand in
`status_code` and `current_status_id`; shipment ids in `shipment_status_id`, `sr-status` and `tracking_data`.
Source: Shiprocket guide, section 11.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rms.model.notification_type import NotificationType as To


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a status is called for one direction.

    `unexpected`: it should not happen in this direction, so a person ought to look. `weak`: Shiprocket describes the
    status nowhere, the name is our reading. `qc`: it is the result of a doorstep QC.
    """

    name: To
    unexpected: bool = False
    weak: bool = False
    qc: bool = False

    @property
    def decides(self) -> bool:
        """Whether it says something, so that no other id or text of the body is asked."""
        return self.name is not To.OTHER or self.unexpected or self.qc


@dataclass(frozen=True, slots=True)
class Row:
    """One status: Shiprocket's name (two spellings behind a slash) and what it means for each direction."""

    name: str
    forward: Meaning
    back: Meaning


NOTHING: Final = Meaning(To.OTHER)
"""What a status outside the tables means; its ids and texts are kept."""


def _meaning(cell: str) -> Meaning:
    name, *marks = cell.split()
    return Meaning(To[name], unexpected="!" in marks, weak="?" in marks, qc="QC" in marks)


def _table(rows: str) -> Mapping[int, Row]:
    read = ([cell.strip() for cell in row.split("|")] for row in rows.strip().splitlines())
    return {int(number): Row(name, _meaning(forward), _meaning(back)) for number, name, forward, back in read}


# OTHER: no name of our own. `!` unexpected, `?` weak, `QC` the result of a doorstep QC: see Meaning.
# id | Shiprocket's name | forward | return
ORDER_STATUSES: Final = _table("""
   1 | New                            | OTHER                   | OTHER
   2 | Invoiced                       | INVOICED                | OTHER !
   3 | Ready To Ship                  | READY_TO_SHIP           | READY_TO_SHIP
   4 | Pickup Scheduled               | PICKUP_SCHEDULED        | PICKUP_SCHEDULED
   5 | Canceled                       | CANCELLED               | CANCELLED
   6 | Shipped                        | SHIPPED                 | IN_TRANSIT
   7 | Delivered                      | DELIVERED               | DELIVERED
   8 | ePayment Failed                | PAYMENT_FAILED          | OTHER !
   9 | Returned                       | OTHER                   | OTHER
  10 | Unmapped                       | OTHER                   | OTHER
  11 | Unfulfillable                  | UNFULFILLABLE           | UNFULFILLABLE
  12 | Pickup Queue                   | PICKUP_QUEUE            | PICKUP_QUEUE
  13 | Pickup Rescheduled             | PICKUP_RESCHEDULED      | PICKUP_RESCHEDULED
  14 | Pickup Error                   | PICKUP_ERROR            | PICKUP_ERROR
  15 | RTO Initiated                  | RTO                     | OTHER !
  16 | RTO Delivered                  | RTO_DELIVERED           | OTHER !
  17 | RTO Acknowledged               | RTO_ACKNOWLEDGED        | OTHER !
  18 | Cancellation Requested         | CANCELLATION_REQUESTED  | CANCELLATION_REQUESTED
  19 | Out for Delivery               | OUT_FOR_DELIVERY        | OUT_FOR_DELIVERY
  20 | In Transit                     | IN_TRANSIT              | IN_TRANSIT
  21 | Return Pending                 | OTHER !                 | RETURN_ORDER_PLACED
  22 | Return Initiated               | OTHER !                 | AWB_GENERATED ?
  23 | Return Pickup Queued           | OTHER !                 | PICKUP_QUEUE
  24 | Return Pickup Error            | OTHER !                 | PICKUP_ERROR
  25 | Return In Transit              | OTHER !                 | IN_TRANSIT
  26 | Return Delivered               | OTHER !                 | DELIVERED
  27 | Return Cancelled               | OTHER !                 | CANCELLED
  28 | Return Pickup Generated        | OTHER !                 | PICKUP_SCHEDULED
  29 | Return Cancellation Requested  | OTHER !                 | CANCELLATION_REQUESTED
  30 | Return Pickup Cancelled        | OTHER !                 | PICKUP_CANCELLED
  31 | Return Pickup Rescheduled      | OTHER !                 | PICKUP_RESCHEDULED
  32 | Return Picked Up               | OTHER !                 | RETURN_PICKED_UP
  33 | Lost                           | LOST                    | LOST
  34 | Out For Pickup                 | OUT_FOR_PICKUP          | OUT_FOR_PICKUP
  35 | Pickup Exception               | PICKUP_ERROR            | PICKUP_ERROR
  36 | Undelivered                    | UNDELIVERED             | UNDELIVERED
  37 | Delivery Delayed               | DELAYED                 | DELAYED
  38 | Partial Delivered              | PARTIAL_DELIVERED       | PARTIAL_DELIVERED
  39 | Destroyed                      | DESTROYED               | DESTROYED
  40 | Damaged                        | DAMAGED                 | DAMAGED
  41 | Fulfilled                      | FULFILLED               | FULFILLED
  42 | Archived                       | OTHER                   | OTHER
  43 | Reached Destination Hub        | REACHED_DESTINATION_HUB | REACHED_DESTINATION_HUB
  44 | Misrouted                      | MISROUTED               | MISROUTED
  45 | RTO_OFD                        | RTO                     | OTHER !
  46 | RTO_NDR                        | RTO                     | OTHER !
  47 | Return Out For Pickup          | OTHER !                 | OUT_FOR_PICKUP
  48 | Return Out For Delivery        | OTHER !                 | OUT_FOR_DELIVERY
  49 | Return Pickup Exception        | OTHER !                 | PICKUP_ERROR
  50 | Return Undelivered             | OTHER !                 | UNDELIVERED
  51 | Picked Up                      | PICKED_UP               | RETURN_PICKED_UP
  52 | Self Fulfilled                 | FULFILLED ?             | FULFILLED ?
  53 | Disposed Off                   | DESTROYED ?             | DESTROYED ?
  54 | Canceled before Dispatched     | CANCELLED               | CANCELLED
  55 | RTO In-Transit                 | RTO                     | OTHER !
  57 | QC Failed                      | OTHER !                 | OTHER QC
  58 | Reached Warehouse              | OTHER                   | OTHER
  59 | Custom Cleared                 | IN_TRANSIT ?            | IN_TRANSIT ?
  60 | In Flight                      | IN_TRANSIT ?            | IN_TRANSIT ?
  61 | Handover to Courier            | IN_TRANSIT ?            | IN_TRANSIT ?
  62 | Booked                         | AWB_GENERATED ?         | AWB_GENERATED ?
  64 | In Transit Overseas            | IN_TRANSIT              | IN_TRANSIT
  65 | Connection Aligned             | IN_TRANSIT ?            | IN_TRANSIT ?
  66 | Reached Overseas Warehouse     | IN_TRANSIT ?            | IN_TRANSIT ?
  67 | Custom Cleared Overseas        | IN_TRANSIT ?            | IN_TRANSIT ?
  68 | RETURN ACKNOWLEGED             | OTHER !                 | OTHER
  69 | Box Packing                    | OTHER                   | OTHER
  70 | Pickup Booked                  | PICKUP_SCHEDULED        | PICKUP_SCHEDULED
  71 | DARKSTORE SCHEDULED            | OTHER                   | OTHER
  72 | Allocation in Progress         | OTHER                   | OTHER
  73 | FC Allocated                   | OTHER                   | OTHER
  74 | Picklist Generated             | OTHER                   | OTHER
  75 | Ready to Pack                  | OTHER                   | OTHER
  76 | Packed                         | OTHER                   | OTHER
  80 | FC MANIFEST GENERATED          | READY_TO_SHIP ?         | OTHER
  81 | PROCESSED AT WAREHOUSE         | OTHER                   | OTHER
  82 | PACKED EXCEPTION               | OTHER                   | OTHER
  83 | HANDOVER EXCEPTION             | OTHER                   | OTHER
  87 | RTO_LOCK                       | RTO ?                   | OTHER !
  88 | UNTRACEABLE                    | SHIPMENT_STUCK ?        | SHIPMENT_STUCK ?
  89 | ISSUE_RELATED_TO_THE_RECIPIENT | FAILED_DELIVERY ?       | FAILED_DELIVERY ?
  90 | REACHED_BACK_AT_SELLER_CITY    | RTO ?                   | REACHED_DESTINATION_HUB ?
""")
"""By `status_code` and `current_status_id`. Not listed: 56, 63, 77 to 79, 84 to 86."""

SHIPMENT_STATUSES: Final = _table("""
   1 | AWB Assigned                                        | AWB_GENERATED           | AWB_GENERATED
   2 | Label Generated                                     | READY_TO_SHIP           | OTHER !
   3 | Pickup Scheduled/Generated                          | PICKUP_SCHEDULED        | PICKUP_SCHEDULED
   4 | Pickup Queued                                       | PICKUP_QUEUE            | PICKUP_QUEUE
   5 | Manifest Generated                                  | READY_TO_SHIP ?         | AWB_GENERATED ?
   6 | Shipped                                             | SHIPPED                 | IN_TRANSIT
   7 | Delivered                                           | DELIVERED               | DELIVERED
   8 | Cancelled / Canceled                                | CANCELLED               | CANCELLED
   9 | RTO Initiated                                       | RTO                     | OTHER !
  10 | RTO Delivered                                       | RTO_DELIVERED           | OTHER !
  11 | Pending                                             | OTHER                   | OTHER
  12 | Lost                                                | LOST                    | LOST
  13 | Pickup Error                                        | PICKUP_ERROR            | PICKUP_ERROR
  14 | RTO Acknowledged                                    | RTO_ACKNOWLEDGED        | OTHER !
  15 | Pickup Rescheduled                                  | PICKUP_RESCHEDULED      | PICKUP_RESCHEDULED
  16 | Cancellation Requested                              | CANCELLATION_REQUESTED  | CANCELLATION_REQUESTED
  17 | Out For Delivery                                    | OUT_FOR_DELIVERY        | OUT_FOR_DELIVERY
  18 | In Transit                                          | IN_TRANSIT              | IN_TRANSIT
  19 | Out For Pickup                                      | OUT_FOR_PICKUP          | OUT_FOR_PICKUP
  20 | Pickup Exception                                    | PICKUP_ERROR            | PICKUP_ERROR
  21 | Undelivered                                         | UNDELIVERED             | UNDELIVERED
  22 | Delayed                                             | DELAYED                 | DELAYED
  23 | Partial_Delivered                                   | PARTIAL_DELIVERED       | PARTIAL_DELIVERED
  24 | Destroyed                                           | DESTROYED               | DESTROYED
  25 | Damaged                                             | DAMAGED                 | DAMAGED
  26 | Fulfilled                                           | FULFILLED               | FULFILLED
  27 | Pickup Booked                                       | PICKUP_SCHEDULED        | PICKUP_SCHEDULED
  38 | Reached at Destination / REACHED AT DESTINATION HUB | REACHED_DESTINATION_HUB | REACHED_DESTINATION_HUB
  39 | Misrouted                                           | MISROUTED               | MISROUTED
  40 | RTO NDR / RTO_NDR                                   | RTO                     | OTHER !
  41 | RTO OFD / RTO_OFD                                   | RTO                     | OTHER !
  42 | Picked Up                                           | PICKED_UP               | RETURN_PICKED_UP
  43 | Self Fulfilled                                      | FULFILLED ?             | FULFILLED ?
  44 | DISPOSED_OFF / DISPOSED OFF                         | DESTROYED ?             | DESTROYED ?
  45 | CANCELLED_BEFORE_DISPATCHED                         | CANCELLED               | CANCELLED
  46 | RTO_IN_TRANSIT / RTO IN INTRANSIT                   | RTO                     | OTHER !
  47 | QC Failed                                           | OTHER !                 | OTHER QC
  48 | Reached Warehouse                                   | OTHER                   | OTHER
  49 | Custom Cleared                                      | IN_TRANSIT ?            | IN_TRANSIT ?
  50 | In Flight                                           | IN_TRANSIT ?            | IN_TRANSIT ?
  51 | Handover to Courier                                 | IN_TRANSIT ?            | IN_TRANSIT ?
  52 | Shipment Booked                                     | AWB_GENERATED ?         | AWB_GENERATED ?
  54 | In Transit Overseas                                 | IN_TRANSIT              | IN_TRANSIT
  55 | Connection Aligned                                  | IN_TRANSIT ?            | IN_TRANSIT ?
  56 | Reached Overseas Warehouse                          | IN_TRANSIT ?            | IN_TRANSIT ?
  57 | Custom Cleared Overseas                             | IN_TRANSIT ?            | IN_TRANSIT ?
  59 | Box Packing                                         | OTHER                   | OTHER
  60 | FC Allocated                                        | OTHER                   | OTHER
  61 | Picklist Generated                                  | OTHER                   | OTHER
  62 | Ready To Pack                                       | OTHER                   | OTHER
  63 | Packed                                              | OTHER                   | OTHER
  67 | FC MANIFEST GENERATED                               | READY_TO_SHIP ?         | OTHER
  68 | PROCESSED AT WAREHOUSE                              | OTHER                   | OTHER
  71 | HANDOVER EXCEPTION                                  | OTHER                   | OTHER
  72 | PACKED EXCEPTION                                    | OTHER                   | OTHER
  75 | RTO_LOCK                                            | RTO ?                   | OTHER !
  76 | UNTRACEABLE                                         | SHIPMENT_STUCK ?        | SHIPMENT_STUCK ?
  77 | ISSUE_RELATED_TO_THE_RECIPIENT                      | FAILED_DELIVERY ?       | FAILED_DELIVERY ?
  78 | REACHED_BACK_AT_SELLER_CITY                         | RTO ?                   | REACHED_DESTINATION_HUB ?
""")
"""By `shipment_status_id`, `sr-status` and `tracking_data.shipment_status`."""

RETURN_IDS: Final = frozenset({*range(21, 33), *range(47, 51), 57, 68})
"""Order ids that only returns have: for a return they say more than the shipment id beside them."""

QC_PASSED: Final = "QC PASSED"
"""A text that some integrations meet; it has no id."""

# Order ids at which a pick-up has still to be asked for: New, Ready To Ship, Return Pending and Initiated, Booked.
BEFORE_PICKUP: Final = frozenset({1, 3, 21, 22, 62})
CANCELLED: Final = frozenset({5, 27})
CANCELLING: Final = frozenset({18, 29})


def plain(text: str) -> str:
    """A status text as the tables' names are compared: capitals, one blank for any of blank, `_` and `-`."""
    return " ".join(text.upper().replace("_", " ").replace("-", " ").split())


def _by_name(tables: Iterable[Mapping[int, Row]]) -> dict[str, Row]:
    return {plain(name): row for table in tables for row in table.values() for name in row.name.split("/")}


_NAMES: Final = _by_name((ORDER_STATUSES, SHIPMENT_STATUSES))


def meanings(order_id: int | None, shipment_id: int | None, texts: tuple[str, ...]) -> tuple[Meaning, Meaning]:
    """What a body's ids and texts mean, forward and for a return. The first of them that decides is believed."""
    order, shipment = ORDER_STATUSES.get(order_id or 0), SHIPMENT_STATUSES.get(shipment_id or 0)
    named = [_NAMES.get(plain(text)) for text in texts]
    first = order if order_id in RETURN_IDS else None
    forward = (row.forward for row in (shipment, order, *named) if row is not None)
    back = (row.back for row in (first, shipment, order, *named) if row is not None)
    return _first(forward), _first(back)


def _first(found: Iterator[Meaning]) -> Meaning:
    return next((meaning for meaning in found if meaning.decides), NOTHING)
