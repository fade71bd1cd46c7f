"""The wrapper of every function behind the API: Powertools' REST resolver and what each route needs around it.

Correlation id, one log line, the size and type of the body, the tenant from the authorizer, all errors in our
envelope by the one table. Bodies are handed over as bytes: how each is read is the capability's business.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from json import dumps
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types

from rms.model.outcomes import (
    Accepted,
    AwbBooked,
    AwbFound,
    AwbPending,
    AwbRefused,
    AwbTaken,
    CancelDone,
    CancelOutcome,
    CancelPending,
    CancelRefused,
    CreateOutcome,
    IsCancelled,
    ItemCodesTaken,
    OrderTaken,
    OtherContent,
    TooLateToCancel,
)
from rms.platform.errors import (
    AwbRefusedError,
    BadDataError,
    CallerError,
    CancelRefusedError,
    ConflictError,
    NotFoundError,
    UnauthorizedError,
    told,
)
from rms.platform.events import Event, at_init, body_of, header, observed
from rms.platform.observability import add_log_keys, logger

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of JSON Lines, and where the next one begins; None after the last."""

    rows: Sequence[Json]
    next: str | None


NEXT_PAGE: Final = "rms-next-page"
"""The header that says where the next page of JSON Lines begins; absent after the last."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a status and a JSON body, or JSON Lines, or none."""

    status: HTTPStatus = HTTPStatus.OK
    body: Json | Lines | None = None

    @classmethod
    def of(cls, outcome: CreateOutcome | ItemCodesTaken | AwbFound) -> "Reply":
        """The answer to a request about a return or its booking. Source: RMS API contract, sections 3.5, 5 and 13."""
        match outcome:
            case Accepted():
                return cls()
            case AwbBooked(order_id, code, awb, courier):
                return cls(body={"orderId": order_id, "orderNumber": code, "returnAwb": awb, "carrierName": courier})
            case OrderTaken(order_id, code, shipment_id):
                return cls(body={"orderId": order_id, "orderNumber": code, "shipmentId": shipment_id})
            case AwbFound(order_id, code, awb, courier, label_url):
                found = {"orderId": order_id, "orderNumber": code, "awb": awb, "carrierName": courier}
                return cls(body={**found, "shippingLabelUrl": label_url})
            case AwbPending(code):
                return cls(HTTPStatus.ACCEPTED, {"orderNumber": code, "awbStatus": "PENDING"})
            case AwbRefused(_, words):
                raise AwbRefusedError(words)
            case OtherContent() | AwbTaken() | IsCancelled() | ItemCodesTaken():
                raise ConflictError(f"[{', '.join(_clashes(outcome))}]")

    @classmethod
    def of_cancelling(cls, outcome: CancelOutcome, named: str) -> "Reply":
        """The answer to a wish to cancel; `named` is the member that has the code: `orderNumber`, `shipmentCode`."""
        match outcome:
            case CancelDone(code, remark):
                more = {"remark": remark} if remark else {}
                return cls(body={named: code, "cancelStatus": "CANCELLED", **more})
            case CancelPending(code):
                return cls(HTTPStatus.ACCEPTED, {named: code, "cancelStatus": "PENDING"})
            case CancelRefused(_, words):
                raise CancelRefusedError(words)
            case TooLateToCancel(_, state):
                raise CancelRefusedError(f"the parcel is {state} already")


def _clashes(outcome: OtherContent | AwbTaken | IsCancelled | ItemCodesTaken) -> Iterator[str]:
    """What of a request about a return is in the way of what stands, as `field: problem`."""
    match outcome:
        case OtherContent():
            yield "returnOrderCode: already exists with other content"
        case AwbTaken():
            yield "awbNumber: belongs to another return order"
        case IsCancelled():
            yield "returnOrderCode: is cancelled"
        case ItemCodesTaken(places):
            for place in places:
                yield f"returnLineItems[{place}].channelReturnItemCode: already used with other content"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, past the authorizer. `client` is the caller's tenant and the only source of it."""

    client: str
    username: str
    body: bytes
    path: Mapping[str, str]
    query: Mapping[str, str]
    host: str = ""
    """The name under which the API was called; "" where nobody knows."""


type Route = Callable[[Call], Reply]

MAX_QUERY: Final = 2048
"""Longest value of a query parameter, in characters."""

MAX_NAME: Final = 255
"""Longest code or id that a path may name, in characters: no record has a longer one."""


