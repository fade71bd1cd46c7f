"""Shipway under the aggregator suite. Its bodies are told in `events/shipway/README.md`."""

import json
from collections.abc import Mapping
from typing import Final

from rms.aggregators.contract import (
    Booked,
    Cancelled,
    Direction,
    Goal,
    NotFound,
    Ordered,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.aggregators.shipway import Shipway
from rms.model.notification_type import NotificationType as To
from tests.contract.adapters import (
    FORWARD,
    FORWARD_COD,
    FORWARD_PLAIN,
    ORDER,
    RECEIVED_AT,
    About,
    Adapter,
    Call,
    Expected,
    Reading,
    Step,
    Walk,
    an_account,
    ist,
)

_BASE: Final = "https://shipway.example/api"
_REFERENCE: Final = "KLF-4502-1-W5VUQILY"
_RETURN_REFERENCE: Final = "RMS-UTYGB72CFFLI3HVS"
_FORWARD_ORDER: Final = "KL-4471"
_PARTNERS_ID: Final = "81226301"
_AWB: Final = "7140000032208"
_RETURN_AWB: Final = "7140000099115"
# base64 of "ops@kaverilooms.example:test-licence-77aa"
_PROOF: Final = {"Authorization": "Basic b3BzQGthdmVyaWxvb21zLmV4YW1wbGU6dGVzdC1saWNlbmNlLTc3YWE="}
_DOOR: Final = {
    **dict.fromkeys((400, 404, 405, 406, 422), RefusalKind.CALLER),
    **dict.fromkeys((401, 403), RefusalKind.CONFIGURATION),
}

_ACCOUNT: Final = an_account(
    "SHIPWAY",
    {"licence_key": "test-licence-77aa"},
    base_url=f"{_BASE}/",
    email="ops@kaverilooms.example",
    carrier_id="5120",
    carrier_name="Quickline Express",
    warehouse_id="60417",
    return_warehouse_id="60418",
    store_code="2",
    returns="on",
)

# ── walks ───────────────────────────────────────────────────────────────────────────

_BOOKED: Final = Booked(
    awb=_AWB,
    courier="Quickline Express",
    label_url="https://labels.example.net/shipway/a81f0c_thermal.pdf",
    metadata={"Carrier Id": "5120"},
)


def _push(body: str = "push.request.json", answer: str = "push.booked.response.json") -> tuple[Step, ...]:
    return (Step("push", Call("POST", f"{_BASE}/v2orders", headers=_PROOF, body=body), answer),)


def _find(order_id: str, answer: str, name: str = "find") -> tuple[Step, ...]:
    call = Call("GET", f"{_BASE}/getorders", {"orderid": order_id}, headers=_PROOF)
    return (Step(name, call, answer, writes=False),)


def _return(answer: str) -> tuple[Step, ...]:
    call = Call("POST", f"{_BASE}/Createreturns", headers=_PROOF, body="return.request.json")
    return (Step("create return", call, answer),)


_STORED_ONLY: Final = "push.stored_only.response.json"
_KNOWN: Final = {"stored": "yes"}
_WALKS: Final = {
    "forward": Walk(FORWARD, _push(), _BOOKED),
    "forward cash on delivery": Walk(FORWARD_COD, _push("push.cod.request.json"), _BOOKED),
    "forward with the least": Walk(FORWARD_PLAIN, _push("push.plain.request.json"), _BOOKED),
    "forward by another carrier": Walk(
        FORWARD,
        _push(answer="push.booked_spelled_otherwise.response.json"),
        Booked(_AWB, "Shipway carrier 5133", metadata={"Carrier Id": "5133"}),
    ),
    "search finds": Walk(
        FORWARD,
        _find(_REFERENCE, "find.booked.response.json"),
        Booked(_AWB, "Quickline", _PARTNERS_ID),
        searching=True,
        spares=("push",),
    ),
    "search finds nothing": Walk(FORWARD, _find(_REFERENCE, "find.none.response.json"), NotFound, searching=True),
    "order": Walk(
        FORWARD,
        (Step("store", Call("POST", f"{_BASE}/v2orders", headers=_PROOF, body="store.request.json"), _STORED_ONLY),),
        Ordered(_REFERENCE, None, _KNOWN),
        goal=Goal.ORDER,
    ),
    "order search": Walk(
        FORWARD,
        _find(_REFERENCE, "find.without_awb.response.json"),
        Ordered(_REFERENCE, None, _KNOWN),
        searching=True,
        goal=Goal.ORDER,
        spares=("store", "push"),
    ),
    "forward from an order": Walk(
        FORWARD,
        _find(_REFERENCE, "find.booked.response.json", "look"),
        Booked(_AWB, "Quickline", _PARTNERS_ID),
        known=_KNOWN,
        spares=("store", "push"),
    ),
    "search from an order": Walk(
        FORWARD,
        _find(_REFERENCE, "find.booked.response.json"),
        Booked(_AWB, "Quickline", _PARTNERS_ID),
        searching=True,
        known=_KNOWN,
        spares=("store", "push"),
    ),
    "return": Walk(ORDER, _return("return.taken.response.json"), Working),
    "return search": Walk(
        ORDER,
        _find(_FORWARD_ORDER, "find_return.booked.response.json", "find return"),
        Booked(_RETURN_AWB, "Quickline", "81230777"),
        searching=True,
        spares=("create return",),
    ),
}


def _stored(kind: RefusalKind, words: str) -> Refused:
    return Refused(kind, "STORED_WITHOUT_AWB", words, burnt=True)


_WITHOUT_CARRIER: Final = Refused(
    RefusalKind.CONFIGURATION,
    "ORDER_WITHOUT_AWB",
    "Shipway gives no AWB to an order that it has stored: assign a carrier in its panel, then ask again",
)
_READINGS: Final = (
    Reading(
        "forward",
        0,
        "push.not_served.response.json",
        _stored(RefusalKind.SERVICEABILITY, "Drop zipcode 682024 is not serviceable for Quickline Express"),
    ),
    Reading(
        "forward",
        0,
        "push.empty_wallet.response.json",
        _stored(RefusalKind.CONFIGURATION, "Insufficient wallet balance, please recharge"),
    ),
    Reading(
        "forward",
        0,
        "push.wrong_carrier.response.json",
        _stored(RefusalKind.CONFIGURATION, "Carrier id is invalid; Pick another carrier"),
    ),
    Reading(
        "forward", 0, "push.bad_weight.response.json", _stored(RefusalKind.CALLER, "Order weight exceeds the slab")
    ),
    Reading("forward", 0, "push.stored_only.response.json", Unknown),
    Reading("forward", 0, "push.stored_before.response.json", Unknown, (200, 400, 422)),
    Reading(
        "forward",
        0,
        "push.not_stored.response.json",
        Refused(RefusalKind.CALLER, "NOT_STORED", "shipping_phone must have 10 digits"),
    ),
    Reading(
        "forward",
        0,
        "push.not_stored.response.json",
        Refused(RefusalKind.CALLER, "HTTP 422", "shipping_phone must have 10 digits"),
        (422,),
    ),
    Reading("forward", 0, "push.booked.response.json", Unknown, (429, 500, 302)),
    Reading(
        "search finds",
        0,
        "find.without_awb.response.json",
        Refused(
            RefusalKind.CONFIGURATION,
            "ORDER_WITHOUT_AWB",
            "Shipway has this order without an AWB; nothing is pushed again until a person has looked in its panel",
            burnt=True,
        ),
    ),
    Reading(
        "order",
        0,
        "push.not_stored.response.json",
        Refused(RefusalKind.CALLER, "NOT_STORED", "shipping_phone must have 10 digits"),
    ),
    Reading("order", 0, "push.stored_before.response.json", Unknown, (200, 400, 422)),
    Reading("order search", 0, "find.booked.response.json", Ordered(_REFERENCE, None, _KNOWN)),
    Reading("order search", 0, "find.none.response.json", NotFound),
    Reading("forward from an order", 0, "find.without_awb.response.json", _WITHOUT_CARRIER),
    Reading("search from an order", 0, "find.without_awb.response.json", _WITHOUT_CARRIER),
    Reading("forward from an order", 0, "find.error.response.json", Unknown),
    Reading("search finds", 0, "find.none.response.json", NotFound),
    Reading("search finds", 0, "find.others.response.json", NotFound),
    Reading("search finds", 0, "find.error.response.json", Unknown),
    Reading("return search", 0, "find_return.waiting.response.json", Working),
    Reading("return search", 0, "find_return.other_items.response.json", Unknown),
    Reading("return search", 0, "find.none.response.json", Unknown),
    Reading(
        "return",
        0,
        "return.not_taken.response.json",
        Refused(
            RefusalKind.CONFIGURATION,
            "RETURN_NOT_TAKEN",
            '{"success": false, "message": "Order is not delivered yet"}',
        ),
    ),
)

# ── after the booking ───────────────────────────────────────────────────────────────

_SENT: Final = Shipment(Direction.FORWARD, _REFERENCE, _AWB, "Quickline Express", _AWB)
_RETURNED: Final = Shipment(Direction.RETURN, _RETURN_REFERENCE, _RETURN_AWB, "Quickline", "81230777")


def _cancel(body: str) -> Call:
    return Call("POST", f"{_BASE}/Cancel/", headers=_PROOF, body=body)


# ── webhooks and scans ──────────────────────────────────────────────────────────────

_ORDERS: Final = (_PARTNERS_ID, _REFERENCE)


def _other(code: str, description: str, said: str = "") -> dict[str, str]:
    found = {"Status Code": code, "Status Description": description, "Status": said}
    return {name: value for name, value in found.items() if value}


_panel: Final = About(_AWB, references=_ORDERS, current=True).says
_OF_RETURN: Final = {
    "awb": _RETURN_AWB,
    "is_return": True,
    "references": (),
    "forward_references": (_FORWARD_ORDER,),
}

_WEBHOOKS: Final[Mapping[str, Expected | tuple[Expected, ...]]] = {
    "webhook.panel_out_for_delivery.json": _panel(
        To.OUT_FOR_DELIVERY, To.OUT_FOR_DELIVERY, "2026-02-07T09:02:10", "OOD"
    ),
    "webhook.panel_delivered.json": _panel(To.DELIVERED, To.DELIVERED, "2026-02-07T13:21:45", "DEL"),
    "webhook.panel_inner_only.json": _panel(To.UNDELIVERED, To.UNDELIVERED, "2026-02-07T11:30:00", "UND"),
    "webhook.panel_return_picked_up.json": _panel(
        To.OTHER,
        To.RETURN_PICKED_UP,
        "2026-02-08T11:15:00",
        "RPKP",
        metadata=_other("RPKP", "Shipment Picked Up", "Picked up at the door"),
        **_OF_RETURN,
    ),
    "webhook.panel_return_without_reverse_awb.json": _panel(
        To.OTHER,
        To.IN_TRANSIT,
        "2026-02-08T23:59:59",
        "rint",
        metadata=_other("rint", "Return In Transit", "Bag in transit"),
        **_OF_RETURN,
    ),
    "webhook.panel_numbers_and_no_times.json": Expected(
        To.RTO,
        To.OTHER,
        RECEIVED_AT,
        awb=_AWB,
        code="RTO",
        references=_ORDERS,
        current=To.OTHER,
        metadata=_other("RTO", "RTO"),
    ),
    "webhook.feed.json": (
        Expected(
            To.IN_TRANSIT, To.IN_TRANSIT, RECEIVED_AT, code="INT", references=(_REFERENCE,), current=To.IN_TRANSIT
        ),
        Expected(
            To.OTHER,
            To.PICKUP_SCHEDULED,
            RECEIVED_AT,
            code="RSCH",
            is_return=True,
            forward_references=(_FORWARD_ORDER,),
            current=To.PICKUP_SCHEDULED,
            metadata=_other("RSCH", "Pickup Scheduled"),
        ),
    ),
    "webhook.plain.json": Expected(
        To.CANCELLED, To.CANCELLED, RECEIVED_AT, code="CAN", references=(_REFERENCE,), current=To.CANCELLED
    ),
    "webhook.plain_with_time.json": Expected(
        To.RTO_DELIVERED,
        To.OTHER,
        ist("2026-02-12T10:00:00"),
        code="RTD",
        references=(_REFERENCE,),
        current=To.OTHER,
        metadata=_other("RTD", "RTO Delivered"),
    ),
    "webhook.unknown_code.json": _panel(
        To.OTHER,
        To.OTHER,
        "2026-02-06T07:45:00",
        "RAD",
        metadata=_other("RAD", "RAD", "Reached destination hub"),
    ),
}


_pulled: Final = About(_AWB, references=(_REFERENCE,)).says

_TRACKING: Final = {
    "tracking.activities.response.json": (
        _pulled(To.IN_TRANSIT, To.IN_TRANSIT, "2026-02-05T22:40:31", "INT"),
        _pulled(To.OUT_FOR_DELIVERY, To.OUT_FOR_DELIVERY, "2026-02-07T09:02:10", "OOD"),
        _pulled(To.DELIVERED, To.DELIVERED, "2026-02-07T13:21:45", "DEL", current=To.DELIVERED),
    ),
    "tracking.history.response.json": (
        _pulled(
            To.OTHER,
            To.PICKUP_SCHEDULED,
            "2026-02-07T10:00:00",
            "RSCH",
            metadata=_other("RSCH", "Pickup Scheduled", "Pickup Scheduled"),
            **_OF_RETURN,
        ),
        _pulled(
            To.OTHER,
            To.RETURN_PICKED_UP,
            "2026-02-08T11:15:00",
            "RPKP",
            metadata=_other("RPKP", "Shipment Picked Up", "Picked up at the door"),
            **_OF_RETURN,
        ),
        _pulled(
            To.OTHER,
            To.IN_TRANSIT,
            "2026-02-08T23:59:59",
            "RINT",
            current=To.IN_TRANSIT,
            metadata=_other("RINT", "Return In Transit", "Bag in transit"),
            **_OF_RETURN,
        ),
    ),
    "tracking.unknown.response.json": (),
}

ADAPTER: Final = Adapter(
    adapter=Shipway(),
    folder="shipway",
    account=_ACCOUNT,
    walks=_WALKS,
    readings=_READINGS,
    door=_DOOR,
    label_call=Call("GET", f"{_BASE}/getorders", {"orderid": _REFERENCE}, headers=_PROOF),
    labels={("find.booked.response.json", 200): Refused, ("find.error.response.json", 200): Unknown},
    cancel_calls={
        Direction.FORWARD: _cancel("cancel.forward.request.json"),
        Direction.RETURN: _cancel("cancel.return.request.json"),
    },
    cancels={
        ("cancel.done.response.json", 200): Cancelled(),
        ("cancel.before.response.json", 200): Cancelled(),
        ("cancel.failed.response.json", 200): Refused(
            RefusalKind.CALLER, "NOT_CANCELLED", "Shipment is picked up by the carrier"
        ),
        ("cancel.invalid.response.json", 200): Refused(RefusalKind.CALLER, "INVALID_AWB", "Invalid AWB"),
        ("cancel.silent.response.json", 200): Unknown,
        ("cancel.done.response.json", 500): Unknown,
    },
    shipments={Direction.FORWARD: _SENT, Direction.RETURN: _RETURNED},
    track_call=Call(
        "GET",
        f"{_BASE}/tracking",
        {"awb_numbers": f"{_AWB},{_RETURN_AWB}", "tracking_history": "1"},
        headers=_PROOF,
    ),
    tracked=(_SENT, _RETURNED),
    tracking=_TRACKING,
    webhooks=_WEBHOOKS,
    same_scans={
        "webhook.panel_out_for_delivery.json": "tracking.activities.response.json",
        "webhook.panel_delivered.json": "tracking.activities.response.json",
        "webhook.panel_return_picked_up.json": "tracking.history.response.json",
        "webhook.panel_return_without_reverse_awb.json": "tracking.history.response.json",
    },
    unknown_status=json.dumps({"order_id": "KLF-1", "current_status": "ROOD"}).encode(),
    unknown_status_code="ROOD",
    tells_apart={"find_return.other_items.response.json": "products"},
    no_news=(b'{"hash": "x", "status_feed": []}',),
    reference_pattern="[A-Za-z0-9_-]{1,50}",
)
