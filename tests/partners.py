"""Aggregators besides Clickpost for a `World`: each simulated partner, its account, and where its webhooks go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rms.clients import administration, credentials, stores
from sandbox.generic import GenericEngine
from sandbox.generic import Settings as GenericSettings
from sandbox.partner import PartnerEngine
from sandbox.shiprocket import Settings as ShiprocketSettings
from sandbox.shiprocket import ShiprocketEngine
from sandbox.shipway import Settings as ShipwaySettings
from sandbox.shipway import ShipwayEngine
from sandbox.shopify import Settings as ShopifySettings
from sandbox.shopify import ShopifyEngine
from tests.world import CLIENT, Partner, Shop, World

SHIPROCKET_KEY: Final = "token-typed-into-the-panel"
SHIPWAY_KEY: Final = "last-part-of-the-webhook-url"
SANDBOX: Final = "SANDBOX"
"""The name of the generic aggregator."""

EXCHANGES: Final[Mapping[str, str]] = {"edits_orders": "on", "exchange_tag": "Exchange", "hold_tag": "Hold-QC"}
"""What a client says who has RMS release and cancel replacement orders."""

WITHOUT_QC: Final[Mapping[str, str]] = {f"orderItems[{place}].enableDoorStepQc": "false" for place in (0, 1)}
"""What makes the usual return one that every aggregator can book: not all of them check at the door."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one aggregator is set up in a world. Its account books, because its alias comes before `main`."""

    engine: Callable[[World], PartnerEngine[Any]]
    account: administration.NewAccount
    function: str
    path: str
    key_in_path: str | None = None


def onboard(world: World, name: str, **settings: Any) -> Partner:
    """Set an aggregator up in a world; every setting of its simulation may be given."""
    kind = KINDS[name]
    engine = kind.engine(world)
    host = f"{name.lower()}.test"
    engine.change({"webhook_url": f"https://rms.test{kind.path}", "label_base": f"https://{host}/labels", **settings})
    if isinstance(engine, GenericEngine):
        issued = credentials.issue_credential(world.core, CLIENT, "sandbox", [credentials.AGGREGATOR])
        engine.change(
            {"auth_username": issued.username, "auth_password": issued.password, "auth_domain": issued.domain}
        )
    administration.put_account(world.core, CLIENT, kind.account)
    partner = Partner(name, engine, kind.function, kind.path, kind.key_in_path)
    world.join(host, partner)
    return partner


def open_shop(world: World, settings: Mapping[str, str] = EXCHANGES, **simulated: Any) -> Shop:
    """A Shopify store `web` of the client's, whose replacement orders RMS edits unless told otherwise."""
    engine = ShopifyEngine(ShopifySettings(), clock=world.clock)
    engine.change({"webhook_url": f"https://rms.test/rms/in/api/shopify/notify/{CLIENT}/web", **simulated})
    shop = Shop(engine, "web")
    world.open_shop("shop.test", shop)
    stores.put_store(world.core, CLIENT, a_store(settings=settings))
    return shop


def a_store(**changes: Any) -> stores.NewStore:
    """The store `web` at the simulated Shopify."""
    facts: dict[str, Any] = {
        "alias": "web",
        "options": {"shop": "sandbox-looms.myshopify.com", "base_url": "https://shop.test"},
        "settings": EXCHANGES,
        "secrets": {"access_token": "sandbox-shop-token", "webhook_secret": "sandbox-client-secret"},
    }
    return stores.NewStore(**(facts | changes))


def _account(alias: str, name: str, secrets: Mapping[str, str], options: Mapping[str, str], key: str | None) -> Any:
    return administration.NewAccount(alias, name, secrets, options, webhook_key=key)


KINDS: Final[Mapping[str, Kind]] = {
    "SHIPROCKET": Kind(
        engine=lambda world: ShiprocketEngine(ShiprocketSettings(webhook_token=SHIPROCKET_KEY), clock=world.clock),
        account=_account(
            "a-st",
            "SHIPROCKET",
            {"password": "sandbox-password"},
            {
                "email": "api@sandbox.example",
                "pickup_location": "Primary",
                "base_url": "https://shiprocket.test/v1/external",
            },
            SHIPROCKET_KEY,
        ),
        function="shiprocket_webhook",
        path="/rms/in/api/st/notify",
    ),
    "SHIPWAY": Kind(
        engine=lambda world: ShipwayEngine(ShipwaySettings(), clock=world.clock),
        account=_account(
            "a-sw",
            "SHIPWAY",
            {"licence_key": "sandbox-licence-key"},
            {
                "email": "sandbox@shipway.example",
                "carrier_id": "3400",
                "warehouse_id": "60417",
                "returns": "on",
                "base_url": "https://shipway.test/api",
            },
            SHIPWAY_KEY,
        ),
        function="shipway_webhook",
        path="/rms/in/api/shipway/notify/{secret}",
        key_in_path=SHIPWAY_KEY,
    ),
    SANDBOX: Kind(
        engine=lambda world: GenericEngine(GenericSettings(), clock=world.clock),
        account=_account(
            "a-sandbox",
            SANDBOX,
            {"X-Api-Key": "sandbox-generic-key"},
            {
                "generate_return_awb_url": "https://sandbox.test/api/generate",
                "get_return_awb_url": "https://sandbox.test/api/shipments",
                "generate_shipping_label_url": "https://sandbox.test/api/generate",
                "get_shipping_label_url": "https://sandbox.test/api/shipments",
                "get_couriers_url": "https://sandbox.test/api/couriers",
                "answers_repeats": "yes",
            },
            None,
        ),
        function="push_notification",
        path="/rms-magic/notification/push",
    ),
}
"""Every aggregator besides Clickpost, by name."""
