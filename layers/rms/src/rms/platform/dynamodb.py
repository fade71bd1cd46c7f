"""The Table port on DynamoDB: values become expressions, error codes become the port's exceptions."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, assert_never
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from rms.platform.aws import open_client
from rms.platform.table import (
    Absent,
    AbsentOr,
    AtMost,
    Check,
    Condition,
    ConditionFailedError,
    Delete,
    Equals,
    Expect,
    Item,
    Key,
    LessThan,
    Page,
    Present,
    Put,
    Refusal,
    TableContendedError,
    TableUnavailableError,
    Update,
    Value,
    Write,
)
from rms.platform.table_rules import (
    MAX_DEPTH,
    MAX_INTEGER,
    check_key,
    check_keys,
    check_limit,
    check_transaction,
    check_write,
    page_token,
    position_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Wire = dict[str, Any]
"""A value in DynamoDB's typed JSON, such as {"S": "text"}, or a request or an answer made of them."""

BUSY_ATTEMPTS: Final = 5
BUSY_BASE_SECONDS: Final = 0.025
"""Full jitter below 25, 50, 100, 200 ms: at most 375 ms are waited before the rows count as contended."""

_CONFLICT_REASONS: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_OUR_FAULT: Final = frozenset({"ValidationException", "SerializationException", "ItemCollectionSizeLimitExceeded"})


def open_table(table_name: str, *, region: str | None = None, endpoint_url: str | None = None) -> "DynamoTable":
    """The table with a client of its own; None means what the environment says."""
    return DynamoTable(open_client("dynamodb", region=region, endpoint_url=endpoint_url), table_name)


