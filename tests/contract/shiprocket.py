"""Shiprocket under the aggregator suite. Its bodies are told in `events/shiprocket/README.md`.

What a walk does with a reference that is taken, an older order or an AWB that may be there is in
`tests/unit/aggregators/shiprocket/test_walk.py`: there `book` reads before it goes on.
"""

import json
from collections.abc import Mapping
from typing import Final

from rms.aggregators.contract import (
    Booked,
    Cancelled,
    Direction,
    Goal,
    Label,
    NotFound,
    Ordered,
    RefusalKind,
    Refused,
    Shipment,
    Token,
    Unauthorized,
    Unknown,
)
from rms.aggregators.shiprocket import Shiprocket
from rms.model.notification_type import NotificationType as To
from tests.contract.adapters import (
    FORWARD,
    FORWARD_COD,
    FORWARD_PLAIN,
    ORDER,
    ORDER_WITH_QC,
    About,
    Adapter,
    Call,
    Expected,
    Login,
    Reading,
    Step,
    Walk,
    an_account,
    ist,
)

_REFERENCE: Final = "RMR-GQ6N672EWBCS3RGV"
_FORWARD_REFERENCE: Final = "RMF-IMCNFOMBGTBWOC4L"
_AWB: Final = "7720041190335"
_FORWARD_AWB: Final = "4418900276612"
_ORDER_ID: Final = "410077215"
_FORWARD_ORDER_ID: Final = "410081126"
_BASE: Final = "https://shiprocket.example/v1/external"
_BEARER: Final = {"Authorization": "Bearer test.token-5c1d.value"}

_ACCOUNT: Final = an_account(
    "SHIPROCKET",
    {"password": "not-the-real-one-8841", "token": "test.token-5c1d.value"},
    email="rms-api@kaverilooms.example",
    base_url=f"{_BASE}/",
    pickup_location="Kaveri main",
    locations="HOSUR-1=Hosur dispatch/4410077",
    channel_id="52210",
    return_reasons="Size too large=28; Colour is off=39",
    qc_checks="used, damaged",
)


def _post(path: str, body: str) -> Call:
    return Call("POST", _BASE + path, headers=_BEARER, body=body)


def _get(path: str, **query: str) -> Call:
    return Call("GET", _BASE + path, query, _BEARER)


# ── walks ───────────────────────────────────────────────────────────────────────────


def _served(ask: Mapping[str, str], answer: str) -> Step:
    return Step("serviceability", Call("GET", f"{_BASE}/courier/serviceability/", ask, _BEARER), answer, writes=False)


_FROM_KOCHI: Final = {
    "pickup_postcode": "682036",
    "delivery_postcode": "635109",
    "cod": "0",
    "weight": "0.8204",
    "declared_value": "3171",
    "length": "30.2",
    "breadth": "24",
    "height": "6.5",
    "is_return": "1",
}
_TO_KOCHI: Final = {
    "pickup_postcode": "635109",
    "delivery_postcode": "682024",
    "cod": "0",
    "weight": "1.2402",
    "declared_value": "3580",
    "length": "32",
    "breadth": "25.5",
    "height": "8",
}
_CREATE_RETURN: Final = Step(
    "create", _post("/orders/create/return", "create_return.request.json"), "create_return.ok.response.json"
)
_ASSIGN_RETURN: Final = Step(
    "assign", _post("/courier/assign/awb", "assign.return.request.json"), "assign.return.response.json"
)
_SERVED_RETURN: Final = _served(_FROM_KOCHI, "serviceability.return.response.json")
_PICKUP: Final = Step(
    "pickup", _post("/courier/generate/pickup", "pickup.request.json"), "pickup.ok.response.json", goes_on=True
)
_LABEL: Final = Step(
    "label", _post("/courier/generate/label", "label.request.json"), "label.ok.response.json", goes_on=True
)


def _create_order(body: str) -> Step:
    return Step("create", _post("/orders/create/adhoc", body), "create_order.ok.response.json")


def _listed_return(page: str, answer: str) -> Step:
    window = {"from": "2026-01-26", "to": "2026-02-04", "page": page, "per_page": "100"}
    return Step("search", Call("GET", f"{_BASE}/orders/processing/return", window, _BEARER), answer, writes=False)


def _listed_order(answer: str) -> Step:
    wanted = {"filter_by": "channel_order_id", "filter": _FORWARD_REFERENCE, "page": "1", "per_page": "100"}
    return Step("search", Call("GET", f"{_BASE}/orders", wanted, _BEARER), answer, writes=False)


