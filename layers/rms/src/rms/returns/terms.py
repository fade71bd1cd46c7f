"""What a client's aggregator accounts ask of a request that creates a return."""

from collections.abc import Callable, Sequence

from rms.aggregators import registry
from rms.aggregators.contract import Direction
from rms.clients.choice import Lane, accounts_for, listed_accounts, usable_accounts
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.platform.problems import WeightUnit
from rms.returns.rules import AccountProblem, BookingTerms


def terms_of(core: Core, client: str) -> tuple[Callable[[Lane], BookingTerms | None], WeightUnit]:
    """The terms of the accounts that may book a return, None when there is none; and the client's weight unit."""
    configuration = configuration_of(core, client)

    def terms(lane: Lane) -> BookingTerms | None:
        accounts = accounts_for(configuration, None, Direction.RETURN, lane)
        return terms_for(configuration, accounts) if accounts else None

    return terms, configuration.weight_unit


def terms_of_alias(core: Core, client: str) -> Callable[[str | None, Lane], BookingTerms | AccountProblem]:
    """The terms of the account that a request names, or why it cannot be chosen.

    A request that could be booked with several must name one, unless the client's rules or its default list do.
    """
    configuration = configuration_of(core, client)
    usable = usable_accounts(configuration, Direction.RETURN)
    choice = ", ".join(account.alias for account in usable)

    def terms(alias: str | None, lane: Lane) -> BookingTerms | AccountProblem:
        if not usable:
            return AccountProblem("no aggregator account is set up to book returns")
        if alias is None and len(usable) > 1 and not listed_accounts(configuration, Direction.RETURN, lane):
            return AccountProblem(f"may not be null: must be one of {choice}")
        accounts = accounts_for(configuration, alias, Direction.RETURN, lane)
        return terms_for(configuration, accounts) if accounts else AccountProblem(f"must be one of {choice}")

    return terms


def terms_for(configuration: Configuration, accounts: Sequence[ConfiguredAccount]) -> BookingTerms:
    """What any of them asks for: a return that one of them cannot book is booked with another as it is."""
    fields = (field for account in accounts for field in account.required_fields)
    return BookingTerms(
        demands_client_fields=any(registry.aggregator_of(each.aggregator).demands_client_fields for each in accounts),
        required_fields=tuple(dict.fromkeys(fields)),
        weight_unit=configuration.weight_unit,
    )