class DynamoTable:
    """One DynamoDB table; see `rms.platform.table.Table`.

    Beyond the port:

    - A ValueError means that the request can never succeed (see `rms.platform.table_rules`; a row above 400 KB; adding
      to text). Every other refusal by DynamoDB that is not the port's, such as a missing permission, is a
      TableUnavailableError that names the code.
    - The client retries a lost reply by itself. A transaction carries a token, so its repeat is recognised by DynamoDB;
      a single write has none, so the repeat of a write that did happen may come back as ConditionFailedError. Callers
      recognise their own write by the fence, version or event id that they wrote, in the row that the error carries.
    - Rows held by another transaction are tried again, 5 times in all within about 0.4 s. When the same answer also
      says that conditions failed, the rows that were held are unjudged and the list of refusals incomplete, so it is
      tried again as well; if the rows stay busy, the refusals that are known are raised, for they are certain.
      A transaction that stays in progress under our own token is TableUnavailableError: it may yet happen.

    Args:
        client: a low-level DynamoDB client.
        table_name: name or ARN.
        sleep: waits so many seconds.
        jitter: answers from 0 up to 1.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        *,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._name = table_name
        self._sleep = sleep
        self._jitter = jitter

    def get(self, key: Key) -> Item | None:
        """The row, or None."""
        check_key(key)
        answer = self._send("get_item", {"TableName": self._name, "Key": _wire_key(key), "ConsistentRead": True})
        return row_from(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        """The rows that exist among at most 100 keys, in one call (more only when DynamoDB leaves some unread)."""
        check_keys(keys)
        found: dict[Key, Item] = {}
        unread = [_wire_key(key) for key in dict.fromkeys(keys)]
        for attempt in range(BUSY_ATTEMPTS):
            if not unread:
                return found
            self._back_off(attempt)
            request = {self._name: {"Keys": unread, "ConsistentRead": True}}
            answer = self._send("batch_get_item", {"RequestItems": request})
            # The answer names the table as it pleases (an ARN comes back as a name); there is only one.
            for rows in answer["Responses"].values():
                for row in map(row_from, rows):
                    found[Key(str(row["PK"]), str(row["SK"]))] = row
            unread = [key for rest in answer.get("UnprocessedKeys", {}).values() for key in rest["Keys"]]
        if unread:
            raise TableUnavailableError(f"{len(unread)} of {len(keys)} rows stayed unread")
        return found

    def query(
        self, pk: str, *, prefix: str = "", after: str | None = None, limit: int = 100, backwards: bool = False
    ) -> Page:
        """Rows of one partition whose SK starts with `prefix`, in SK order, at most `limit`."""
        expression = _Expression()
        condition = f"{expression.name('PK')} = {expression.value(pk)}"
        if prefix:
            condition += f" AND begins_with({expression.name('SK')}, {expression.value(prefix)})"
        return self._page(
            {"ConsistentRead": True, "ScanIndexForward": not backwards},
            condition,
            expression,
            _Pages(("query", pk, prefix, str(backwards)), {"PK": pk}, ("SK",), after, limit),
        )

    def query_due(self, shard: str, *, until: str, after: str | None = None, limit: int = 100) -> Page:
        """Rows of index `due` in a shard with `due_at` at most `until`, earliest first."""
        expression = _Expression()
        return self._page(
            {"IndexName": "due"},
            f"{expression.name('due_shard')} = {expression.value(shard)}"
            f" AND {expression.name('due_at')} <= {expression.value(until)}",
            expression,
            _Pages(("due", shard), {"due_shard": shard}, ("due_at", "PK", "SK"), after, limit),
        )

    def query_listing(
        self,
        listing_pk: str,
        *,
        since: str | None = None,
        after: str | None = None,
        limit: int = 50,
        backwards: bool = True,
    ) -> Page:
        """Rows of index `listing`, newest first; with `since` those whose `listing_sk` is at least that."""
        expression = _Expression()
        condition = f"{expression.name('listing_pk')} = {expression.value(listing_pk)}"
        if since:
            condition += f" AND {expression.name('listing_sk')} >= {expression.value(since)}"
        return self._page(
            {"IndexName": "listing", "ScanIndexForward": not backwards},
            condition,
            expression,
            _Pages(
                ("listing", listing_pk, str(backwards), *([since] if since else [])),
                {"listing_pk": listing_pk},
                ("listing_sk", "PK", "SK"),
                after,
                limit,
            ),
        )

    def write(self, write: Put | Update | Delete) -> Item:
        """One conditional write; answers the row as it is afterwards (a deleted row: as it was, or empty)."""
        check_write(write)
        kind, request = _write_request(write, self._name)
        match write:
            case Put():
                self._send_when_free(lambda: ("put_item", request))
                return row_from(request["Item"])
            case Update() | Delete():
                request["ReturnValues"] = "ALL_NEW" if isinstance(write, Update) else "ALL_OLD"
                operation = f"{kind.lower()}_item"
                return row_from(self._send_when_free(lambda: (operation, request)).get("Attributes", {}))
            case _:
                assert_never(write)

    def transact(self, writes: Sequence[Write]) -> None:
        """All of at most 100 writes on distinct rows, or none. One write alone goes as the single operation."""
        check_transaction(writes)
        if len(writes) == 1 and not isinstance(writes[0], Check):
            self.write(writes[0])
            return
        items = [{kind: request} for kind, request in (_write_request(write, self._name) for write in writes)]
        # A fresh token for each of our own attempts: the one before was cancelled for certain, and DynamoDB does not
        # promise to judge a cancelled token anew. The client's repeats after a lost reply share one.
        self._send_when_free(
            lambda: ("transact_write_items", {"TransactItems": items, "ClientRequestToken": str(uuid4())})
        )

    def _page(self, request: Wire, condition: str, expression: "_Expression", pages: "_Pages") -> Page:
        check_limit(pages.limit)
        if start := pages.start():
            request["ExclusiveStartKey"] = start
        request |= {
            "TableName": self._name,
            "KeyConditionExpression": condition,
            # One row more than asked for tells whether there is a next page; DynamoDB's own marker says "perhaps"
            # whenever a limit was reached.
            "Limit": pages.limit + 1,
        }
        try:
            answer = self._send("query", request | expression.parameters())
        except ValueError as error:
            if pages.after is None:
                raise
            raise ValueError("not a page token") from error  # well formed, but no position in this query
        rows = [row_from(row) for row in answer["Items"]]
        more = len(rows) > pages.limit or "LastEvaluatedKey" in answer
        return pages.page(rows[: pages.limit], more=more)

    def _send_when_free(self, attempt: Callable[[], tuple[str, Wire]]) -> Wire:
        """Send, again and again while other transactions hold the rows."""
        busy = _BusyError(TableContendedError("never tried"))
        for attempt_number in range(BUSY_ATTEMPTS):
            self._back_off(attempt_number)
            try:
                return self._send(*attempt())
            except _BusyError as error:
                busy = error
        raise busy.final from busy

    def _back_off(self, attempt: int) -> None:
        """Nothing before the first attempt, then full jitter below a doubling ceiling."""
        if attempt:
            self._sleep(BUSY_BASE_SECONDS * 2 ** (attempt - 1) * self._jitter())

    def _send(self, operation: str, request: Wire) -> Wire:
        try:
            answer: Wire = getattr(self._client, operation)(**request)
        except ClientError as error:
            raise _fault(error) from error
        except BotoCoreError as error:
            raise TableUnavailableError(f"{operation}: {type(error).__name__}") from error
        return answer


# ── errors ──────────────────────────────────────────────────────────────────────────


class _BusyError(Exception):
    """Worth another attempt; `final` is what to raise when there are no more."""

    def __init__(self, final: Exception) -> None:
        super().__init__(str(final))
        self.final = final


def _fault(error: ClientError) -> Exception:
    answer: Mapping[str, Any] = error.response
    code = answer.get("Error", {}).get("Code", "")
    words = answer.get("Error", {}).get("Message", "")
    match code:
        case "ConditionalCheckFailedException":
            return ConditionFailedError([Refusal(0, _row_or_none(answer))])
        case "TransactionCanceledException":
            return _cancelled(answer.get("CancellationReasons", []), words)
        case "TransactionConflictException":
            return _BusyError(TableContendedError(words))
        case "TransactionInProgressException":
            return _BusyError(TableUnavailableError("an earlier attempt of this transaction is still in progress"))
        case _ if code in _OUR_FAULT:
            return ValueError(f"DynamoDB refuses this for good: {words}")
        case _:
            return TableUnavailableError(f"DynamoDB answered {code}: {words}")


def _cancelled(reasons: Sequence[Mapping[str, Any]], words: str) -> Exception:
    codes = [reason.get("Code", "None") for reason in reasons]
    refusals = [
        Refusal(index, _row_or_none(reason))
        for index, (code, reason) in enumerate(zip(codes, reasons, strict=True))
        if code == "ConditionalCheckFailed"
    ]
    failed = ConditionFailedError(refusals)
    if not _CONFLICT_REASONS.isdisjoint(codes):
        return _BusyError(failed if refusals else TableContendedError(words))
    if refusals:
        return failed
    if "ValidationError" in codes or "ItemCollectionSizeLimitExceeded" in codes:
        said = [reason.get("Message") for reason in reasons if reason.get("Message")]
        return ValueError(f"DynamoDB refuses this for good: {said}")
    return TableUnavailableError(words)


def _row_or_none(answer: Mapping[str, Any]) -> Item | None:
    return row_from(answer["Item"]) if answer.get("Item") else None


# ── pages ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Pages:
    """One query's paging: what names it, which partition it reads, and which attributes mark a position in it."""

    query: tuple[str, ...]
    partition: Mapping[str, str]
    position: tuple[str, ...]
    after: str | None
    limit: int

    def start(self) -> Wire | None:
        if self.after is None:
            return None
        position = position_of(self.after, self.query, len(self.position))
        return {
            name: {"S": text}
            for name, text in {**self.partition, **dict(zip(self.position, position, strict=True))}.items()
        }

    def page(self, rows: Sequence[Item], *, more: bool) -> Page:
        if not more or not rows:
            return Page(rows, None)
        return Page(rows, page_token(self.query, [str(rows[-1][name]) for name in self.position]))