def _shown(order_id: str, answer: str) -> Step:
    return Step("show", _get(f"/orders/show/{order_id}"), answer, writes=False)


_BOOKED: Final = Booked(
    awb=_AWB,
    courier="Nilgiri Surface",
    order_id=_ORDER_ID,
    metadata={
        "Shipment Id": "409918803",
        "Courier Id": "71",
        "Pickup Date": "2026-02-04 09:00:00",
        "Pickup Token": "Reference No: KL_200417",
    },
)
_FOUND: Final = Booked(_AWB, "Nilgiri Surface", _ORDER_ID, metadata={"Shipment Id": "409918803", "Courier Id": "71"})
_LABEL_URL: Final = "https://labels.kr.example/338821/shipping-label-409922714.pdf"
_BOOKED_FORWARD: Final = Booked(
    awb=_FORWARD_AWB,
    courier="Xpressbees Surface",
    order_id=_FORWARD_ORDER_ID,
    label_url=_LABEL_URL,
    metadata={"Shipment Id": "409922714", "Courier Id": "51", "Pickup Date": "2026-02-04 14:00:00"},
)
_FOUND_FORWARD: Final = Booked(
    _FORWARD_AWB, "Xpressbees Surface", _FORWARD_ORDER_ID, _LABEL_URL, {"Shipment Id": "409922714", "Courier Id": "71"}
)


def _forward(body: str, assign: str = "assign.forward.request.json", **asked: str) -> tuple[Step, ...]:
    return (
        _create_order(body),
        _served({**_TO_KOCHI, **asked}, "serviceability.forward.response.json"),
        Step("assign", _post("/courier/assign/awb", assign), "assign.forward.response.json"),
        _LABEL,
    )


