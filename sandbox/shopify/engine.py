"""Shopify without sockets: one shop's orders behind the GraphQL Admin API, with throttling by cost, and its webhooks.

It knows operations by their name and answers all that the checked operations select; it is no GraphQL engine.
Source: Shopify guide, sections 2 to 4. Where nothing is known, the README says what was chosen.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, override

from sandbox.outbox import Webhook
from sandbox.partner import CallEngine, Json, PartnerSettings, Result, UnknownThingError, json_object
from sandbox.shopify.orders import Hold, Line, Order, graphql, rest

_OPERATIONS: Final = {
    "OrderForRms": ("order", "order"),
    "TagsAdd": ("tags-add", "tagsAdd"),
    "TagsRemove": ("tags-remove", "tagsRemove"),
    "Hold": ("hold", "fulfillmentOrderHold"),
    "Release": ("release", "fulfillmentOrderReleaseHold"),
    "Cancel": ("cancel", "orderCancel"),
    "EditBegin": ("edit-begin", "orderEditBegin"),
    "EditSetQty": ("edit-set-quantity", "orderEditSetQuantity"),
    "EditCommit": ("edit-commit", "orderEditCommit"),
    "WebhookCreate": ("webhook-create", "webhookSubscriptionCreate"),
}
"""Name for faults and field of the answer, by the operation's own name."""

_OTHER: Final = "other"
_FIELDS: Final = dict(_OPERATIONS.values())
_ENDPOINT: Final = re.compile(r"/admin/api/(20[0-9]{2}-[0-9]{2})/graphql\.json")
_MOST_HOLDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(PartnerSettings):
    """Settings of one simulated shop."""

    base_path: str = ""
    shop: str = "sandbox-looms.myshopify.com"
    access_token: str = field(default="sandbox-shop-token", repr=False)
    webhook_secret: str = field(default="sandbox-client-secret", repr=False)
    versions: tuple[str, ...] = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")
    bucket: float = 2000.0
    """Points that may be spent at once."""

    restore_rate: float = 100.0
    """Points that come back in a second."""

    order_cost: float = 140.0
    mutation_cost: float = 10.0
    cancel_seconds: float = 0.0
    """How long a cancel takes after it was answered."""

    denies: tuple[str, ...] = ()
    """Calls for which the token lacks the scope."""

    topics: tuple[str, ...] = ("orders/create", "orders/updated", "orders/cancelled")
    """What is told by webhook."""


@dataclass(slots=True)
class _Edit:
    """An edit under way: quantities by the id of the calculated line."""

    order: Order
    quantities: dict[str, int]
    committed: bool = False