# ── expressions ─────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Expression:
    """Placeholders of one request: every name and value goes through one, so nothing needs escaping."""

    names: dict[str, str] = field(default_factory=dict)
    values: Wire = field(default_factory=dict)

    def name(self, name: str) -> str:
        return self.names.setdefault(name, f"#{len(self.names)}")

    def value(self, value: Value) -> str:
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = to_wire(value)
        return placeholder

    def parameters(self) -> Wire:
        parameters: Wire = {"ExpressionAttributeNames": {short: name for name, short in self.names.items()}}
        if self.values:
            parameters["ExpressionAttributeValues"] = self.values
        return parameters


def _write_request(write: Write, table_name: str) -> tuple[str, Wire]:
    """The operation's name inside a transaction, and its parameters, which single operations share."""
    expression = _Expression()
    request: Wire = {
        "TableName": table_name,
        "ConditionExpression": _condition_expression(write.expect, expression),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    match write:
        case Put():
            kind = "Put"
            request["Item"] = attributes_to_wire(write.item) | _wire_key(write.key)
        case Update():
            kind = "Update"
            request["Key"] = _wire_key(write.key)
            request["UpdateExpression"] = _update_expression(write, expression)
        case Delete():
            kind = "Delete"
            request["Key"] = _wire_key(write.key)
        case Check():
            kind = "ConditionCheck"
            request["Key"] = _wire_key(write.key)
        case _:
            assert_never(write)
    return kind, request | expression.parameters()


def _condition_expression(expect: Expect, expression: _Expression) -> str:
    return " AND ".join(_condition_text(expression.name(name), of, expression) for name, of in expect.items())


def _condition_text(name: str, condition: Condition, expression: _Expression) -> str:
    match condition:
        case Absent():
            return f"attribute_not_exists({name})"
        case Present():
            return f"attribute_exists({name})"
        case Equals(value):
            return f"{name} = {expression.value(value)}"
        case AtMost(value):
            return f"{name} <= {expression.value(value)}"
        case LessThan(value):
            return f"{name} < {expression.value(value)}"
        case AbsentOr(inner):
            return f"(attribute_not_exists({name}) OR {_condition_text(name, inner, expression)})"
        case _:
            assert_never(condition)


def _update_expression(update: Update, expression: _Expression) -> str:
    name, value = expression.name, expression.value
    sets = [f"{name(attribute)} = {value(new)}" for attribute, new in update.set.items()]
    sets += [
        f"{name(attribute)} = if_not_exists({name(attribute)}, {value(new)})"
        for attribute, new in update.set_if_absent.items()
    ]
    adds = [f"{name(attribute)} {value(amount)}" for attribute, amount in update.add.items()]
    removes = [name(attribute) for attribute in update.remove]
    clauses = {"SET": sets, "ADD": adds, "REMOVE": removes}
    return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


# ── values ──────────────────────────────────────────────────────────────────────────


def to_wire(value: Value, depth: int = 0) -> Wire:
    """DynamoDB's typed JSON for a plain value.

    Raises:
        ValueError: an integer beyond 38 digits, text that UTF-8 cannot carry, an empty name, or nesting beyond 32
            levels.
        TypeError: a float or any other type that a row cannot hold exactly.
    """
    match value:
        case str():
            if not value.isascii():
                value.encode()  # a lone surrogate must fail here, not become a question mark in the table
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise ValueError("an integer in a row has at most 38 digits")
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case bytes():
            return {"B": value}
        case _:
            return _nested_to_wire(value, depth)


def _nested_to_wire(value: Sequence[Value] | Mapping[str, Value], depth: int) -> Wire:
    if depth == MAX_DEPTH:
        raise ValueError(f"a row nests at most {MAX_DEPTH} levels")
    match value:
        case Mapping():
            return {"M": attributes_to_wire(value, depth + 1)}
        case list() | tuple():
            return {"L": [to_wire(inner, depth + 1) for inner in value]}
        case _:
            raise TypeError(f"a row cannot hold a {type(value).__name__}")


def attributes_to_wire(attributes: Mapping[str, Value], depth: int = 0) -> Wire:
    """DynamoDB's typed JSON for a row without its key, or for a dict inside one; errors as `to_wire`."""
    if "" in attributes:
        raise ValueError("a name in a row is not empty")
    return {name: to_wire(value, depth) for name, value in attributes.items()}


def from_wire(wire: Mapping[str, Any]) -> Value:
    """The plain value of DynamoDB's typed JSON: lists and dicts, whole numbers as int.

    Raises:
        ValueError: a type or a fraction that RMS never writes.
    """
    ((kind, value),) = wire.items()
    match kind:
        case "S" | "BOOL":
            plain: Value = value
        case "N":
            plain = int(value)
        case "NULL":
            plain = None
        case "B":
            plain = bytes(value)
        case "M":
            plain = {name: from_wire(inner) for name, inner in value.items()}
        case "L":
            plain = [from_wire(inner) for inner in value]
        case _:
            raise ValueError(f"RMS never writes DynamoDB's type {kind}")
    return plain


def row_from(wire: Mapping[str, Mapping[str, Any]]) -> Item:
    """A row as the port answers it, `PK` and `SK` among its attributes."""
    return {name: from_wire(value) for name, value in wire.items()}


def _wire_key(key: Key) -> Wire:
    return {"PK": {"S": key.pk}, "SK": {"S": key.sk}}
