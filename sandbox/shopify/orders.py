"""Orders of a simulated shop, and the shapes in which Shopify shows them: GraphQL's to callers, REST's in webhooks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sandbox.partner import Json

_GID: Final = "gid://shopify"


@dataclass(slots=True)
class Line:
    """A line of an order: how many were ordered, are left, and were not shipped yet."""

    number: int
    sku: str
    quantity: int
    current: int
    unfulfilled: int

    @property
    def gid(self) -> str:
        """Its global id."""
        return f"{_GID}/LineItem/{self.number}"


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on the order's fulfilment order. `by_us`: the app that calls has set it."""

    number: int
    handle: str
    reason: str
    by_us: bool

    @property
    def gid(self) -> str:
        """Its global id."""
        return f"{_GID}/FulfillmentHold/{self.number}"


@dataclass(slots=True)
class Order:
    """An order with one fulfilment order. `history` tells every change that an API call made, once each."""

    number: int
    name: str
    tags: list[str]
    attributes: dict[str, str]
    lines: list[Line]
    updated_at: datetime
    holds: list[Hold] = field(default_factory=list)
    returns: list[Json] = field(default_factory=list)
    cancelled_at: datetime | None = None
    history: list[str] = field(default_factory=list)

    @property
    def gid(self) -> str:
        """Its global id."""
        return f"{_GID}/Order/{self.number}"

    @property
    def fulfilment_order(self) -> str:
        """The global id of its fulfilment order."""
        return f"{_GID}/FulfillmentOrder/{self.number}"

    @property
    def status(self) -> str:
        """The status of its fulfilment order."""
        if self.cancelled_at is not None:
            return "CANCELLED"
        if self.holds:
            return "ON_HOLD"
        return "OPEN" if any(line.unfulfilled for line in self.lines) else "CLOSED"

    def describe(self) -> Json:
        """The order as JSON, for whoever steers."""
        return {
            "number": self.number,
            "id": self.gid,
            "name": self.name,
            "tags": list(self.tags),
            "cancelled": self.cancelled_at is not None,
            "holds": [hold.handle for hold in self.holds],
            "lines": [{"sku": line.sku, "quantity": line.quantity, "current": line.current} for line in self.lines],
            "history": list(self.history),
        }


def graphql(order: Order) -> Json:
    """An order as the operation OrderForRms selects it."""
    return {
        "id": order.gid,
        "legacyResourceId": str(order.number),
        "name": order.name,
        "tags": sorted(order.tags),
        "cancelledAt": _moment(order.cancelled_at),
        "cancelReason": "OTHER" if order.cancelled_at else None,
        "displayFulfillmentStatus": "ON_HOLD" if order.holds else "UNFULFILLED",
        "returnStatus": "IN_PROGRESS" if order.returns else "NO_RETURN",
        "updatedAt": _moment(order.updated_at),
        "customAttributes": [{"key": key, "value": value} for key, value in order.attributes.items()],
        "lineItems": {
            "nodes": [
                {
                    "id": line.gid,
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "currentQuantity": line.current,
                    "unfulfilledQuantity": line.unfulfilled,
                }
                for line in order.lines
            ]
        },
        "fulfillmentOrders": {
            "nodes": [
                {
                    "id": order.fulfilment_order,
                    "status": order.status,
                    "supportedActions": [{"action": "RELEASE_HOLD" if order.holds else "CREATE_FULFILLMENT"}],
                    "fulfillmentHolds": [_hold(hold) for hold in order.holds],
                    "lineItems": {"nodes": list(_left(order))},
                }
            ]
        },
        "returns": {"nodes": order.returns},
    }


def rest(order: Order) -> Json:
    """An order as the body of a webhook."""
    return {
        "id": order.number,
        "admin_graphql_api_id": order.gid,
        "name": order.name,
        "tags": ", ".join(sorted(order.tags)),
        "updated_at": order.updated_at.isoformat(timespec="seconds"),
        "cancelled_at": _moment(order.cancelled_at),
        "financial_status": "paid",
        "fulfillment_status": None,
        "note_attributes": [{"name": name, "value": value} for name, value in order.attributes.items()],
        "line_items": [
            {
                "id": line.number,
                "sku": line.sku,
                "quantity": line.quantity,
                "current_quantity": line.current,
                "fulfillable_quantity": line.unfulfilled,
            }
            for line in order.lines
        ],
    }


def _hold(hold: Hold) -> Json:
    return {
        "id": hold.gid,
        "handle": hold.handle,
        "reason": hold.reason,
        "reasonNotes": None,
        "heldByRequestingApp": hold.by_us,
    }


def _left(order: Order) -> Iterator[Json]:
    for line in order.lines:
        if line.unfulfilled:
            yield {
                "id": f"{_GID}/FulfillmentOrderLineItem/{line.number}",
                "remainingQuantity": line.unfulfilled,
                "lineItem": {"id": line.gid, "sku": line.sku},
            }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
