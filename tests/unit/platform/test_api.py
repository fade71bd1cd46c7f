"""Around every route: who may call, what a body may be, and what a caller hears when something is wrong."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rms.platform.api import NEXT_PAGE, Call, Lines, Reply, client_api
from rms.platform.errors import ConflictError
from rms.platform.events import MAX_BODY
from tests.builders import a_channel_booked_body, a_return_create_body, a_return_order_body
from tests.fakes.calls import Fault
from tests.logs import Log, rms_log
from tests.world import CLIENT, HttpReply, World

PATHS = ["/return/return-orders", "/return/create"]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def log() -> Iterator[Log]:
    with rms_log() as log:
        yield log


# ── bad bodies ──────────────────────────────────────────────────────────────────────


BAD_BODIES = {
    "nothing": (b"", "[body: may not be empty]"),
    "no JSON": (b"returnOrderCode=1", "[body: must be JSON"),
    "no object": (b"[]", "[body: must be a JSON object]"),
    "deep nesting": (b'{"a":' * 6000 + b"1" + b"}" * 6000, "[body: may nest at most 32 levels deep]"),
    "deep brackets": (b"[" * 100_000, "[body: may nest at most 32 levels deep]"),
    "NaN": (b'{"a": NaN}', "[body: may not hold NaN, which is not JSON]"),
    "minus infinity": (b'{"a": -Infinity}', "[body: may not hold -Infinity, which is not JSON]"),
    "a huge integer": (b'{"a": ' + b"9" * 5000 + b"}", "[body: may not hold an integer of more than 18 digits]"),
    "a huge exponent": (b'{"a": 1e400}', "[body: may not hold a number beyond"),
    "half a surrogate pair": (b'{"a": "\\ud83d"}', "[body: must be Unicode text"),
    "no UTF-8": (b'{"a": "\xff\xfe"}', "[body: must be UTF-8 text"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "[body: must be UTF-8 text"),
    "a repeated key": (b'{"returnOrderCode": "A", "returnOrderCode": "B"}', "[body: may not hold the same key twice"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", BAD_BODIES)
def test_a_body_that_cannot_be_read_is_bad_data_and_says_why(world: World, path: str, what: str) -> None:
    body, says = BAD_BODIES[what]

    answer = world.create_return(body, path)

    assert (answer.status, answer.body["code"]) == (400, "BAD_DATA")
    assert answer.body["description"].startswith(says)


@pytest.mark.parametrize("path", PATHS)
def test_a_body_of_wrong_types_throughout_is_bad_data_and_never_our_fault(world: World, path: str) -> None:
    good = a_return_order_body() if path.endswith("orders") else a_return_create_body(logisticAccountAlias="main")
    wrong: list[object] = [
        None,
        True,
        0,
        -1,
        10**18 - 1,
        1.5,
        "",
        " ",
        "x" * 300,
        [],
        {},
        [[]],
        [None],
        {"": None},
        "\x00",
    ]

    for member in good:
        for value in wrong:
            answer = world.create_return({**good, member: value}, path)
            assert answer.status < 500, (member, value, answer.text)
            world.clickpost.reset()


def test_a_body_of_256_kb_is_read_and_one_byte_more_is_too_large(world: World) -> None:
    body = json.dumps(a_channel_booked_body()).encode()

    fits = world.create_return(body + b" " * (MAX_BODY - len(body)))
    too_large = world.create_return(body + b" " * (MAX_BODY - len(body) + 1))

    assert fits.status == 200
    assert (too_large.status, too_large.body["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "", "🚚"]
)
def test_a_body_of_another_type_is_bad_data(world: World, kind: str) -> None:
    answer = world.create_return(a_channel_booked_body(), headers={"content-TYPE": kind})

    assert (answer.status, answer.body["description"]) == (400, "[Content-Type: must be application/json]")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"CONTENT-TYPE": "Application/JSON; charset=utf-8"},
        {"content-type": "application/vnd.lotus+json"},
    ],
    ids=str,
)
def test_json_under_any_of_its_names_or_none_is_read(world: World, headers: dict[str, str]) -> None:
    assert world.create_return(a_channel_booked_body(), headers=headers).status == 200


def test_all_mistakes_are_named_at_once(world: World) -> None:
    body = a_return_order_body(**{"orderItems[0].channelSkuCode": None, "locationCode": "", "pickupAddress.zip": 5})

    answer = world.create_return(body)

    assert answer.status == 400
    assert answer.body["message"] == "Input validation failed"
    for field in ("orderItems[0].channelSkuCode: ", "locationCode: ", "pickupAddress.zip: "):
        assert field in answer.body["description"]


# ── who ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("function", "method", "path"),
    [
        ("create_return", "POST", "/return/return-orders"),
        ("create_return", "POST", "/return/create"),
        ("read_returns", "GET", "/return/return-orders"),
        ("read_returns", "GET", "/return/return-orders/RET-1"),
        ("read_returns", "POST", "/return/get/awb"),
        ("replay_notifications", "POST", "/return/return-orders/RET-1/replay"),
        ("replay_notifications", "POST", "/endpoints/shop/replay"),
        ("replay_notifications", "GET", "/endpoints/shop/replays/again"),
        ("replay_notifications", "DELETE", "/endpoints/shop/replays/again"),
        ("replay_notifications", "POST", "/endpoints/shop/skip"),
        ("read_deliveries", "GET", "/return/return-orders/RET-1/deliveries"),
        ("read_deliveries", "GET", "/endpoints/shop/deliveries"),
        ("read_deliveries", "GET", "/endpoints/shop/waiting"),
        ("read_deliveries", "GET", "/endpoints/shop/export"),
        ("administer_clients", "POST", "/clients"),
        ("administer_clients", "GET", "/clients/lotus"),
    ],
)
@pytest.mark.parametrize("who", ["nobody", "another role", "no role", "a role that contains ours"])
def test_every_route_asks_for_its_role_before_it_looks_at_the_body(
    world: World, function: str, method: str, path: str, who: str
) -> None:
    role = "operator" if function == "administer_clients" else "client"
    other = "client" if role == "operator" else "operator"
    roles = {"nobody": role, "another role": other, "no role": "", "a role that contains ours": f"super{role}"}[who]

    answer = world.call(function, method, path, b"\xff", client=None if who == "nobody" else CLIENT, roles=roles)

    assert (answer.status, answer.body["code"]) == (403, "UNAUTHORIZED")


def test_one_of_several_roles_is_enough(world: World) -> None:
    assert world.call("read_returns", "GET", "/return/return-orders", roles="operator,client").status == 200


def test_a_tenant_in_the_headers_or_the_query_counts_for_nothing(world: World) -> None:
    headers = {"Content-Type": "application/json", "authDomainName": "poppy", "client": "poppy"}

    assert world.create_return(a_channel_booked_body(), headers=headers, query={"client": "poppy"}).status == 200

    assert world.rows_of("RET-70044-1", "poppy") == {}
    assert world.rows_of("RET-70044-1", CLIENT) != {}


# ── where ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("function", "method", "path"),
    [
        ("create_return", "POST", "/return"),
        ("create_return", "POST", "/return-orders"),
        ("create_return", "DELETE", "/return/return-orders"),
        ("read_returns", "GET", "/return/return-orders/A/B/C"),
        ("administer_clients", "GET", "/"),
    ],
)
def test_an_unknown_path_or_method_is_not_found_in_our_envelope(
    world: World, function: str, method: str, path: str
) -> None:
    answer = world.call(function, method, path, {})

    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")
    assert answer.body.keys() == {"code", "message", "description"}


@pytest.mark.parametrize(
    ("function", "method", "path"),
    [
        ("read_returns", "GET", "/return/return-orders/{name}"),
        ("replay_notifications", "POST", "/return/return-orders/{name}/replay"),
        ("replay_notifications", "GET", "/endpoints/{name}/replays/again"),
        ("replay_notifications", "GET", "/endpoints/shop/replays/{name}"),
        ("read_deliveries", "GET", "/return/return-orders/{name}/deliveries"),
        ("read_deliveries", "GET", "/endpoints/{name}/deliveries"),
        ("administer_clients", "GET", "/clients/{name}"),
        ("administer_clients", "DELETE", "/clients/lotus/credentials/{name}"),
        ("administer_clients", "POST", "/clients/{name}/credentials/shop/rotate"),
        ("administer_clients", "POST", "/clients/lotus/endpoints/{name}/rotate"),
    ],
)
@pytest.mark.parametrize("name", ["x" * 256, "x" * 7000, "🚚" * 2000], ids=lambda name: f"{len(name)} characters")
def test_a_name_that_no_record_can_have_is_not_found(
    world: World, function: str, method: str, path: str, name: str
) -> None:
    role = "operator" if function == "administer_clients" else "client"

    assert world.call(function, method, path.format(name=name), roles=role).status == 404


def test_the_longest_code_can_be_read_back(world: World) -> None:
    code = "ज" * 255
    assert world.create_return(a_channel_booked_body(returnOrderCode=code)).status == 200

    assert world.read_return(code).status == 200


# ── our own faults ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.THROTTLED])
def test_a_fault_of_ours_is_a_500_that_says_nothing_but_send_it_again_and_then_it_works(
    world: World, log: Log, fault: Fault
) -> None:
    world.calls.plan = lambda call: fault if call.port == "table" else None
    answer = world.create_return(a_return_order_body())
    world.calls.plan = lambda _: None

    assert answer.status == 500
    assert answer.body == {
        "code": "INTERNAL_ERROR",
        "message": "Fault inside RMS",
        "description": "Nothing is lost: send the call again",
    }
    assert [line["message"] for line in log.lines] == ["request failed", "request"]
    assert world.create_return(a_return_order_body()).status in {200, 202}


def test_a_mistake_in_our_code_is_told_to_nobody_and_logged_once(log: Log) -> None:
    api = client_api(lambda: None, role="client")

    @api.get("/broken")
    def broken(_: Call) -> Reply:
        raise KeyError("customer 9820055501")

    answer = reply(api.handler(an_event("GET", "/broken"), None))

    assert answer.status == 500
    assert "9820055501" not in answer.text
    assert "KeyError" not in answer.text
    assert [line["level"] for line in log.lines] == ["ERROR", "INFO"]


def test_a_callers_mistake_is_no_error_in_the_log(log: Log) -> None:
    api = client_api(lambda: None, role="client")

    @api.post("/taken")
    def taken(_: Call) -> Reply:
        raise ConflictError("[code: is taken]")

    assert reply(api.handler(an_event("POST", "/taken"), None)).status == 409
    assert [line["level"] for line in log.lines] == ["INFO"]


def test_each_request_leaves_one_line_that_says_who_what_and_how(world: World, log: Log) -> None:
    world.read_return("RET-0")

    (line,) = log.lines
    assert line["message"] == "request"
    assert (line["client"], line["method"], line["status"]) == (CLIENT, "GET", 404)
    assert line["correlation_id"] == "request-1"
    assert line["elapsed_ms"] >= 0


def test_nothing_of_one_request_stands_in_the_log_of_the_next(world: World, log: Log) -> None:
    world.read_return("RET-0")
    world.read_return("RET-0", client=None)

    assert "client" not in log.lines[-1]


# ── what a route is handed ──────────────────────────────────────────────────────────


def test_a_route_is_handed_the_tenant_the_path_the_query_and_the_body_byte_for_byte() -> None:
    api = client_api(lambda: "the core", role="client")
    seen: list[Call] = []

    @api.put("/things/<thing>")
    def thing(call: Call) -> Reply:
        seen.append(call)
        return Reply(body={"core": api.core})

    event = an_event("PUT", "/things/T-1", b'{"a": "\xc3\xbc"}', query={"page": "2", "empty": ""})
    answer = reply(api.handler(event, None))

    assert (answer.status, answer.body) == (200, {"core": "the core"})
    assert seen == [Call("lotus", "integration", b'{"a": "\xc3\xbc"}', {"thing": "T-1"}, {"page": "2"})]


@pytest.mark.parametrize("encoded", [True, False], ids=["base64", "text"])
def test_a_body_is_the_same_however_the_gateway_hands_it_over(*, encoded: bool) -> None:
    api = client_api(lambda: None, role="client")
    seen: list[bytes] = []

    @api.post("/things")
    def things(call: Call) -> Reply:
        seen.append(call.body)
        return Reply()

    body = '{"name": "जूता"}'
    event = an_event("POST", "/things", body.encode())
    if not encoded:
        event |= {"body": body, "isBase64Encoded": False}
    api.handler(event, None)

    assert seen == [body.encode()]


def test_a_query_parameter_of_any_length_is_bad_data_at_most() -> None:
    api = client_api(lambda: None, role="client")
    api.get("/things")(lambda _: Reply())

    answer = reply(api.handler(an_event("GET", "/things", query={"page": "x" * 100_000}), None))

    assert answer.status == 400


@pytest.mark.parametrize("following", ["abc", None])
def test_a_page_of_lines_is_one_object_a_line_and_says_in_its_head_where_it_goes_on(following: str | None) -> None:
    api = client_api(lambda: None, role="client")
    api.get("/lines")(lambda _: Reply(body=Lines([{"a": "é\n"}, {"b": None}], following)))

    answer = api.handler(an_event("GET", "/lines"), None)

    assert answer["body"] == '{"a":"é\\n"}\n{"b":null}\n'
    assert answer["multiValueHeaders"]["Content-Type"] == ["application/x-ndjson"]
    assert answer["multiValueHeaders"].get(NEXT_PAGE) == ([following] if following else None)


def an_event(
    method: str, path: str, body: bytes = b"", *, query: dict[str, str] | None = None, client: str = CLIENT
) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "requestId": "r-1",
            "authorizer": {"client": client, "username": "integration", "roles": "client"},
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def reply(answer: Any) -> HttpReply:
    return HttpReply(answer["statusCode"], answer["body"])
