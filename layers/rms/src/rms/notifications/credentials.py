"""Get Credential: an endpoint that answers 401 has its headers fetched anew, by one delivery for all that need them.

Who was refused looks whether the endpoint has other headers by now. If not, it takes a lease and calls the client's
credential API; whoever else was refused meanwhile waits for what that call brings. A call is not repeated for a while,
whatever came of it: headers that are refused although they are new are not made better by fetching them again.
Source: RMS API contract, sections 1.2 and 20.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from rms.clients.configuration import Endpoint, endpoint_from, secret_context
from rms.core import Core
from rms.journal.events import maybe_text
from rms.journal.keys import client_pk, endpoint_pk
from rms.notifications.sinks import webhook
from rms.platform.http import HttpAnswer, NoAnswer
from rms.platform.observability import logger
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import AbsentOr, ConditionFailedError, Equals, Item, Key, LessThan, Update
from rms.platform.times import to_text

LEASE: Final = timedelta(seconds=20)
"""How long whoever calls the credential API has before somebody else does: twice what a call may take."""

NOT_AGAIN_FOR: Final = timedelta(seconds=60)
"""How long the credential API of an endpoint is left alone after a call."""

PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0)
"""Seconds between two looks while another delivery calls: 4.5 in all. After that the 401 stands."""


def fresh_headers(core: Core, client: str, endpoint: Endpoint) -> Endpoint | None:
    """The endpoint with other headers than those that were refused, ready for one more try; None: the 401 stands.

    `endpoint` is as it was used for the refused try. None means that there is no credential API, that it gave nothing
    usable or was called less than a minute ago, or that the endpoint is gone or disabled by now.

    Raises:
        TableUnavailableError, SecretUnavailableError: come back later; the API may have been called.
    """
    if endpoint.credential_url is None:
        return None
    for pause in (*PAUSES, None):
        # In this order: headers that a call has brought are there before the row says that it was made.
        row = _row(core, _lease_key(client, endpoint.id))
        there = _usable(_row(core, _endpoint_key(client, endpoint.id)))
        if there is None or there.sealed_headers != endpoint.sealed_headers:
            return there
        if there.credential_url is None or _called_lately(core, row):
            return None
        fence = core.fences()
        if _leased(core, client, endpoint, row, fence):
            return _fetch(core, client, there, there.credential_url, fence)
        if pause is not None:
            core.pause(pause)
    return None


def _row(core: Core, key: Key) -> Item | None:
    return core.table.get_many([key]).get(key)


def _usable(row: Item | None) -> Endpoint | None:
    """The endpoint in a row, if there is one that may be called."""
    endpoint = endpoint_from(row) if row is not None else None
    return None if endpoint is None or endpoint.disabled else endpoint


def _called_lately(core: Core, row: Item | None) -> bool:
    called_at = maybe_text(row, "called_at") if row is not None else None
    return called_at is not None and called_at >= to_text(core.clock() - NOT_AGAIN_FOR)


def _leased(core: Core, client: str, endpoint: Endpoint, row: Item | None, fence: str) -> bool:
    """Whether the right to call is ours: nobody has it, and no call has been made since we looked."""
    now = core.clock()
    if row is not None and (maybe_text(row, "lease_until") or "") >= to_text(now):
        return False
    expect = {
        "lease_until": AbsentOr(LessThan(to_text(now))),
        "called_at": AbsentOr(LessThan(to_text(now - NOT_AGAIN_FOR))),
    }
    key = _lease_key(client, endpoint.id)
    try:
        core.table.write(Update(key, expect, set={"lease": fence, "lease_until": to_text(now + LEASE)}))
    except ConditionFailedError as failed:
        there = failed.current(0)
        return there is not None and there.get("lease") == fence
    return True


def _fetch(core: Core, client: str, endpoint: Endpoint, url: str, fence: str) -> Endpoint | None:
    """Call the credential API, once, and keep what it gives."""
    answer = core.http.send(webhook.ask_for_headers(url))
    headers = webhook.read_headers(answer)
    if headers is None or len(json.dumps(dict(headers))) > MAX_PLAIN_BYTES:
        logger.warning("credential API gave no headers", endpoint=endpoint.id, reason=_words(answer))
        _note(core, client, endpoint, fence)
        return None
    kept = _keep(core, client, endpoint, headers)
    _note(core, client, endpoint, fence)
    return _usable(kept)


def _keep(core: Core, client: str, endpoint: Endpoint, headers: Mapping[str, str]) -> Item | None:
    """The endpoint's row with these headers, sealed; what an operator has typed in meanwhile comes first."""
    key = _endpoint_key(client, endpoint.id)
    sealed = core.secrets.seal(json.dumps(dict(headers)), secret_context(client, key.sk))
    unchanged = {"sealed_headers": Equals(endpoint.sealed_headers)}
    try:
        row = core.table.write(Update(key, unchanged, set={"sealed_headers": sealed}))
    except ConditionFailedError as failed:
        return failed.current(0)  # others, none at all, or our own after a lost reply
    logger.info("headers fetched", endpoint=endpoint.id)
    return row


def _note(core: Core, client: str, endpoint: Endpoint, fence: str) -> None:
    """Write down that the call was made, and end the lease."""
    try:
        core.table.write(
            Update(
                _lease_key(client, endpoint.id),
                {"lease": Equals(fence)},
                set={"called_at": to_text(core.clock())},
                remove=("lease", "lease_until"),
            )
        )
    except ConditionFailedError:
        # Our own write whose reply was lost, or we were so slow that somebody else took the lease.
        logger.info("lease on headers was gone", endpoint=endpoint.id)


def _words(answer: HttpAnswer | NoAnswer) -> str:
    """What came of the call; nothing of the body."""
    return answer.reason if isinstance(answer, NoAnswer) else f"answered {answer.status}"


def _lease_key(client: str, endpoint: str) -> Key:
    """The row that says who calls the credential API of an endpoint, and when it was called last."""
    return Key(endpoint_pk(client, endpoint), "CREDENTIAL")


def _endpoint_key(client: str, endpoint: str) -> Key:
    return Key(client_pk(client), f"ENDPOINT#{endpoint}")
