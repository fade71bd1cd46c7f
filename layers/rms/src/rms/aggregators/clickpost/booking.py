"""The calls that RMS makes at Clickpost. Source: ClickPost guide, sections 5 to 8."""

import hashlib
import json
from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from rms.aggregators.clickpost.account import Carrier, Settings
from rms.aggregators.clickpost.answers import ACCOUNT_CODE, COURIER_ID
from rms.aggregators.clickpost.couriers import COURIERS
from rms.aggregators.clickpost.forward import forward_body
from rms.aggregators.clickpost.returns import return_body
from rms.aggregators.contract import Account, Direction, Job, Shipment
from rms.model.return_order import ReturnOrder
from rms.platform.http import HttpRequest

TOTAL_SECONDS: Final = 20.0
"""How long Clickpost may take: carriers answer slowly, and the client's own call must end within 29 s."""

_PREFIXES: Final = {Direction.RETURN: "RMS-", Direction.FORWARD: "RMF-"}


def booking_reference(client: str, code: str, generation: int, direction: Direction) -> str:
    """Our `reference_number`: 20 capitals, digits and a hyphen, which every carrier's barcode can hold."""
    named = json.dumps([client, code, generation]).encode()
    return f"{_PREFIXES[direction]}{b32encode(hashlib.sha256(named).digest())[:16].decode()}"


def create_order(account: Account, job: Job, now: datetime) -> HttpRequest | None:
    """POST /v3/create-order/. The same reference again books nothing more, it answers 323.

    None where the account has no carrier for the parcel's direction.
    """
    settings = Settings.of(account)
    carrier = settings.carrier(job.direction)
    if carrier is None:
        return None
    if isinstance(job.order, ReturnOrder):
        body = return_body(settings, job.order, job.reference, now)
    else:
        body = forward_body(settings, carrier, job.order, job.reference, now)
    return HttpRequest(
        "POST",
        f"{settings.base_url}/v3/create-order/",
        query=settings.credentials,
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=json.dumps(body, allow_nan=False).encode(),
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )


def label(account: Account, shipment: Shipment) -> HttpRequest:
    """GET /v1/fetch/shippinglabel/: the label that there is, none made anew."""
    settings = Settings.of(account)
    courier, _ = _carrier(settings, shipment)
    query = {"waybill": shipment.awb, "cp_id": courier, "regenerate": "false"}
    return _get(settings, f"{settings.base_url}/v1/fetch/shippinglabel/", query)


def cancel(account: Account, shipment: Shipment) -> HttpRequest:
    """GET /v1/cancel-order/: a GET that changes things. A second one for the same AWB does no harm."""
    settings = Settings.of(account)
    courier, account_code = _carrier(settings, shipment)
    query = {"waybill": shipment.awb, "cp_id": courier, "account_code": account_code}
    return _get(settings, f"{settings.base_url}/v1/cancel-order/", query)


def track(account: Account, shipments: Sequence[Shipment]) -> HttpRequest:
    """GET /v2/track-order/ for shipments of one carrier.

    Raises:
        ValueError: they have several carriers, which one call cannot ask for.
    """
    settings = Settings.of(account)
    couriers = {_carrier(settings, shipment)[0] for shipment in shipments}
    if len(couriers) != 1:
        raise ValueError("shipments that are tracked together must have one carrier")
    query = {"waybill": ",".join(shipment.awb for shipment in shipments), "cp_id": couriers.pop()}
    return _get(settings, f"{settings.tracking_url}/v2/track-order/", query)


def courier_id(account: Account, shipment: Shipment) -> str | None:
    """The id of the carrier that has a shipment; None where it was not booked by us and nothing names the carrier.

    The account's own carrier is taken for the one that has it only where both have one name: Clickpost does not know
    an AWB under another carrier's id.
    """
    if named := shipment.metadata.get(COURIER_ID):
        return named
    configured = Settings.of(account).carrier(shipment.direction)
    name = COURIERS.get(configured.courier_partner) if configured else None
    return str(configured.courier_partner) if configured and name and _same(name, shipment.courier) else None


def _same(name: str, courier: str) -> bool:
    return "".join(name.split()).casefold() == "".join(courier.split()).casefold()


def _carrier(settings: Settings, shipment: Shipment) -> tuple[str, str]:
    """Courier id and account code that a shipment was booked with: what it says itself, else what is configured."""
    configured = settings.carrier(shipment.direction) or Carrier(0, "")
    return (
        shipment.metadata.get(COURIER_ID) or str(configured.courier_partner),
        shipment.metadata.get(ACCOUNT_CODE) or configured.account_code,
    )


def _get(settings: Settings, url: str, query: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(
        "GET",
        url,
        query={**settings.credentials, **query},
        headers={"Accept": "application/json"},
        total_seconds=TOTAL_SECONDS,
        trusted=True,
    )
