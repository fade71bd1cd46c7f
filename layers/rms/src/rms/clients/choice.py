"""Which of a client's aggregator accounts books a parcel, and which others may when that one cannot. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from rms.aggregators.contract import Direction, direction_of
from rms.clients.configuration import AccountRule, Configuration, ConfiguredAccount
from rms.model.forward_shipment import ForwardShipment
from rms.model.return_order import ReturnOrder


@dataclass(frozen=True, slots=True)
class Lane:
    """What rules go by. None and () where a request says nothing of it.

    `pin` is the shopper's pin code: where a return is collected, where a forward parcel goes. `cash_on_delivery` is how
    the order was to be paid, of a return the order that went out. `categories` are those of what is in the parcel.
    """

    pin: str | None = None
    cash_on_delivery: bool | None = None
    categories: tuple[str, ...] = ()


def lane_of(order: ReturnOrder | ForwardShipment) -> Lane:
    """What rules go by in an order."""
    if isinstance(order, ForwardShipment):
        return Lane(order.drop.zip, order.cash_on_delivery, _named(item.category for item in order.items))
    return Lane(
        pin=order.pickup.zip if order.pickup else None,
        cash_on_delivery=order.forward.is_cod if order.forward else None,
        categories=_named(item.category for item in order.items),
    )


def accounts_for_order(
    configuration: Configuration, order: ReturnOrder | ForwardShipment
) -> tuple[ConfiguredAccount, ...]:
    """The accounts for an order, see `accounts_for`."""
    return accounts_for(configuration, order.account_alias, direction_of(order), lane_of(order))


def accounts_for(
    configuration: Configuration, alias: str | None, direction: Direction, lane: Lane
) -> tuple[ConfiguredAccount, ...]:
    """The accounts that may book a parcel: the first does, each other when those before it cannot serve the lane.

    An alias names one, which has no substitute. Else the first rule that fits, else the client's default list, else the
    first account by alias. Accounts that do not book in this direction count as not there; empty when none is left.
    """
    usable = usable_accounts(configuration, direction)
    if alias is not None:
        return tuple(account for account in usable if account.alias == alias)
    return listed_accounts(configuration, direction, lane) or usable[:1]


def listed_accounts(configuration: Configuration, direction: Direction, lane: Lane) -> tuple[ConfiguredAccount, ...]:
    """The accounts that the client's rules, or else its default list, name for a parcel; empty when they name none."""
    usable = {account.alias: account for account in usable_accounts(configuration, direction)}
    lists = [rule.accounts for rule in configuration.account_rules if _fits(rule, direction, lane)]
    for aliases in (*lists, configuration.default_accounts):
        # A list whose accounts are all gone says nothing, so that the next one does.
        if accounts := tuple(usable[each] for each in aliases if each in usable):
            return accounts
    return ()


def usable_accounts(configuration: Configuration, direction: Direction) -> tuple[ConfiguredAccount, ...]:
    """The accounts that book parcels of this direction, by alias."""
    accounts = (configuration.accounts[alias] for alias in sorted(configuration.accounts))
    if direction is Direction.RETURN:
        return tuple(account for account in accounts if account.books_returns)
    return tuple(account for account in accounts if account.ships_forward)


def _fits(rule: AccountRule, direction: Direction, lane: Lane) -> bool:
    """Whether a parcel is all that a rule asks for; what nobody knows of it, it is not."""
    paid = None if lane.cash_on_delivery is None else "COD" if lane.cash_on_delivery else "PREPAID"
    wanted = {_plain(category) for category in rule.categories}
    return (
        rule.direction in {None, direction}
        and rule.payment in {None, paid}
        and (not rule.pins or any(_begins(lane.pin, pin) for pin in rule.pins))
        and (not wanted or not wanted.isdisjoint(map(_plain, lane.categories)))
    )


def _begins(pin: str | None, pattern: str) -> bool:
    found, wanted = _plain(pin or ""), _plain(pattern)
    return found.startswith(wanted[:-1]) if wanted.endswith("*") else found == wanted


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _named(categories: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(category for category in categories if category))
