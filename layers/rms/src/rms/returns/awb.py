"""Generate the return AWB of a return that is kept without one. Source: flows, section 5; contract, section 10."""

from collections.abc import Iterator
from typing import Final

from rms.aggregators.contract import Direction
from rms.clients.choice import accounts_for, lane_of, usable_accounts
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.journal.keys import return_id
from rms.model.documents import from_document
from rms.model.outcomes import AwbBooked, AwbFound, AwbPending
from rms.model.return_order import ReturnItem, ReturnOrder
from rms.platform.errors import BadDataError, NotFoundError
from rms.platform.json import optional_texts, parse_object
from rms.platform.problems import MISSING
from rms.platform.table import Item
from rms.returns.rules import BookingTerms
from rms.returns.terms import terms_for
from rms.shipments.booking import BookingOutcome, BookingState, look_again, outcome_of
from rms.shipments.starting import Wanted, book_anew

ALIAS: Final = "logisticAccountAlias"

_ITEM_FIELDS: Final = {
    "brand": "brand",
    "color": "color",
    "category": "category",
    "subCategory": "sub_category",
    "serialNumber": "serial_number",
    "imageUrl": "image_url",
    "subTaxItemData": "taxes",
}
"""Item fields that an account may insist on, by the names of the contract."""


def read_wanted_account(body: bytes) -> str | None:
    """The alias in a body, which may be empty.

    Raises:
        BadDataError: it is no JSON object, or the alias is no text.
    """
    return optional_texts(parse_object(body), (ALIAS,))[ALIAS] if body.strip() else None


def generate_return_awb(core: Core, client: str, code: str, alias: str | None) -> BookingOutcome:
    """Book an AWB for a return that has none; one that has it gets the answer that it got then.

    It is booked with the account of that alias, else as its creation would be, and for all the items that it has by
    now. A refused one is tried again whoever was to blame; a held one is looked up once more.

    Raises:
        NotFoundError: no such return, or another client's.
        BadDataError: no account books it, or the return lacks what the account asks for.
    """
    configuration = configuration_of(core, client)
    aggregate = return_id(client, code)
    rows = core.table.get_many([aggregate.document, aggregate.status, aggregate.booking])
    if aggregate.document not in rows:
        raise NotFoundError("No such return order")
    row, document = rows.get(aggregate.booking), rows[aggregate.document]
    others = _awb_of_others(code, rows[aggregate.status], row)
    if others is not None:
        return others
    state = BookingState(text(row, "state")) if row is not None else None
    if row is not None and state is not BookingState.REFUSED:
        if state is BookingState.HELD:
            look_again(core, aggregate, row)
        return outcome_of(aggregate, row)
    order = from_document(text(document, "body"))
    accounts = _accounts(configuration, order, alias)
    lacking = list(lacks(order, terms_for(configuration, accounts)))
    if lacking:
        raise BadDataError(f"[{', '.join(f'{name}: {MISSING}' for name in lacking)}]")
    return book_anew(core, configuration, Wanted(aggregate, order.to_be_called, accounts), document, row)


def read_return_awb(core: Core, client: str, code: str) -> AwbFound | BookingOutcome:
    """A return's AWB, its courier and where its label is; or why there is none yet. RMS API contract, section 11.

    Raises:
        NotFoundError: no such return, or another client's.
    """
    aggregate = return_id(client, code)
    rows = core.table.get_many([aggregate.status, aggregate.booking])
    if aggregate.status not in rows:
        raise NotFoundError("No such return order")
    row = rows.get(aggregate.booking)
    outcome: BookingOutcome | None = _awb_of_others(code, rows[aggregate.status], row)
    if outcome is None:
        outcome = outcome_of(aggregate, row) if row is not None else AwbPending(code)  # announced: it comes by webhook
    if not isinstance(outcome, AwbBooked):
        return outcome
    label = maybe_text(row, "label_url") if row is not None else None
    return AwbFound(outcome.order_id, code, outcome.awb, outcome.courier, label)


def _awb_of_others(code: str, status: Item, row: Item | None) -> AwbBooked | None:
    """The AWB that the channel or an aggregator's plugin booked, if there is one; their order id is the AWB."""
    awb = maybe_text(status, "awb")
    if awb is None or (row is not None and BookingState(text(row, "state")) is not BookingState.WITHDRAWN):
        return None
    return AwbBooked(awb, code, awb, maybe_text(status, "courier") or "")


def lacks(order: ReturnOrder, terms: BookingTerms) -> Iterator[str]:
    """What a stored return lacks for an account, by the names of section 3.2; what was added to it later may."""
    for place, item in enumerate(order.items):
        if item.added or item.cancelled:
            continue
        yield from (f"orderItems[{place}].{name}" for name in _item_lacks(item, terms))
    whole: dict[str, object] = {
        "currencyCode": order.currency,
        "regionType": order.region,
        "returnReason": order.reason,
        "shipmentDimension": order.parcel,
        "dropAddress": order.drop,
        "pickupAddress": order.pickup,
        "orderDetails": order.forward,
    }
    if terms.demands_client_fields:
        whole["sellerGstin"] = order.seller_gstin
        if order.forward is not None:
            whole["orderDetails.invoiceNumber"] = order.forward.invoice_number
            whole["orderDetails.invoiceTime"] = order.forward.invoice_time
    if "consigneeGstin" in terms.required_fields:
        whole["consigneeGstin"] = order.consignee_gstin
    yield from (name for name, value in whole.items() if value is None)


def _item_lacks(item: ReturnItem, terms: BookingTerms) -> Iterator[str]:
    always = {"name": item.name, "price": item.price, "finalAmountPaid": item.final_amount_paid}
    yield from (name for name, value in always.items() if value is None)
    for name, attribute in _ITEM_FIELDS.items():
        wanted = f"orderItems.{name}" in terms.required_fields and (name != "imageUrl" or item.doorstep_qc)
        if wanted and not getattr(item, attribute):
            yield name


def _accounts(configuration: Configuration, order: ReturnOrder, alias: str | None) -> tuple[ConfiguredAccount, ...]:
    accounts = accounts_for(configuration, alias or order.account_alias, Direction.RETURN, lane_of(order))
    if accounts:
        return accounts
    usable = ", ".join(account.alias for account in usable_accounts(configuration, Direction.RETURN))
    problem = f"must be one of {usable}" if usable else "no aggregator account is set up to book returns"
    raise BadDataError(f"[{ALIAS}: {problem}]")
