"""A client's replacement order at a simulated shop, and walks that may break off anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rms.exchanges import (
    Ask,
    Ended,
    ExchangeItem,
    ExchangeSettings,
    Plan,
    Progress,
    Verdict,
    decide,
    handle_of,
    next_call,
    read,
)
from rms.partners import shopify
from rms.partners.results import Connection
from sandbox.in_process import InProcessHttp
from sandbox.shopify import Settings, ShopifyEngine
from sandbox.shopify.orders import Order

CODE = "KLR-70031"
OWN = handle_of(CODE)
GIVEN = {"edits_orders": "on", "exchange_tag": "Exchange", "hold_tag": "Hold-QC"}
OPTIONS = {"shop": "sandbox-looms.myshopify.com", "base_url": "https://shop.example"}
SECRETS = {"access_token": "sandbox-shop-token", "webhook_secret": "sandbox-client-secret"}
SHOP = shopify.Settings.of(Connection("kaveri-looms", "shop", SECRETS, OPTIONS))
P, F = Verdict.PASS, Verdict.FAIL


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def items(
    *verdicts: Verdict | None, skus: Sequence[str | None] = ("KURTA-L", "STOLE-PLUM", "STOLE-PLUM")
) -> tuple[ExchangeItem, ...]:
    """Items of a return, each exchanged for the unit of this SKU."""
    return tuple(
        ExchangeItem(f"I-{n}", sku, verdict) for n, (verdict, sku) in enumerate(zip(verdicts, skus, strict=False))
    )


@dataclass
class Exchange:
    """A shop with one replacement order: a kurta and two stoles, tagged, held by tag, by RMS and by another app."""

    given: dict[str, str] = field(default_factory=dict)
    shop_settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.settings = ExchangeSettings.of({**GIVEN, **self.given})
        self.shop = ShopifyEngine(Settings().changed(self.shop_settings), clock=self.clock)
        self.http = InProcessHttp({"shop.example": self.shop.handle})
        self.order: Order = self.shop.place(
            lines=[{"sku": "KURTA-L"}, {"sku": "STOLE-PLUM", "quantity": 2}],
            tags=["Exchange", "Hold-QC", "prepaid"],
            attributes={"rms_return_code": CODE},
        )
        self.shop.hold(self.order.number, OWN)
        self.shop.hold(self.order.number, "fraud-check", by_us=False)

    def plan(self, *verdicts: Verdict | None, skus: Sequence[str | None] | None = None) -> Plan:
        of = items(*verdicts) if skus is None else items(*verdicts, skus=skus)
        return Plan(CODE, self.order.gid, decide(of, edits_orders=True), of)

    def next(self, plan: Plan, progress: Progress) -> Ask | Ended:
        return next_call(self.settings, SHOP, plan, progress)

    def step(self, plan: Plan, progress: Progress) -> Progress | Ended:
        """One call and what it brings, or what came of the walk."""
        following = self.next(plan, progress)
        if not isinstance(following, Ask):
            return following
        return read(plan, following, self.http.send(following.request), progress)

    def walk(self, plan: Plan, *, calls: int = 50) -> Ended | None:
        """What came of a walk; None for one whose walker died before call number `calls` + 1."""
        progress = Progress()
        for _ in range(calls):
            brought = self.step(plan, progress)
            if not isinstance(brought, Progress):
                return brought
            progress = brought
        return None

    def settle(self, plan: Plan) -> Ended:
        """What comes of it in the end: each walk that is not certain is followed by another, two minutes later."""
        for _ in range(10):
            self.clock.pass_seconds(120)
            ended = self.walk(plan)
            assert ended is not None
            if type(ended).__name__ in {"Finished", "Held"}:
                return ended
        raise AssertionError(ended)

    def calls(self) -> list[str]:
        return [str(request["operation"]) for request in self.shop.requests()]
