"""What a client says of its exchanges. Source: flows, section 6; Shopify guide, section 1.

| setting           | what                                                                                         |
| ----------------- | -------------------------------------------------------------------------------------------- |
| `edits_orders`    | `on`: RMS edits the replacement order; `off`, unless given: Clickpost or the merchant does   |
| `exchange_tag`    | custom tag 1, on every replacement order: one without it is never touched                    |
| `hold_tag`        | custom tag 2, which keeps the order from being shipped                                       |
| `release_by`      | `remove_hold_tag`, unless given, or `add_release_tag`: what lifts the hold                   |
| `release_tag`     | the tag that is added in the second case                                                     |
| `link_attribute`  | the name of the order's attribute that holds the code of its return                          |
| `items_attribute` | the name of the one that says which items are exchanged for what: `ITEM=SKU; ITEM=SKU`      |
| `cancel_reason`   | Shopify's reason of a cancelled order; `OTHER` unless given                                  |
| `restock`         | `yes`, unless given, or `no`: whether cancelled units go back to the stock                   |
| `other_goods`     | `hold`, unless given: an order that has more units than items are exchanged is not cancelled |
|                   | whole, a person looks at it; `cancel`: it is                                                 |
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from rms.exchanges.linking import ITEMS_ATTRIBUTE, LINK_ATTRIBUTE
from rms.partners.shopify.requests import CANCEL_REASONS, MAX_TAG


class ReleaseBy(StrEnum):
    """What lifts the hold of a replacement order."""

    REMOVE_HOLD_TAG = "remove_hold_tag"
    ADD_RELEASE_TAG = "add_release_tag"


_CHOICES: Final = {
    "edits_orders": ("off", "on"),
    "release_by": tuple(ReleaseBy),
    "cancel_reason": ("OTHER", *(reason for reason in CANCEL_REASONS if reason != "OTHER")),
    "restock": ("yes", "no"),
    "other_goods": ("hold", "cancel"),
}
"""Settings with few values; the first is meant when the setting is not given."""


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """A client's settings, each with its type."""

    edits_orders: bool
    exchange_tag: str
    hold_tag: str
    release_by: ReleaseBy
    release_tag: str
    link_attribute: str
    items_attribute: str
    cancel_reason: str
    restock: bool
    cancels_other_goods: bool

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "ExchangeSettings":
        """The settings that `check_settings` has no objection to."""
        return cls(
            edits_orders=_chosen(given, "edits_orders") == "on",
            exchange_tag=_text(given, "exchange_tag"),
            hold_tag=_text(given, "hold_tag"),
            release_by=ReleaseBy(_chosen(given, "release_by")),
            release_tag=_text(given, "release_tag"),
            link_attribute=_text(given, "link_attribute") or LINK_ATTRIBUTE,
            items_attribute=_text(given, "items_attribute") or ITEMS_ATTRIBUTE,
            cancel_reason=_chosen(given, "cancel_reason"),
            restock=_chosen(given, "restock") == "yes",
            cancels_other_goods=_chosen(given, "other_goods") == "cancel",
        )


def check_settings(given: Mapping[str, str]) -> list[str]:
    """What is wrong with settings, one `field: problem` each; empty when all is well."""
    return list(_problems(given))


def _problems(given: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(given.keys() - {field.name for field in fields(ExchangeSettings)} - _CHOICES.keys()):
        yield f"{name}: is not known here"
    for name, choices in _CHOICES.items():
        if _chosen(given, name) not in choices:
            yield f"{name}: must be one of {', '.join(choices)}"
    adds = _chosen(given, "release_by") == ReleaseBy.ADD_RELEASE_TAG
    must = ("exchange_tag", "hold_tag", *(("release_tag",) if adds else ()))
    tags = {name: _text(given, name) for name in ("exchange_tag", "hold_tag", "release_tag")}
    for name, tag in tags.items():
        if name in must and not tag and _chosen(given, "edits_orders") == "on":
            yield f"{name}: may not be empty where RMS edits the order"
        if "," in tag or len(tag) > MAX_TAG:
            yield f"{name}: must have at most {MAX_TAG} characters and no comma, as Shopify's tags"
    told = [tag.casefold() for tag in tags.values() if tag]
    if len(set(told)) < len(told):
        yield "exchange_tag, hold_tag, release_tag: must differ in more than their case"


def _chosen(given: Mapping[str, str], name: str) -> str:
    return given.get(name) or _CHOICES[name][0]


def _text(given: Mapping[str, str], name: str) -> str:
    return " ".join((given.get(name) or "").split())
