"""Tokens of aggregators that want a login: one per account, sealed, shared by all, renewed by one caller at a time.

The row stands in the client's partition, so that a token comes along with the configuration and costs no read of its
own. Who finds no token, or has one that is not accepted, takes a lease on the row and logs in; whoever else needs it
meanwhile waits for what that login brings. A refused login is remembered for a while: more of the same would only get
the account locked.
"""

from datetime import timedelta
from typing import Final

from rms.aggregators.contract import Account, Aggregator, RefusalKind, Refused, Token, Unknown
from rms.clients.accounts import BEARER, live_token, token_context, token_key, with_token
from rms.core import Core
from rms.journal.events import maybe_text, text
from rms.platform.observability import logger
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import Absent, AbsentOr, ConditionFailedError, Equals, Item, LessThan, Update, Value
from rms.platform.times import to_text

LEASE: Final = timedelta(seconds=20)
"""How long a login has before somebody else tries; also how long nobody tries after one that got no clear answer."""

REFUSED_FOR: Final = timedelta(minutes=5)
"""How long a refused login is not tried again."""

PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Seconds between two looks at the row while another logs in: 7.5 in all."""

_EARLY: Final = 3600
"""A token is not used in the last of its seconds, nor in the last tenth of its life if that is shorter."""

_LONGEST_LIFE: Final = 366 * 24 * 3600


def token_for(core: Core, aggregator: Aggregator, account: Account) -> Account | Refused | Unknown:
    """The account with another token than it has: one that somebody else got meanwhile, or that of a new login."""
    key = token_key(account.client, account.alias)
    for pause in (*PAUSES, None):
        row = core.table.get(key)
        standing = _standing(core, account, row)
        if standing is not None:
            return standing
        fence = core.fences()
        if _leased(core, account, row, fence):
            return _log_in(core, aggregator, account, fence)
        if pause is not None:
            core.pause(pause)
    return Unknown("a login at the aggregator is under way and has not ended")


def _standing(core: Core, account: Account, row: Item | None) -> Account | Refused | None:
    """What the row already says: a token that is not the one that failed, or a refusal; None when it says nothing."""
    if row is None:
        return None
    now = core.clock()
    if (maybe_text(row, "refused_until") or "") > to_text(now):
        return Refused(RefusalKind(text(row, "refusal_kind")), text(row, "refusal_code"), text(row, "words"))
    token = live_token(row, now)
    if token is None:
        return None
    fresh = core.secrets.unseal(token, token_context(account.client, account.alias))
    if fresh == account.secrets.get(BEARER):
        return None
    core.memory.forget(f"configuration:{account.client}")
    return with_token(account, fresh)


def _leased(core: Core, account: Account, row: Item | None, fence: str) -> bool:
    """Whether the right to log in is ours: nobody has it, and the token is still the one that we saw."""
    now = core.clock()
    if row is not None and (maybe_text(row, "lease_until") or "") >= to_text(now):
        return False
    seen = maybe_text(row, "token_id") if row is not None else None
    try:
        core.table.write(
            Update(
                token_key(account.client, account.alias),
                expect={
                    "lease_until": AbsentOr(LessThan(to_text(now))),
                    "token_id": Absent() if seen is None else Equals(seen),
                },
                set={"lease": fence, "lease_until": to_text(now + LEASE)},
            )
        )
    except ConditionFailedError as failed:
        there = failed.current(0)
        return there is not None and there.get("lease") == fence
    return True


def _log_in(core: Core, aggregator: Aggregator, account: Account, fence: str) -> Account | Refused | Unknown:
    request = aggregator.login(account)
    assert request is not None, "an aggregator without a login has no token to get"
    result = aggregator.read_login(core.http.send(request))
    match result:
        case Token(value) if not 0 < len(value.encode()) <= MAX_PLAIN_BYTES:
            return Unknown("the aggregator gave a token that is none")
        case Token(value, lifetime):
            kept = min(lifetime, _LONGEST_LIFE)
            kept -= min(_EARLY, kept // 10)
            sealed = core.secrets.seal(value, token_context(account.client, account.alias))
            until = to_text(core.clock() + timedelta(seconds=kept))
            _note(core, account, fence, {"sealed_token": sealed, "token_id": fence, "expires_at": until})
            logger.info("logged in at the aggregator", aggregator=account.aggregator, account=account.alias)
            return with_token(account, value)
        case Refused(kind, code, words):
            until = to_text(core.clock() + REFUSED_FOR)
            refusal = {"refusal_kind": kind.value, "refusal_code": code, "words": words}
            _note(core, account, fence, {**refusal, "refused_until": until})
            logger.warning("login refused", aggregator=account.aggregator, account=account.alias, refusal=code)
            return result
        case Unknown():
            # The lease runs out by itself: until then nobody else runs into the same wall.
            return result


def _note(core: Core, account: Account, fence: str, what: dict[str, Value]) -> None:
    """Write down what a login brought, and end the lease. What an account without that lease brought is not kept."""
    gone = {"lease", "lease_until", "refused_until", "refusal_kind", "refusal_code", "words"} - set(what)
    try:
        core.table.write(
            Update(
                token_key(account.client, account.alias),
                expect={"lease": Equals(fence)},
                set=what,
                remove=tuple(sorted(gone)),
            )
        )
    except ConditionFailedError:
        # Our own write whose reply was lost, or we were too slow, or the account was replaced meanwhile: whoever looks
        # again finds out.
        logger.info("lease on a token was gone", aggregator=account.aggregator, account=account.alias)
    finally:
        core.memory.forget(f"configuration:{account.client}")