class Api[Core]:
    """The routes of one function. `core` is built by the first call that needs it."""

    def __init__(self, core: Callable[[], Core], role: str) -> None:
        self._role = role
        self._core = core
        self._resolver = APIGatewayRestResolver()
        self._resolver.not_found(self._no_such_path)
        self._resolver.exception_handler(Exception)(self._failed)

    @property
    def core(self) -> Core:
        """The core of this environment."""
        return self._core()

    def get(self, path: str) -> Callable[[Route], Route]:
        """Register a route for GET; `<name>` in the path is a parameter."""
        return self._route(self._resolver.get, path)

    def post(self, path: str) -> Callable[[Route], Route]:
        """Register a route for POST."""
        return self._route(self._resolver.post, path)

    def put(self, path: str) -> Callable[[Route], Route]:
        """Register a route for PUT."""
        return self._route(self._resolver.put, path)

    def delete(self, path: str) -> Callable[[Route], Route]:
        """Register a route for DELETE."""
        return self._route(self._resolver.delete, path)

    def handler(self, event: Event, context: Any) -> Json:
        """What Lambda calls."""
        request = event.get("requestContext") or {}
        with observed("request", request.get("requestId")) as keys:
            # Routed by the template's path, because the resolver's patterns know no `#` and no `€`.
            routed = {**event, "path": event.get("resource") or event.get("path")}
            answer: Json = self._resolver.resolve(routed, context)
            keys |= {"route": event.get("resource"), "method": event.get("httpMethod"), "status": answer["statusCode"]}
        return answer

    def _route(self, register: Callable[[str], Any], path: str) -> Callable[[Route], Route]:
        def take(route: Route) -> Route:
            def answer(**parameters: str) -> Response[str]:
                return _response(route(self._call(parameters)))

            register(path)(answer)
            return route

        return take

    def _call(self, parameters: Mapping[str, str]) -> Call:
        event: Event = self._resolver.current_event.raw_event
        identity = (event.get("requestContext") or {}).get("authorizer") or {}
        client, username = identity.get("client"), identity.get("username")
        if not client or not username or self._role not in str(identity.get("roles", "")).split(","):
            raise UnauthorizedError(f"The role {self._role} is needed")
        add_log_keys(client=str(client))
        body = body_of(event)
        kind = header(event, "content-type")
        if body and kind is not None and not _is_json(kind):
            raise BadDataError("[Content-Type: must be application/json]")
        path = _named(parameters, event.get("pathParameters") or {})
        if any(len(name) > MAX_NAME for name in path.values()):
            raise NotFoundError("Nothing has a name that long")
        query = {name: value for name, value in (event.get("queryStringParameters") or {}).items() if value}
        if any(len(value) > MAX_QUERY for value in query.values()):
            raise BadDataError(f"[query: a parameter may have at most {MAX_QUERY} characters]")
        host = str((event.get("requestContext") or {}).get("domainName") or "")
        return Call(client=str(client), username=str(username), body=body, path=path, query=query, host=host)

    def _failed(self, error: Exception) -> Response[str]:
        answer, description = told(error)
        if not isinstance(error, CallerError):
            logger.exception("request failed")
        envelope = {"code": answer.code, "message": answer.message, "description": description}
        return _response(Reply(HTTPStatus(answer.status), envelope))

    def _no_such_path(self, _error: Exception) -> Response[str]:
        return self._failed(NotFoundError("See the API description for paths and methods"))


def client_api[Core](core: Callable[[], Core], *, role: str) -> Api[Core]:
    """The wrapper of a function that callers with this role may use."""
    at_init(core)
    return Api(core, role)


def _named(matched: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What a path names: the resolver has matched placeholders, API Gateway has read what they stand for."""
    return {name: given.get(text.strip("{}"), text) for name, text in matched.items()}


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _response(reply: Reply) -> Response[str]:
    status = int(reply.status)
    match reply.body:
        case None:
            return Response(status, content_types.APPLICATION_JSON, "")
        case Lines(rows, following):
            headers = {NEXT_PAGE: following} if following is not None else {}
            return Response(status, "application/x-ndjson", "".join(f"{_json(row)}\n" for row in rows), headers)
        case body:
            return Response(status, content_types.APPLICATION_JSON, _json(body))


def _json(value: Json) -> str:
    return dumps(value, ensure_ascii=False, separators=(",", ":"))