_KNOWN: Final = {"order_id": _FORWARD_ORDER_ID, "shipment_id": "409922714"}
_NOT_DUE: Final = ("create", "assign")
_WALKS: Final = {
    "return": Walk(ORDER, (_CREATE_RETURN, _SERVED_RETURN, _ASSIGN_RETURN, _PICKUP), _BOOKED),
    "return with doorstep QC": Walk(
        ORDER_WITH_QC,
        (
            Step(
                "create",
                _post("/orders/create/return", "create_return.doorstep_qc.request.json"),
                "create_return.ok.response.json",
            ),
            _served({**_FROM_KOCHI, "declared_value": "1891", "qc_check": "1"}, "serviceability.return.response.json"),
            Step(
                "assign",
                _post("/courier/assign/awb", "assign.doorstep_qc.request.json"),
                "assign.return.response.json",
            ),
            _PICKUP,
        ),
        _BOOKED,
    ),
    "return that nobody serves": Walk(
        ORDER,
        (_CREATE_RETURN, _served(_FROM_KOCHI, "serviceability.nobody.response.json")),
        Refused(RefusalKind.SERVICEABILITY, "NO_COURIER", "no courier from 682036 to 635109", burnt=True),
    ),
    "forward": Walk(FORWARD, _forward("create_order.request.json"), _BOOKED_FORWARD),
    "forward cash on delivery": Walk(
        FORWARD_COD,
        _forward("create_order.cod.request.json", "assign.cod.request.json", cod="1"),
        _BOOKED_FORWARD,
    ),
    "forward with the least": Walk(FORWARD_PLAIN, _forward("create_order.plain.request.json"), _BOOKED_FORWARD),
    "order": Walk(
        FORWARD,
        (_create_order("create_order.request.json"),),
        Ordered(_FORWARD_ORDER_ID, "409922714", _KNOWN),
        goal=Goal.ORDER,
    ),
    "order search": Walk(
        FORWARD,
        (
            _listed_order("list_orders.response.json"),
            _shown(_FORWARD_ORDER_ID, "show_order.assigned.response.json"),
        ),
        Ordered(
            _FORWARD_ORDER_ID,
            "409922714",
            {**_KNOWN, "awb": _FORWARD_AWB, "courier": "Xpressbees Surface", "courier_id": "71"},
        ),
        searching=True,
        goal=Goal.ORDER,
        spares=_NOT_DUE,
    ),
    "forward from an order": Walk(FORWARD, _forward("create_order.request.json")[1:], _BOOKED_FORWARD, known=_KNOWN),
    "search from an order": Walk(
        FORWARD,
        (_shown(_FORWARD_ORDER_ID, "show_order.assigned.response.json"), _LABEL),
        _FOUND_FORWARD,
        searching=True,
        known=_KNOWN,
        spares=_NOT_DUE,
    ),
    "search finds nothing": Walk(ORDER, (_listed_return("1", "list.empty.response.json"),), NotFound, searching=True),
    "search finds all done": Walk(
        ORDER,
        (
            _listed_return("1", "list_returns.page_1.response.json"),
            _listed_return("2", "list_returns.page_2.response.json"),
            _shown(_ORDER_ID, "show_return.pickup_generated.response.json"),
        ),
        _FOUND,
        searching=True,
        spares=(*_NOT_DUE, "pickup"),
    ),
    "search finds an AWB without a pick-up": Walk(
        ORDER,
        (
            _listed_return("1", "list_returns.page_1.response.json"),
            _listed_return("2", "list_returns.page_2.response.json"),
            _shown(_ORDER_ID, "show_return.assigned.response.json"),
            _PICKUP,
        ),
        _BOOKED,
        searching=True,
        spares=_NOT_DUE,
    ),
    "search finds a return without an AWB": Walk(
        ORDER,
        (
            _listed_return("1", "list_returns.page_1.response.json"),
            _listed_return("2", "list_returns.page_2.response.json"),
            _shown(_ORDER_ID, "show_return.pending.response.json"),
            _SERVED_RETURN,
            _ASSIGN_RETURN,
            _PICKUP,
        ),
        _BOOKED,
        searching=True,
        spares=("create",),
    ),
    "search finds no order": Walk(FORWARD, (_listed_order("list.empty.response.json"),), NotFound, searching=True),
    "search finds an order": Walk(
        FORWARD,
        (
            _listed_order("list_orders.response.json"),
            _shown(_FORWARD_ORDER_ID, "show_order.assigned.response.json"),
            _LABEL,
        ),
        _FOUND_FORWARD,
        searching=True,
        spares=_NOT_DUE,
    ),
}
_WALLET: Final = Refused(
    RefusalKind.CONFIGURATION, "350", "Please recharge your wallet. The minimum balance is Rs 100", burnt=True
)
_INVALID: Final = Refused(
    RefusalKind.CALLER,
    "422",
    "pickup_email: The pickup email must be a valid email address.; "
    "shipping_pincode: The shipping pincode must be a number.",
)
_PHP: Final = Refused(RefusalKind.CALLER, "500", "Trying to get property of non-object", burnt=True)
_READINGS: Final = (
    Reading("return", 0, "create_return.invalid_422.response.json", _INVALID, (422, 400, 200)),
    Reading("return", 0, "php_500.response.json", _PHP, (500,)),
    Reading("return", 0, "unauthenticated_401.response.json", Unauthorized, (401,)),
    Reading("forward", 0, "create_order.channel_400.response.json", RefusalKind.CONFIGURATION, (400,)),
    Reading("forward", 0, "create_order.failed_200.response.json", RefusalKind.CALLER, (200, 201, 202)),
    Reading("forward", 0, "create_order.failed_200.response.json", Unknown, (429, 500, 503)),
    Reading("return", 1, "serviceability.not_found_404.response.json", RefusalKind.CALLER, (200, 404)),
    Reading("return", 1, "unauthenticated_401.response.json", Unauthorized, (401,)),
    Reading(
        "return",
        2,
        "assign.no_awb_200.response.json",
        Refused(RefusalKind.CALLER, "200", "Courier could not reserve a number", burnt=True),
    ),
    Reading("return", 2, "assign.wallet_350.response.json", _WALLET, (200, 400, 402, 422, 500)),
    Reading("return", 2, "unauthenticated_401.response.json", Unauthorized, (401,)),
    Reading(
        "return",
        3,
        "pickup.duplicate_400.response.json",
        Booked(
            _AWB,
            "Nilgiri Surface",
            _ORDER_ID,
            metadata={"Shipment Id": "409918803", "Courier Id": "71", "Pickup Date": "2026-02-04 14:00:00"},
        ),
        (200, 400),
    ),
    Reading(
        "return",
        3,
        "pickup.invalid_400.response.json",
        Booked(
            _AWB,
            "Nilgiri Surface",
            _ORDER_ID,
            metadata={
                "Shipment Id": "409918803",
                "Courier Id": "71",
                "Pickup Date": "2026-02-04 14:00:00",
                "Pickup Error": "Invalid shipment id",
            },
        ),
        (400,),
    ),
    Reading(
        "search finds all done",
        2,
        "show_return.cancelled.response.json",
        Refused(RefusalKind.CALLER, "27", "this order is cancelled at Shiprocket", burnt=True),
    ),
    Reading("search finds all done", 2, "show.unknown_400.response.json", Unknown, (400,)),
    Reading("search finds all done", 0, "show.unknown_400.response.json", NotFound, (404,)),
    Reading("search finds an order", 0, "unauthenticated_401.response.json", Unauthorized, (401,)),
)

