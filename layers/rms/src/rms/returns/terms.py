"""What a client's aggregator accounts ask of a request that creates a return."""

from collections.abc import Callable

from rms.aggregators import registry
from rms.clients.configuration import Configuration, ConfiguredAccount, configuration_of
from rms.core import Core
from rms.platform.problems import WeightUnit
from rms.returns.create import booking_account
from rms.returns.rules import AccountProblem, BookingTerms


def terms_of(core: Core, client: str) -> tuple[BookingTerms | None, WeightUnit]:
    """The terms of the client's default account, None when it has none that books; and the client's weight unit."""
    configuration = configuration_of(core, client)
    if not configuration.booking_accounts:
        return None, configuration.weight_unit
    return _terms(configuration, booking_account(configuration, None)), configuration.weight_unit


def terms_of_alias(core: Core, client: str) -> Callable[[str | None], BookingTerms | AccountProblem]:
    """The terms of the account that a request names, or why it cannot be chosen."""
    configuration = configuration_of(core, client)

    def terms(alias: str | None) -> BookingTerms | AccountProblem:
        accounts = configuration.booking_accounts
        if alias is None and len(accounts) > 1:
            return AccountProblem(f"may not be null: must be one of {', '.join(sorted(accounts))}")
        if not accounts:
            return AccountProblem("no aggregator account is set up to book returns")
        if alias is not None and alias not in accounts:
            return AccountProblem(f"must be one of {', '.join(sorted(accounts))}")
        return _terms(configuration, booking_account(configuration, alias))

    return terms


def _terms(configuration: Configuration, account: ConfiguredAccount) -> BookingTerms:
    return BookingTerms(
        demands_client_fields=registry.aggregator_of(account.aggregator).demands_client_fields,
        required_fields=account.required_fields,
        weight_unit=configuration.weight_unit,
    )
