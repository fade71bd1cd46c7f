"""The generic contract under the aggregator suite. Its bodies are told in `events/generic/README.md`."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rms.aggregators.contract import (
    Booked,
    Direction,
    Label,
    RefusalKind,
    Refused,
    Shipment,
    Unknown,
    Working,
)
from rms.aggregators.generic import GenericAggregator
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
)

_BASE: Final = "https://banyan.example/v1"
_REFERENCE: Final = "KLR-70031-343cdf7f44b0"
_FORWARD_REFERENCE: Final = "KLF-4502-1-4304d2b98134"
_AWB: Final = "83300051"
_FORWARD_AWB: Final = "83311107"
_HEADERS: Final = {"X-Api-Key": "banyan-test-5512", "Accept": "application/json"}
_DOOR: Final = {
    **dict.fromkeys((400, 422), RefusalKind.CALLER),
    **dict.fromkeys((401, 403, 404, 405, 406, 415), RefusalKind.CONFIGURATION),
}

_ACCOUNT: Final = an_account(
    "BANYAN",
    {"X-Api-Key": "banyan-test-5512"},
    generate_return_awb_url=f"{_BASE}/generate",
    get_return_awb_url=f"{_BASE}/shipments",
    generate_shipping_label_url=f"{_BASE}/generate",
    get_shipping_label_url=f"{_BASE}/shipments",
    get_couriers_url=f"{_BASE}/couriers",
    answers_repeats="yes",
)

# ── walks ───────────────────────────────────────────────────────────────────────────

_BOOKED: Final = Booked(
    awb=_AWB,
    courier="Peepal Surface Reverse",
    order_id="BN-90012",
    label_url="https://labels.example.net/banyan/83300051.pdf",
    metadata={"Return Shipment Number": "BN-RS-7"},
)
_BOOKED_FORWARD: Final = Booked(
    awb=_FORWARD_AWB,
    courier="Peepal Surface",
    order_id="BN-90055",
    label_url="https://labels.example.net/banyan/83311107.pdf",
)


def _couriers(body: str = "return", *, searching: bool = False) -> Step:
    call = Call("POST", f"{_BASE}/couriers", headers=_HEADERS, body=f"couriers.{body}.request.json")
    name = "find couriers" if searching else "couriers"
    return Step(name, call, "couriers.two.response.json", writes=False, goes_on=searching)


def _generate(body: str, answer: str, *, searching: bool = False) -> Step:
    call = Call("POST", f"{_BASE}/generate", headers=_HEADERS, body=f"generate.{body}.request.json")
    return Step("find" if searching else "generate", call, f"generate.{answer}.response.json")


def _get(order_id: str, direction: str, answer: str) -> Step:
    query = {"orderId": order_id, "logisticAggregatorName": "BANYAN", "shipmentType": direction}
    call = Call("GET", f"{_BASE}/shipments", query, headers=_HEADERS)
    return Step("get", call, f"get.{answer}.response.json", writes=False, goes_on=True)


_GET_RETURN: Final = _get("BN-90012", "RETURN", "return")
_GET_FORWARD: Final = _get("BN-90055", "FORWARD", "forward")
_UNADVISED: Final = {"get_couriers_url": ""}

_WALKS: Final = {
    "return": Walk(ORDER, (_couriers(), _generate("return", "return_with_awb"), _GET_RETURN), _BOOKED),
    "return without couriers": Walk(
        ORDER,
        (_generate("return_unadvised", "return_with_awb"), _GET_RETURN),
        _BOOKED,
        options=_UNADVISED,
    ),
    "return whose AWB comes with get": Walk(
        ORDER,
        (_couriers(), _generate("return", "return"), _get("90012", "RETURN", "return_numeric")),
        Booked(_AWB, "Peepal Surface", "90012", metadata={"Return Shipment Number": "90012"}),
    ),
    "return whose AWB changes": Walk(
        ORDER,
        (_couriers(), _generate("return", "return_with_awb"), _get("BN-90012", "RETURN", "return_other_awb")),
        Booked(
            "83300099",
            "Peepal Surface",
            "BN-90012",
            metadata={"Return Shipment Number": "BN-90012", "Earlier AWB": _AWB},
        ),
    ),
    "search finds": Walk(
        ORDER,
        (_couriers(searching=True), _generate("return", "return_with_awb", searching=True), _GET_RETURN),
        _BOOKED,
        searching=True,
        spares=("generate",),
    ),
    "search without couriers": Walk(
        ORDER,
        (_generate("return_unadvised", "return_with_awb", searching=True), _GET_RETURN),
        _BOOKED,
        searching=True,
        options=_UNADVISED,
    ),
    "forward": Walk(FORWARD, (_couriers("forward"), _generate("forward", "forward"), _GET_FORWARD), _BOOKED_FORWARD),
    "forward cash on delivery": Walk(
        FORWARD_COD, (_couriers("cod"), _generate("cod", "forward"), _GET_FORWARD), _BOOKED_FORWARD
    ),
    "forward with the least": Walk(
        FORWARD_PLAIN, (_couriers("plain"), _generate("plain", "forward"), _GET_FORWARD), _BOOKED_FORWARD
    ),
    "forward without a label": Walk(
        FORWARD,
        (_couriers("forward"), _generate("forward", "forward"), _get("BN-90055", "FORWARD", "forward_no_label")),
        Working,
    ),
}

_BAD_DATA: Final = Refused(
    RefusalKind.CALLER, "BAD_DATA", "Input validation failed: [dropAddress.zip: must have 6 digits]"
)
_NOT_SERVED: Final = Refused(
    RefusalKind.SERVICEABILITY, "BAD_DATA", "Lane refused: [pickupAddress.zip: not serviceable]"
)
_UNAUTHORIZED: Final = Refused(RefusalKind.CONFIGURATION, "UNAUTHORIZED", "Unknown key: [X-Api-Key: is not known]")

_READINGS: Final = (
    Reading(
        "return",
        0,
        "couriers.none.response.json",
        Refused(RefusalKind.SERVICEABILITY, "NO_COURIER", "no courier of this aggregator serves the lane"),
    ),
    Reading("return", 0, "error.bad_data.response.json", _BAD_DATA, (200, 400)),
    Reading("return", 1, "error.bad_data.response.json", _BAD_DATA, (200, 400, 404, 422)),
    Reading("return", 1, "error.not_served.response.json", _NOT_SERVED, (400,)),
    Reading("return", 1, "error.unauthorized.response.json", _UNAUTHORIZED, (401, 403)),
    Reading("return", 1, "error.repeat.response.json", Unknown, (200, 400, 409)),
    Reading("return", 1, "error.bad_data.response.json", Unknown, (408, 409, 425, 429, 500, 503)),
    Reading("return", 1, "generate.no_order_id.response.json", Unknown),
    Reading("return", 1, "generate.forward.response.json", Unknown),
    # A return's AWB is known from Generate: what Get then says takes nothing away.
    Reading("return", 2, "error.bad_data.response.json", replace(
        _BOOKED,
        courier="Peepal Surface",
        label_url=None,
        metadata={"Return Shipment Number": "BN-90012"},
    ), (200, 400, 401, 500)),
    Reading("return whose AWB comes with get", 2, "get.return_not_yet.response.json", Working),
    Reading("return whose AWB comes with get", 2, "error.bad_data.response.json", Unknown, (401, 404, 500)),
    Reading("forward", 2, "get.return.response.json", Unknown),
    # A search believes only refusals of the order itself, in words.
    Reading("search finds", 1, "error.bad_data.response.json", _BAD_DATA, (400,)),
    Reading("search finds", 1, "error.not_served.response.json", _NOT_SERVED, (422,)),
    Reading("search finds", 1, "error.unauthorized.response.json", Unknown, (401,)),
)  # fmt: skip

# ── after the booking ───────────────────────────────────────────────────────────────

_RETURNED: Final = Shipment(Direction.RETURN, _REFERENCE, _AWB, "Peepal Surface Reverse", "BN-90012")
_SENT: Final = Shipment(Direction.FORWARD, _FORWARD_REFERENCE, _FORWARD_AWB, "Peepal Surface", "BN-90055")

# ── pushes ──────────────────────────────────────────────────────────────────────────


_pushed: Final = About(_AWB, is_return=True, references=(_REFERENCE,), forward_references=("83290001", "KL-4471")).says
_pushed_forward: Final = About(_FORWARD_AWB, is_return=False, references=("KL-4502",)).says
_IN_HOSUR: Final = {"Warehouse Code": "HOSUR-1"}

_PUSHES: Final[Mapping[str, Expected]] = {
    "push.forward_in_transit.json": _pushed_forward(
        To.IN_TRANSIT, To.IN_TRANSIT, RECEIVED_AT, "IN_TRANSIT", metadata=_IN_HOSUR
    ),
    "push.forward_without_awb.json": _pushed_forward(
        To.REACHED_DESTINATION_HUB,
        To.REACHED_DESTINATION_HUB,
        RECEIVED_AT,
        "reached at destination-hub",
        awb=None,
        references=("4502",),
    ),
    "push.return_picked_up.json": _pushed(
        To.RETURN_PICKED_UP, To.RETURN_PICKED_UP, RECEIVED_AT, "RETURN_PICKUP", metadata=_IN_HOSUR
    ),
    "push.return_both_item_names.json": _pushed(
        To.OUT_FOR_PICKUP, To.OUT_FOR_PICKUP, RECEIVED_AT, "out for Pickup", metadata=_IN_HOSUR
    ),
    "push.return_unknown_type.json": _pushed(
        To.OTHER, To.OTHER, RECEIVED_AT, "Held at gate", metadata={**_IN_HOSUR, "Status": "Held at gate"}
    ),
}

ADAPTER: Final = Adapter(
    adapter=GenericAggregator("BANYAN"),
    folder="generic",
    account=_ACCOUNT,
    walks=_WALKS,
    readings=_READINGS,
    door=_DOOR,
    label_call=Call(
        "GET",
        f"{_BASE}/shipments",
        {"orderId": "BN-90055", "logisticAggregatorName": "BANYAN", "shipmentType": "FORWARD"},
        headers=_HEADERS,
    ),
    labels={
        ("get.forward.response.json", 200): Label("https://labels.example.net/banyan/83311107.pdf"),
        ("get.forward_no_label.response.json", 200): Working,
        ("error.unauthorized.response.json", 403): RefusalKind.CONFIGURATION,
        ("error.bad_data.response.json", 500): Unknown,
    },
    cancel_calls={},
    cancels={},
    shipments={Direction.FORWARD: _SENT, Direction.RETURN: _RETURNED},
    track_call=None,
    tracked=(),
    tracking={},
    webhooks=_PUSHES,
    same_scans={},
    unknown_status=json.dumps(
        {
            "forwardOrderCode": "KL-9",
            "notificationType": "ZEPPELIN_LEFT",
            "shipmentType": "FORWARD",
            "logisticAggregatorName": "BANYAN",
        }
    ).encode(),
    unknown_status_code="ZEPPELIN_LEFT",
    repeats_safely=True,
    reference_pattern="[A-Za-z0-9_-]{1,255}",
)