# ── after the booking ───────────────────────────────────────────────────────────────

_RETURNED: Final = Shipment(
    Direction.RETURN, _REFERENCE, _AWB, "Nilgiri Surface", _ORDER_ID, {"Shipment Id": "409918803"}
)
_SENT: Final = Shipment(
    Direction.FORWARD,
    _FORWARD_REFERENCE,
    _FORWARD_AWB,
    "Xpressbees Surface",
    _FORWARD_ORDER_ID,
    {"Shipment Id": "409922714"},
)

# ── webhooks and scans ──────────────────────────────────────────────────────────────


_hook: Final = About(_AWB, is_return=True, references=(_ORDER_ID, _REFERENCE)).says
_forward_hook: Final = About(
    _FORWARD_AWB,
    is_return=False,
    references=(_FORWARD_ORDER_ID, f"{_FORWARD_REFERENCE}_{_FORWARD_ORDER_ID}", _FORWARD_REFERENCE),
).says
_pulled: Final = About(_AWB).says
_pulled_forward: Final = About(_FORWARD_AWB).says


def _other(code: str, status: str, shipment: str = "") -> dict[str, str]:
    return {"Status Code": code, "Status": status, "Shipment Status": shipment or status}


_QC: Final = {
    "QC Result": "FAIL",
    "QC Failure Reason": "Wrong colour",
    "QC Image": "https://qc.example/7720041190335.jpg",
}
_WEBHOOKS: Final[Mapping[str, Expected | tuple[Expected, ...]]] = {
    "webhook.return_pending.json": _hook(
        To.OTHER,
        To.RETURN_ORDER_PLACED,
        "2026-02-03T18:40:58",
        "21/11",
        awb=None,
        metadata=_other("21/11", "RETURN PENDING", "PENDING"),
    ),
    "webhook.return_pickup_generated.json": _hook(
        To.PICKUP_SCHEDULED, To.PICKUP_SCHEDULED, "2026-02-03T18:41:09", "28/3"
    ),
    "webhook.return_out_for_pickup.json": _hook(To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, "2026-02-04T09:12:51", "47/19"),
    "webhook.return_picked_up.json": _hook(To.PICKED_UP, To.RETURN_PICKED_UP, "2026-02-05T15:48:40", "32/42"),
    "webhook.return_in_transit.json": _hook(To.IN_TRANSIT, To.IN_TRANSIT, "2026-02-06T02:15:19", "25/18"),
    "webhook.return_delivered.json": _hook(To.DELIVERED, To.DELIVERED, "2026-02-07T10:05:44", "26/7"),
    "webhook.return_undelivered.json": _hook(To.UNDELIVERED, To.UNDELIVERED, "2026-02-07T08:00:00", "50/21"),
    "webhook.return_qc_failed.json": _hook(
        To.OTHER,
        To.OTHER,
        "2026-02-05T12:30:08",
        "57/47",
        failure="QC FAILED: Wrong colour",
        metadata={**_QC, **_other("57/47", "QC FAILED")},
    ),
    "webhook.return_qc_passed.json": _hook(
        To.OTHER,
        To.OTHER,
        "2026-02-05T12:29:00",
        "-/-",
        metadata={"QC Result": "PASS", **_other("-/-", "QC PASSED")},
    ),
    "webhook.return_turned_back.json": _hook(
        To.RTO, To.OTHER, "2026-02-08T11:00:00", "15/9", metadata=_other("15/9", "RTO INITIATED")
    ),
    "webhook.forward_undelivered.json": _forward_hook(To.UNDELIVERED, To.UNDELIVERED, "2026-01-22T17:20:55", "36/21"),
    "webhook.forward_rto.json": _forward_hook(
        To.RTO,
        To.OTHER,
        "2026-01-23T08:01:00",
        "55/46",
        metadata=_other("55/46", "RTO IN-TRANSIT", "RTO IN INTRANSIT"),
    ),
    "webhook.forward_texts_only.json": _forward_hook(
        To.OUT_FOR_DELIVERY, To.OUT_FOR_DELIVERY, "2026-01-22T09:30:00", "-/-"
    ),
    "webhook.unknown_ids.json": _hook(
        To.OTHER, To.OTHER, "2026-02-06T21:07:55", "901/902", metadata=_other("901/902", "DRONE LAUNCHED")
    ),
    "webhook.bare.json": Expected(
        To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, ist("2026-02-20T09:30:00"), awb=_AWB, code="-/19"
    ),
}

