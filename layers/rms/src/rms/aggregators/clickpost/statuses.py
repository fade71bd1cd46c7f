"""Clickpost's scan codes, events and failure reasons as data. Source: ClickPost guide, sections 14 to 17.

A code's number and an event's number are different spaces: both have a 30 and a 31. Buckets and texts decide nothing,
because return requests carry the bucket of a delivery, and a bucket's description may even be a number.
"""

from typing import Final

from rms.model.notification_type import NotificationType as To

type Names = tuple[To, To]

UNNAMED: Final[Names] = (To.OTHER, To.OTHER)
"""What a code outside the table becomes; its number and texts are kept."""

PICKUP_FAILED: Final = 3
DELIVERY_FAILED: Final = 9
REQUEST_PLACED: Final = 101

# clickpost_status_code -> (forward, return). In the comment: Clickpost's name, then whose decision the row is:
# G the notification enumeration has this name for Clickpost, E Clickpost groups the code under that event, O ours.
CODES: Final[dict[int, Names]] = {
    0: UNNAMED,  # EXCEPTION, O; known from client code only
    1: (To.SHIPPING_LABEL_GENERATED, To.AWB_GENERATED),  # ORDER_PLACED at the carrier, O
    2: (To.PICKUP_QUEUE, To.PICKUP_QUEUE),  # PICKUP_PENDING, O
    3: (To.PICKUP_CANCELLED, To.PICKUP_CANCELLED),  # PICKUP_FAILED, E; not final, the courier may come again
    4: (To.PICKED_UP, To.RETURN_PICKED_UP),  # PICKED_UP, G
    5: (To.IN_TRANSIT, To.IN_TRANSIT),  # INTRANSIT, O
    6: (To.OUT_FOR_DELIVERY, To.OUT_FOR_DELIVERY),  # OUT_FOR_DELIVERY, G
    7: (To.FAILED_DELIVERY, To.FAILED_DELIVERY),  # NOT_SERVICEABLE, E
    8: (To.DELIVERED, To.DELIVERED),  # DELIVERED, G; on a return: at the warehouse
    9: (To.FAILED_DELIVERY, To.FAILED_DELIVERY),  # FAILED_DELIVERY, G
    10: (To.CANCELLED, To.CANCELLED),  # CANCELLED_ORDER, G
    11: (To.RTO, To.OTHER),  # RTO_REQUESTED, O; a return has no origin to go back to, as in all RTO rows
    12: (To.RTO, To.OTHER),  # RTO, G; return O
    13: (To.RTO, To.OTHER),  # RTO_OUT_FOR_DELIVERY, E; return O
    14: (To.RTO_DELIVERED, To.OTHER),  # RTO_DELIVERED, G; return O
    15: (To.RTO, To.OTHER),  # RTO_FAILED_DELIVERY, E; return O
    16: (To.LOST, To.LOST),  # LOST, G
    17: (To.DAMAGED, To.DAMAGED),  # DAMAGED, G
    18: (To.DELAYED, To.DELAYED),  # SHIPMENT_DELAYED, O
    19: UNNAMED,  # CONTACT_CUSTOMER_CARE, O
    20: UNNAMED,  # SHIPMENT_HELD, O
    21: (To.RTO, To.OTHER),  # RTO_INTRANSIT, E; return O
    22: UNNAMED,  # TRACKING_NOT_AVAILABLE, O; known from client code only
    23: UNNAMED,  # EXPIRED: closed by Clickpost on request, O
    24: UNNAMED,  # AGED, O; known from client code only
    25: (To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP),  # OUT_FOR_PICKUP, G
    26: (To.RTO, To.OTHER),  # RTO_CONTACT_CUSTOMER_CARE, E; return O
    27: (To.RTO, To.OTHER),  # RTO_SHIPMENT_DELAY, E; return O
    28: (To.AWB_GENERATED, To.AWB_GENERATED),  # AWB REGISTERED, O
    30: (To.EXCHANGE_PICKUP, To.EXCHANGE_PICKUP),  # EXCHANGE_PICKUP: swapped at the door, G; forward O
    31: (To.IN_TRANSIT, To.IN_TRANSIT),  # EXCHANGE_INTRANSIT: the old item travels, O
    32: (To.EXCHANGE_DELIVERED, To.EXCHANGE_DELIVERED),  # EXCHANGE_DELIVERED: the old item is back, G; forward O
    101: (To.RETURN_ORDER_PLACED, To.RETURN_ORDER_PLACED),  # RETURN ORDER PLACED, nothing booked, G; forward O
    102: UNNAMED,  # RETURN REQUEST APPROVED, O
    1004: (To.REACHED_DESTINATION_HUB, To.REACHED_DESTINATION_HUB),  # DESTINATION_HUB_IN, O
}

# npr_status_code 6, "rescheduled", beside scan 3 of a return. Source: as above, and section 16; O.
RESCHEDULED_NPR: Final = 6
RESCHEDULED: Final[Names] = (To.PICKUP_CANCELLED, To.PICKUP_RESCHEDULED)

AWB_MADE: Final = 9
PLACED: Final = 11
STUCK: Final = 17
BREACHED: Final = 18

# notification_event_id -> the name, whatever the code. All G. With every other event the code decides.
EVENTS: Final[dict[int, To]] = {
    AWB_MADE: To.AWB_GENERATED,
    PLACED: To.RETURN_ORDER_PLACED,
    STUCK: To.SHIPMENT_STUCK,
    BREACHED: To.SLA_BREACHED,
}

# Events of a return or exchange request: 9 its AWB; 11, 22, 23 return placed, approved, rejected; 30, 29, 31 the same
# for an exchange. Each happens once to a request, and its time is that of the sending, so a resend has another one.
REQUEST_EVENTS: Final = frozenset({AWB_MADE, PLACED, 22, 23, 29, 30, 31})

# The event that a code of a return request stands for where the event is not named. Source: section 15.
EVENT_OF_CODE: Final = {REQUEST_PLACED: PLACED, 102: 22}
