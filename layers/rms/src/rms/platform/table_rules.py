"""The rules of the Table port that every implementation keeps, so that none is laxer than DynamoDB. No I/O here.

A breach is a ValueError: the request can never succeed, whatever the table holds. What needs the whole row to be
known (its 400 KB, adding to text) is left to the implementation, which raises ValueError too.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import crc32
from collections.abc import Sequence
from typing import Final, assert_never

from rms.platform.table import Check, Delete, Expect, Key, Put, Update, Write

MAX_WRITES: Final = 100
MAX_KEYS: Final = 100
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 10**38 - 1
MAX_ROW_BYTES: Final = 400 * 1024
MAX_PK_BYTES: Final = 2048
MAX_SK_BYTES: Final = 1024

KEY_ATTRIBUTES: Final = frozenset({"PK", "SK"})


def check_key(key: Key) -> None:
    """Refuse a key that no row can have.

    Raises:
        ValueError: empty, too long, or not text that UTF-8 can carry.
    """
    if not 0 < len(key.pk.encode()) <= MAX_PK_BYTES or not 0 < len(key.sk.encode()) <= MAX_SK_BYTES:
        raise ValueError(f"a key is 1 to {MAX_PK_BYTES} bytes of PK and 1 to {MAX_SK_BYTES} bytes of SK")


def check_keys(keys: Sequence[Key]) -> None:
    """Refuse more keys than one read takes.

    Raises:
        ValueError: too many, or one of them is no key.
    """
    if len(keys) > MAX_KEYS:
        raise ValueError(f"at most {MAX_KEYS} keys in one read, not {len(keys)}")
    for key in keys:
        check_key(key)


def check_limit(limit: int) -> None:
    """Refuse a page without rows.

    Raises:
        ValueError: less than one row asked for.
    """
    if limit < 1:
        raise ValueError(f"a page has at least 1 row, not {limit}")


def check_write(write: Write) -> None:
    """Refuse a write that names no condition, changes a key, or changes nothing.

    Raises:
        ValueError: saying which.
    """
    check_key(write.key)
    _check_expect(write.expect)
    match write:
        case Put():
            if not KEY_ATTRIBUTES.isdisjoint(write.item):
                raise ValueError("a put's item holds no PK or SK: its key does")
        case Update():
            named = [*write.set, *write.set_if_absent, *write.add, *write.remove]
            if not named:
                raise ValueError("an update that changes nothing is a Check")
            if len(set(named)) < len(named):
                raise ValueError("an update names each attribute once")
            if not KEY_ATTRIBUTES.isdisjoint(named):
                raise ValueError("an update cannot change PK or SK")
        case Delete() | Check():
            pass
        case _:
            assert_never(write)


def check_transaction(writes: Sequence[Write]) -> None:
    """Refuse a transaction that DynamoDB would refuse whatever the rows are.

    Raises:
        ValueError: none or more than 100 writes, two on one row, or one that `check_write` refuses.
    """
    if not 0 < len(writes) <= MAX_WRITES:
        raise ValueError(f"a transaction has 1 to {MAX_WRITES} writes, not {len(writes)}")
    if len({write.key for write in writes}) < len(writes):
        raise ValueError("the writes of a transaction are on distinct rows")
    for write in writes:
        check_write(write)


def page_token(query: Sequence[str], position: Sequence[str]) -> str:
    """Opaque, URL-safe text for "continue after this row".

    It says a position inside one query and nothing about which partition that is, so whoever changes it reaches
    no other tenant's rows. The checksum covers the query as well: a token used with another one is refused.

    Args:
        query: what names the query (kind, partition, prefix, direction).
        position: the last row's key, without the partition.
    """
    # A code of 255 characters of any script fits a query parameter that way, escaped it would not.
    body = json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(_checksum(query, body) + body).decode().rstrip("=")


def position_of(token: str, query: Sequence[str], parts: int) -> Sequence[str]:
    """The position, of so many parts, that `page_token` wrote for the same query.

    Raises:
        ValueError: not such a token.
    """
    position = parts_of(token, query, parts)
    try:
        for part in position:
            check_key(Key(part, part))
    except ValueError as error:
        raise ValueError("not a page token") from error
    return position


def parts_of(token: str, query: Sequence[str], parts: int) -> Sequence[str]:
    """As `position_of`, for a place whose parts are no keys, such as one in a list of several queries.

    Raises:
        ValueError: not such a token.
    """
    try:
        position: object = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4))[4:])
        # Base64 decoders skip what they do not know; only the text that we would write ourselves is one of ours.
        if (
            isinstance(position, list)
            and len(position) == parts
            and all(isinstance(part, str) for part in position)
            and page_token(query, position) == token
        ):
            return position
    except (ValueError, RecursionError, AttributeError) as error:
        raise ValueError("not a page token") from error
    raise ValueError("not a page token")


def _checksum(query: Sequence[str], body: bytes) -> bytes:
    return crc32(json.dumps(query).encode() + body).to_bytes(4)


def _check_expect(expect: Expect) -> None:
    if not expect:
        raise ValueError("every write has a condition")
