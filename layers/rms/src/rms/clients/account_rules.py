"""Which of a client's accounts books what, as operators say it; who then books a parcel is in `rms.clients.choice`."""

from collections.abc import Mapping, Sequence

from rms.clients.configuration import RULES, AccountRule, ConfiguredAccount, configuration_of
from rms.clients.records import client_key, unchanged, version_of, write_record
from rms.core import Core
from rms.journal.keys import client_pk
from rms.platform.errors import BadDataError
from rms.platform.table import EXISTING, Check, Key, Put, Value


def put_account_rules(core: Core, client: str, rules: Sequence[AccountRule], default_accounts: Sequence[str]) -> None:
    """Say which accounts book what, in place of all that was said before.

    Raises:
        NotFoundError: no such client.
        BadDataError: a list names an account that is not there or does not book in its direction, or one twice.
        ConflictError: somebody changed the rules meanwhile.
    """
    core.memory.forget(f"configuration:{client}")
    accounts = configuration_of(core, client).accounts
    lists = {f"rules[{place}].accounts": (rule.accounts, rule.direction) for place, rule in enumerate(rules)}
    problems = [
        f"{name}{problem}"
        for name, (aliases, direction) in {**lists, "defaultAccounts": (tuple(default_accounts), None)}.items()
        for problem in _list_problems(accounts, aliases, direction)
    ]
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
    key = Key(client_pk(client), RULES)
    before = core.table.get(key)
    item: dict[str, Value] = {
        "rules": [_stored_rule(rule) for rule in rules],
        "default_accounts": list(default_accounts),
        "version": version_of(before) + 1,
        "fence": core.fences(),
    }
    write_record(core, client, [Put(key, item, unchanged(before)), Check(client_key(client), EXISTING)])


def described_rules(rules: Sequence[AccountRule], default_accounts: Sequence[str]) -> dict[str, object]:
    """Which accounts book what, as the API says it."""
    named = {"direction": "direction", "pins": "pinCodes", "payment": "paymentType", "categories": "categories"}
    return {
        "accountRules": [
            {
                "when": {outside: stored[name] for name, outside in named.items() if name in stored},
                "accounts": stored["accounts"],
            }
            for stored in map(_stored_rule, rules)
        ],
        "defaultAccounts": list(default_accounts),
    }


def _list_problems(
    accounts: Mapping[str, ConfiguredAccount], aliases: Sequence[str], direction: str | None
) -> list[str]:
    problems = []
    for place, alias in enumerate(aliases):
        account = accounts.get(alias)
        if account is None:
            problems.append(f"[{place}]: is no account of this client")
        elif alias in aliases[:place]:
            problems.append(f"[{place}]: stands in this list before")
        elif direction == "RETURN" and not account.books_returns:
            problems.append(f"[{place}]: does not book returns")
        elif direction == "FORWARD" and not account.ships_forward:
            problems.append(f"[{place}]: does not ship forward")
    return problems


def _stored_rule(rule: AccountRule) -> dict[str, Value]:
    given = {
        "accounts": list(rule.accounts),
        "direction": rule.direction,
        "pins": list(rule.pins),
        "payment": rule.payment,
        "categories": list(rule.categories),
    }
    return {name: value for name, value in given.items() if value}