ADAPTER: Final = Adapter(
    adapter=Shiprocket(),
    folder="shiprocket",
    account=_ACCOUNT,
    walks=_WALKS,
    readings=_READINGS,
    door={
        400: RefusalKind.CALLER,
        401: Unauthorized,
        403: RefusalKind.CONFIGURATION,
        404: RefusalKind.CALLER,
        405: RefusalKind.CALLER,
        422: RefusalKind.CALLER,
    },
    search_door={401: Unauthorized},
    login=Login(
        Call("POST", f"{_BASE}/auth/login", body="login.request.json"),
        {
            ("login.ok.response.json", 200): Token("made-up.token-for.tests", 9 * 24 * 3600),
            ("login.wrong_403.response.json", 403): RefusalKind.CONFIGURATION,
            ("login.wrong_403.response.json", 400): RefusalKind.CONFIGURATION,
            ("unauthenticated_401.response.json", 401): RefusalKind.CONFIGURATION,
            ("login.wrong_403.response.json", 429): Unknown,
        },
    ),
    label_call=_post("/courier/generate/label", "label.request.json"),
    labels={
        ("label.ok.response.json", 200): Label(_LABEL_URL),
        ("label.none_200.response.json", 200): RefusalKind.CALLER,
        ("php_500.response.json", 500): RefusalKind.CALLER,
    },
    cancel_calls={
        Direction.RETURN: _post("/orders/cancel/shipment/awbs", "cancel_awbs.return.request.json"),
        Direction.FORWARD: _post("/orders/cancel/shipment/awbs", "cancel_awbs.forward.request.json"),
    },
    cancels={
        ("cancel_awbs.response.json", 200): Cancelled(later=True),
        ("cancel_awbs.response.json", 204): Cancelled(later=True),
        ("cancel.before_400.response.json", 400): Cancelled(),
        ("php_500.response.json", 500): RefusalKind.CALLER,
        ("php_500.response.json", 200): RefusalKind.CALLER,
    },
    shipments={Direction.RETURN: _RETURNED, Direction.FORWARD: _SENT},
    track_call=_post("/courier/track/awbs", "track.request.json"),
    tracked=(_RETURNED, _SENT),
    tracking={
        "track.return.response.json": (
            _pulled(To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, "2026-02-04T09:12:44", "-/19"),
            _pulled(To.PICKED_UP, To.RETURN_PICKED_UP, "2026-02-05T15:48:31", "-/42"),
            _pulled(To.IN_TRANSIT, To.IN_TRANSIT, "2026-02-06T02:15:10", "-/18"),
            _pulled(To.DELIVERED, To.DELIVERED, "2026-02-07T10:05:36", "-/7"),
        ),
        "track.qc_failed.response.json": (
            _pulled(
                To.OTHER,
                To.OTHER,
                "2026-02-05T12:30:00",
                "-/47",
                failure="QC FAILED: Wrong colour",
                metadata={**_QC, "Status Code": "-/47", "Shipment Status": "QC FAILED"},
            ),
        ),
        "track.one_not_scanned.response.json": (
            _pulled_forward(To.UNDELIVERED, To.UNDELIVERED, "2026-01-22T17:20:48", "-/21"),
            # No scan says so yet, only the shipment itself.
            _pulled_forward(
                To.RTO,
                To.OTHER,
                "2026-01-22T17:20:48",
                "-/9",
                metadata={"Status Code": "-/9", "Shipment Status": ""},
            ),
        ),
        "track.nothing_known.response.json": (),
    },
    webhooks=_WEBHOOKS,
    # A webhook's time is that of its sending and a scan has no order id, so that the two never share an id.
    same_scans={},
    unknown_status=json.dumps({"awb": _AWB, "current_status": "ZEPPELIN LEFT", "current_status_id": 4077}).encode(),
    unknown_status_code="4077/-",
    takes_lists=True,
    accepts_silently=True,
)