class ShopifyEngine(CallEngine[Settings]):
    """One simulated shop, as one app sees it."""

    operations = (*_FIELDS, _OTHER)
    failure = (500, {"errors": "Internal Server Error"})

    @override
    def _start(self) -> None:
        super()._start()
        self._orders: dict[int, Order] = {}
        self._edits: dict[str, _Edit] = {}
        self._points = self.settings.bucket
        self._counted_at = self.clock()

    # ── the API ─────────────────────────────────────────────────────────────────────

    @override
    def operation_of(self, method: str, path: str) -> str | None:
        found = _ENDPOINT.fullmatch(path)
        return _OTHER if method == "POST" and found and found[1] in self.settings.versions else None

    @override
    def route(
        self, method: str, path: str, query: Mapping[str, str], body: bytes
    ) -> tuple[str, Mapping[str, str]] | None:
        if self.operation_of(method, path) is None:
            return None
        name = (json_object(body) or {}).get("operationName")
        return (_OPERATIONS[name][0] if isinstance(name, str) and name in _OPERATIONS else _OTHER), query

    @override
    def hides(self, name: str) -> bool:
        return name.lower() == "x-shopify-access-token"

    @override
    def work(self, operation: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Result:
        if headers.get("x-shopify-access-token") != self.settings.access_token:
            return 401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}
        document = json_object(body) or {}
        name, text = _FIELDS.get(operation, ""), str(document.get("query", ""))
        variables = document.get("variables")
        if not name or not re.search(rf"\b{name}\b", text) or not isinstance(variables, dict):
            return 200, {"errors": [{"message": "Field doesn't exist", "extensions": {"code": "undefinedField"}}]}
        cost = self.settings.order_cost if operation == "order" else self.settings.mutation_cost
        if (throttled := self._throttled(cost)) is not None:
            return 200, throttled
        if operation in self.settings.denies:
            denied = {"message": f"Access denied for {name} field.", "extensions": {"code": "ACCESS_DENIED"}}
            return 200, {"errors": [{**denied, "path": [name]}], "data": {name: None}, **self._cost(cost, cost)}
        return 200, {"data": {name: self._does(operation)(variables)}, **self._cost(cost, cost)}

    def _does(self, operation: str) -> Callable[[Json], Json | None]:
        return {
            "order": self._order,
            "tags-add": lambda values: self._tags(values, add=True),
            "tags-remove": lambda values: self._tags(values, add=False),
            "hold": self._hold,
            "release": self._release,
            "cancel": self._cancel,
            "edit-begin": self._edit_begin,
            "edit-set-quantity": self._edit_set,
            "edit-commit": self._edit_commit,
            "webhook-create": self._subscribe,
        }[operation]

    def _throttled(self, cost: float) -> Json | None:
        now = self.clock()
        passed = max((now - self._counted_at).total_seconds(), 0)
        self._points = min(self._points + passed * self.settings.restore_rate, self.settings.bucket)
        self._counted_at = now
        if cost <= self._points:
            self._points -= cost
            return None
        return {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], **self._cost(cost, None)}

    def _cost(self, requested: float, actual: float | None) -> Json:
        status = {
            "maximumAvailable": self.settings.bucket,
            "currentlyAvailable": int(self._points),
            "restoreRate": self.settings.restore_rate,
        }
        cost = {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}
        return {"extensions": {"cost": cost}}

    def _order(self, values: Json) -> Json | None:
        order = self._by_gid(values.get("id"))
        return None if order is None else graphql(order)

    def _tags(self, values: Json, *, add: bool) -> Json:
        order = self._by_gid(values.get("id"))
        if order is None:
            return {"node": None, "userErrors": [_error("id", "Order does not exist")]}
        for tag in values.get("tags", []):
            held = next((each for each in order.tags if each.casefold() == str(tag).casefold()), None)
            if add and held is None:
                order.tags.append(str(tag))
                self._changed(order, f"tag {tag} added")
            elif not add and held is not None:
                order.tags.remove(held)
                self._changed(order, f"tag {tag} removed")
        return {"node": {"id": order.gid}, "userErrors": []}

    def _hold(self, values: Json) -> Json:
        order = self._by_fulfilment_order(values.get("id"))
        wanted = values.get("h", {})
        nothing = {"fulfillmentHold": None, "fulfillmentOrder": None, "remainingFulfillmentOrder": None}
        if order is None:
            return {**nothing, "userErrors": [_coded("FULFILLMENT_ORDER_NOT_FOUND", "id", "Not found")]}
        ours = [hold for hold in order.holds if hold.by_us]
        if any(hold.handle == wanted.get("handle") for hold in ours):
            said = _coded("DUPLICATE_FULFILLMENT_HOLD_HANDLE", "fulfillmentHold.handle", "Handle is in use")
            return {**nothing, "userErrors": [said]}
        if len(ours) >= _MOST_HOLDS:
            said = _coded("FULFILLMENT_ORDER_HOLD_LIMIT_REACHED", "id", "Too many holds")
            return {**nothing, "userErrors": [said]}
        hold = Hold(self.next_number(), str(wanted.get("handle", "")), str(wanted.get("reason")), by_us=True)
        order.holds.append(hold)
        self._changed(order, f"hold {hold.handle} set")
        shown = {"id": hold.gid, "handle": hold.handle, "reason": hold.reason}
        state = {"id": order.fulfilment_order, "status": order.status}
        return {**nothing, "fulfillmentHold": shown, "fulfillmentOrder": state, "userErrors": []}

    def _release(self, values: Json) -> Json:
        order = self._by_fulfilment_order(values.get("id"))
        if order is None:
            said = _coded("FULFILLMENT_ORDER_NOT_FOUND", "id", "Not found")
            return {"fulfillmentOrder": None, "userErrors": [said]}
        named = values.get("holdIds")
        # As the live one: without ids the holds of all apps go.
        going = [hold for hold in order.holds if not named or hold.gid in named]
        if not going:
            said = _coded("INVALID", "holdIds", "The fulfillment order is not on hold")
            return {"fulfillmentOrder": None, "userErrors": [said]}
        for hold in going:
            order.holds.remove(hold)
            self._changed(order, f"hold {hold.handle} released")
        return {"fulfillmentOrder": {"id": order.fulfilment_order, "status": order.status}, "userErrors": []}

    def _cancel(self, values: Json) -> Json:
        order = self._by_gid(values.get("orderId"))
        said = None
        if order is None:
            said = _coded("NOT_FOUND", "orderId", "Order not found")
        elif order.cancelled_at is not None:
            said = _coded("INVALID", "orderId", "Order has already been cancelled")
        elif any(line.unfulfilled < line.current for line in order.lines):
            said = _coded("INVALID", "orderId", "Cannot cancel an order that has fulfilled items")
        if order is None or said is not None:
            return {"job": None, "orderCancelUserErrors": [said]}
        due = self.clock() + timedelta(seconds=self.settings.cancel_seconds)
        self._later.append((due, lambda: self._cancelled(order)))
        self.run_due()
        job = {"id": f"gid://shopify/Job/{self.next_number()}", "done": False}
        return {"job": job, "orderCancelUserErrors": []}

    def _cancelled(self, order: Order) -> None:
        if order.cancelled_at is None:
            order.cancelled_at = self.clock()
            for line in order.lines:
                line.current = line.unfulfilled = 0
            self._changed(order, "cancelled", ("orders/cancelled", "orders/updated"))

    def _edit_begin(self, values: Json) -> Json:
        order = self._by_gid(values.get("id"))
        if order is None or order.cancelled_at is not None:
            said = "Order does not exist" if order is None else "The order cannot be edited"
            return {"calculatedOrder": None, "userErrors": [_error("id", said)]}
        number = self.next_number()
        found = f"gid://shopify/CalculatedOrder/{number}"
        lines = {f"gid://shopify/CalculatedLineItem/{number}{place}": line for place, line in enumerate(order.lines)}
        self._edits[found] = _Edit(order, {calculated: line.current for calculated, line in lines.items()})
        nodes = [
            {
                "id": calculated,
                "quantity": line.current,
                "variant": {"id": f"gid://shopify/ProductVariant/{line.number}", "sku": line.sku},
            }
            for calculated, line in lines.items()
        ]
        return {"calculatedOrder": {"id": found, "lineItems": {"nodes": nodes}}, "userErrors": []}

    def _edit_set(self, values: Json) -> Json:
        edit, line, quantity = self._edits.get(str(values.get("id"))), str(values.get("lineItemId")), values["quantity"]
        if edit is None or line not in edit.quantities:
            return {"calculatedLineItem": None, "userErrors": [_error("lineItemId", "Line item does not exist")]}
        held = edit.order.lines[list(edit.quantities).index(line)]
        if quantity < held.current - held.unfulfilled:
            said = _error("quantity", "Cannot remove fulfilled items")
            return {"calculatedLineItem": None, "userErrors": [said]}
        edit.quantities[line] = quantity
        return {"calculatedLineItem": {"id": line, "quantity": quantity}, "userErrors": []}

    def _edit_commit(self, values: Json) -> Json:
        edit = self._edits.get(str(values.get("id")))
        if edit is None or edit.committed:
            return {"order": None, "userErrors": [_error("id", "The calculated order does not exist")]}
        edit.committed = True
        for line, quantity in zip(edit.order.lines, edit.quantities.values(), strict=True):
            if quantity != line.current:
                self._changed(edit.order, f"{line.sku} set from {line.current} to {quantity}", ())
                line.unfulfilled += quantity - line.current
                line.current = quantity
        self._tell(edit.order, ("orders/updated",))
        return {"order": {"id": edit.order.gid, "tags": sorted(edit.order.tags)}, "userErrors": []}

    def _subscribe(self, values: Json) -> Json:
        found = f"gid://shopify/WebhookSubscription/{self.next_number()}"
        told = {"id": found, "topic": values.get("topic"), "uri": values.get("w", {}).get("uri")}
        return {"webhookSubscription": told, "userErrors": []}

    # ── webhooks ────────────────────────────────────────────────────────────────────

    @override
    def headers_of(self, webhook: Webhook) -> dict[str, str]:
        digest = hmac.new(self.settings.webhook_secret.encode(), webhook.body, hashlib.sha256).digest()
        return {
            **self.webhook_headers(),
            "X-Shopify-Topic": str(webhook.about["topic"]),
            "X-Shopify-Hmac-SHA256": base64.b64encode(digest).decode(),
            "X-Shopify-Shop-Domain": self.settings.shop,
            "X-Shopify-API-Version": self.settings.versions[-1],
            "X-Shopify-Webhook-Id": str(webhook.about["webhook_id"]),
            "X-Shopify-Event-Id": str(webhook.about["event_id"]),
        }

    @override
    def webhook_answered(self, webhook: Webhook, status: int | None) -> None:
        super().webhook_answered(webhook, 200 if status is not None and 200 <= status <= 299 else status)  # noqa: PLR2004 - any success

    def _tell(self, order: Order, topics: Iterable[str]) -> None:
        event, body = f"event-{self.next_number()}", rest(order)
        for topic in topics:
            if topic in self.settings.topics:
                named = {"topic": topic, "webhook_id": f"webhook-{self.next_number()}", "event_id": event}
                self.owe({"order": order.number, **named}, lambda: body)

    # ── what a demo or a test does ──────────────────────────────────────────────────

    def place(
        self,
        *,
        lines: Sequence[Mapping[str, Any]] = ({"sku": "SBX-KURTA-L"},),
        tags: Sequence[str] = (),
        attributes: Mapping[str, str] | None = None,
        name: str = "",
    ) -> Order:
        """Somebody places an order, a replacement order for one; each line has a SKU and a quantity."""
        with self._lock:
            number = 5_600_000_000_000 + self.next_number()
            made = [
                Line(self.next_number(), str(line["sku"]), count, count, count)
                for line in lines
                for count in (int(line.get("quantity", 1)),)
            ]
            named = name or f"#X{number % 10_000}"
            order = Order(number, named, [str(tag) for tag in tags], dict(attributes or {}), made, self._now())
            self._orders[number] = order
            self._tell(order, ("orders/create",))
        self.on_change()
        return order

    def ship(self, number: str | int, sku: str | None = None) -> None:
        """The warehouse ships the lines of a SKU, or all."""
        self._merchant(number, lambda order: _ship(order, sku))

    def tag(self, number: str | int, tags: Sequence[str]) -> None:
        """The merchant, or another app, sets all tags of an order."""
        self._merchant(number, lambda order: order.tags.__setitem__(slice(None), tags))

    def hold(self, number: str | int, handle: str, *, by_us: bool = True) -> None:
        """An app holds an order: the one that calls, or another."""
        hold = Hold(self.next_number(), handle, "AWAITING_RETURN_ITEMS" if by_us else "OTHER", by_us)
        self._merchant(number, lambda order: order.holds.append(hold))

    def cancel(self, number: str | int) -> None:
        """The merchant cancels an order."""
        with self._lock:
            self._cancelled(self.order(number))
        self.on_change()

    def order(self, number: str | int) -> Order:
        """An order by its number."""
        with self._lock:
            self.run_due()
            found = self._orders.get(int(number)) if str(number).isdigit() else None
            if found is None:
                raise UnknownThingError(f"{number}: no such order")
            return found

    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        with self._lock:
            self.run_due()
            return list(self._orders.values())

    @override
    def state(self) -> Json:
        with self._lock:
            return {"orders": len(self._orders), **super().state()}

    # ── inside ──────────────────────────────────────────────────────────────────────

    def _merchant(self, number: str | int, change: Callable[[Order], object]) -> None:
        with self._lock:
            order = self.order(number)
            change(order)
            order.updated_at = self._now()
            self._tell(order, ("orders/updated",))
        self.on_change()

    def _changed(self, order: Order, what: str, topics: Iterable[str] = ("orders/updated",)) -> None:
        order.history.append(what)
        order.updated_at = self._now()
        self._tell(order, topics)

    def _now(self) -> datetime:
        return self.clock().replace(microsecond=0)

    def _by_gid(self, gid: object) -> Order | None:
        return next((order for order in self._orders.values() if order.gid == gid), None)

    def _by_fulfilment_order(self, gid: object) -> Order | None:
        return next((order for order in self._orders.values() if order.fulfilment_order == gid), None)


def _ship(order: Order, sku: str | None) -> None:
    for line in order.lines:
        if sku in {None, line.sku}:
            line.unfulfilled = 0


def _error(name: str, message: str) -> Json:
    return {"field": name.split("."), "message": message}


def _coded(code: str, name: str, message: str) -> Json:
    return {"code": code, **_error(name, message)}
