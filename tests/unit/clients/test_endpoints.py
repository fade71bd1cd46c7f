"""Endpoints under the client's own role: made, shown, changed, paused, resumed and deleted through the API."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from rms.clients import administration, endpoints
from rms.clients.configuration import configuration_of, endpoint_from
from rms.clients.endpoints import MAX_ENDPOINTS, Settings, change_endpoint, create_endpoint, delete_endpoint
from rms.journal.keys import due_shard, endpoint_key, endpoint_pk, health_key, parked_shard
from rms.model.event_filter import EVERYTHING, EventFilter
from rms.model.notification_type import NotificationType
from rms.platform.errors import ConflictError
from rms.platform.secrets import MAX_PLAIN_BYTES
from rms.platform.table import EXISTING, NEW, Put, Update
from rms.platform.times import to_text
from sandbox.faults import answers_status
from tests.builders import a_channel_booked_body
from tests.fakes.calls import Call, Fault, no_faults
from tests.world import CLIENT, RECEIVER_HOST, HttpReply, World

HOOK = f"https://{RECEIVER_HOST}/hooks/shop"
ERP = f"https://{RECEIVER_HOST}/hooks/erp"
OTHER = "iris"

ROUTES = [
    ("GET", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("POST", "/rotate"),
    ("POST", "/pause"),
    ("POST", "/resume"),
    ("POST", "/test"),
]
"""Everything that may be asked of one endpoint."""


def ask(world: World, method: str, path: str = "", body: object = None, **options: Any) -> HttpReply:
    """A call about endpoints, as the client."""
    return world.call("manage_endpoints", method, f"/endpoints{path}", body, **options)


def shown(world: World, endpoint: str = "shop") -> Any:
    reply = ask(world, "GET", f"/{endpoint}")
    assert reply.status == 200, reply.text
    return reply.body


def row(world: World, endpoint: str = "shop") -> Mapping[str, Any]:
    found = world.core.table.get(endpoint_key(CLIENT, endpoint))
    assert found is not None
    return found


def health(world: World, endpoint: str = "shop") -> Mapping[str, Any] | None:
    return world.core.table.get(health_key(CLIENT, endpoint))


def disable(world: World, endpoint: str = "shop", code: str = "RET-410") -> None:
    """Let an endpoint answer 410 to a notification."""
    world.receiver.fail(endpoint, answers_status(410, does_the_work=False))
    happens(world, code)
    assert shown(world, endpoint)["state"] == "DISABLED"


def happens(world: World, code: str) -> None:
    """A return comes in, and everybody who can be told is told."""
    body = a_channel_booked_body(returnOrderCode=code, awbNumber=f"AWB-{code}")
    assert world.create_return(body).status == 200
    world.settle()


# ── who may ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("roles", ["operator", "warehouse", "aggregator", "warehouse,aggregator", ""])
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("GET", ""), *((m, f"/shop{p}") for m, p in ROUTES)])
def test_only_the_role_client_may(method: str, path: str, roles: str) -> None:
    world = World()
    before = world.table.rows()

    reply = ask(world, method, path, {}, roles=roles)

    assert (reply.status, reply.body["code"]) == (403, "UNAUTHORIZED")
    assert world.table.rows() == before
    assert world.http.requests == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_foreign_endpoint_answers_exactly_like_one_that_is_not_there(method: str, path: str) -> None:
    world = World()
    administration.create_client(world.core, OTHER, "Iris Shoes")
    create_endpoint(world.core, OTHER, "theirs", Settings(ERP))
    before = world.table.rows()

    foreign = ask(world, method, f"/theirs{path}")
    absent = ask(world, method, f"/nobodys{path}")

    assert (foreign.status, foreign.body["code"]) == (404, "NOT_FOUND")
    assert (foreign.status, foreign.text) == (absent.status, absent.text)
    assert world.table.rows() == before
    assert world.http.requests == []


def test_a_client_sees_its_own_endpoints_only() -> None:
    world = World()
    administration.create_client(world.core, OTHER, "Iris Shoes")
    create_endpoint(world.core, OTHER, "theirs", Settings(ERP))

    assert [each["endpoint"] for each in ask(world, "GET").body["endpoints"]] == ["shop"]
    assert [each["endpoint"] for each in ask(world, "GET", client=OTHER).body["endpoints"]] == ["theirs"]


def test_a_client_without_endpoints_has_an_empty_list() -> None:
    world = World(endpoints=0)

    assert ask(world, "GET").body == {"endpoints": []}


def test_an_endpoint_of_another_client_hears_no_notice_of_ours() -> None:
    world = World()
    administration.create_client(world.core, OTHER, "Iris Shoes")
    create_endpoint(world.core, OTHER, "theirs", Settings(ERP))

    reply = ask(world, "PUT", "/shop", {"noticeEndpoint": "theirs"})

    assert (reply.status, reply.body["description"]) == (400, "[noticeEndpoint: no such endpoint]")


# ── making ──────────────────────────────────────────────────────────────────────────


def test_a_new_endpoint_is_shown_with_everything_that_was_said_of_it_and_no_secret() -> None:
    world = World()
    body = {
        "endpoint": "erp",
        "kind": "NOTIFICATION",
        "settings": {},
        "url": ERP,
        "credentialUrl": f"https://{RECEIVER_HOST}/credentials/erp",
        "headers": {"Authorization": "Bearer typed-in", "X-App": "lotus-app"},
        "filter": {
            "notificationTypes": ["RTO", "DELIVERED"],
            "direction": "RETURN",
            "logisticAggregators": ["clickpost"],
            "locationCodes": ["BLR-1"],
        },
        "sequence": False,
        "droppedMetadataKeys": ["Remark"],
        "maxConcurrency": 2,
        "ratePerMinute": 120,
        "noticeEndpoint": "shop",
    }

    made = ask(world, "POST", "", body)

    assert made.status == 201
    assert set(made.body) == {"endpoint", "signingSecret"}
    assert made.body["signingSecret"].startswith("whsec_")
    assert shown(world, "erp") == {
        **body,
        "headers": {"Authorization": "***", "X-App": "***"},
        "filter": {
            "notificationTypes": ["DELIVERED", "RTO"],
            "direction": "RETURN",
            "logisticAggregators": ["CLICKPOST"],
            "locationCodes": ["BLR-1"],
        },
        "createdAt": to_text(world.clock()),
        "state": "ACTIVE",
        "since": to_text(world.clock()),
        "reason": None,
        "signingSecret": {"rotatedAt": None, "oldSignsUntil": None},
        "health": {"state": "healthy", "reason": None, "failingSince": None, "nextProbeAt": None},
    }
    listed = ask(world, "GET")
    assert listed.body["endpoints"] == [
        {name: value for name, value in shown(world, name).items() if name != "headers"} for name in ("erp", "shop")
    ]
    everything = listed.text + ask(world, "GET", "/erp").text
    for secret in ("typed-in", "lotus-app", made.body["signingSecret"].removeprefix("whsec_")):
        assert secret not in everything + json.dumps(world.table.rows(), default=repr)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("RETURN_ACK", {}),
        ("ERP_POSTING", {"partnerCode": "CUST-118", "partnerLocationCode": "CUST-118-PNQ"}),
        ("ERP_POSTING", {"partnerCode": "C", "partnerLocationCode": "L", "channelName": "MAGENTO"}),
        ("PROCESSING_UPDATE", {"partner": "CLICKPOST"}),
        ("PROCESSING_UPDATE", {"partner": "RETURNS_PRIME"}),
        ("RETURN_EXPECTATION", {}),
        ("RETURN_EXPECTATION", {"locationCode": "PNQ-1"}),
    ],
)
def test_an_endpoint_of_each_kind_is_made_with_what_only_its_client_can_say(
    kind: str, settings: dict[str, str]
) -> None:
    world = World()
    body = {"endpoint": "erp", "url": ERP, "kind": kind, "settings": settings}

    assert ask(world, "POST", "", body).status == 201

    described = shown(world, "erp")
    assert (described["kind"], described["settings"]) == (kind, settings)
    endpoint = configuration_of(world.core, CLIENT).endpoints["erp"]
    assert (endpoint.kind, endpoint.settings, endpoint.reader.kind) == (kind, settings, kind)


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (
            {"kind": "ERP_POSTING"},
            "[settings.partnerCode: may not be null, settings.partnerLocationCode: may not be null]",
        ),
        (
            {"kind": "ERP_POSTING", "settings": {"partnerCode": "C", "partnerLocationCode": None, "partner": "X"}},
            (
                "[settings.partnerLocationCode: may not be null, "
                "settings.partner: is no setting of an endpoint of kind ERP_POSTING]"
            ),
        ),
        ({"kind": "PROCESSING_UPDATE"}, "[settings.partner: may not be null]"),
        (
            {"kind": "PROCESSING_UPDATE", "settings": {"partner": "SHOPIFY"}},
            "[settings.partner: must be one of CLICKPOST, RETURNS_PRIME]",
        ),
        (
            {"settings": {"partnerCode": "C"}},
            "[settings.partnerCode: is no setting of an endpoint of kind NOTIFICATION]",
        ),
        (
            {
                "kind": "RETURN_ACK",
                "filter": {
                    "notificationTypes": ["RTO"],
                    "direction": "RETURN",
                    "logisticAggregators": ["CLICKPOST"],
                    "locationCodes": ["BLR-2"],
                },
                "droppedMetadataKeys": ["Remark"],
            },
            (
                "[filter.notificationTypes: is for endpoints of kind NOTIFICATION, "
                "filter.direction: is for endpoints of kind NOTIFICATION, "
                "filter.logisticAggregators: is for endpoints of kind NOTIFICATION, "
                "droppedMetadataKeys: is for endpoints of kind NOTIFICATION]"
            ),
        ),
    ],
)
def test_what_an_endpoint_of_its_kind_lacks_or_cannot_have_is_said_field_by_field(
    body: dict[str, Any], description: str
) -> None:
    world = World()

    reply = ask(world, "POST", "", {"endpoint": "erp", "url": ERP, **body})

    assert (reply.status, reply.body["description"]) == (400, description)
    assert "erp" not in configuration_of(world.core, CLIENT).endpoints


def test_a_kind_is_fixed_and_the_settings_may_change() -> None:
    world = World()
    settings = {"partnerCode": "C", "partnerLocationCode": "L"}
    ask(world, "POST", "", {"endpoint": "erp", "url": ERP, "kind": "ERP_POSTING", "settings": settings})

    changed = ask(world, "PUT", "/erp", {"kind": "RETURN_ACK"})
    assert (changed.status, changed.body["description"]) == (
        400,
        "[kind: is ERP_POSTING and cannot be changed; register another endpoint]",
    )
    assert ask(world, "PUT", "/erp", {"kind": "ERP_POSTING", "sequence": False}).status == 200
    assert shown(world, "erp")["settings"] == settings
    assert ask(world, "PUT", "/erp", {"settings": settings | {"partnerCode": "D"}}).status == 200
    assert shown(world, "erp")["settings"]["partnerCode"] == "D"
    assert ask(world, "PUT", "/erp", {"settings": {}}).status == 400


def test_only_an_endpoint_for_notifications_is_told_of_another_that_it_is_disabled() -> None:
    world = World()
    ask(world, "POST", "", {"endpoint": "ack", "url": ERP, "kind": "RETURN_ACK"})

    reply = ask(world, "PUT", "/shop", {"noticeEndpoint": "ack"})

    assert (reply.status, reply.body["description"]) == (400, "[noticeEndpoint: must be of kind NOTIFICATION]")


def test_an_endpoint_needs_nothing_but_a_name_and_a_url() -> None:
    world = World()

    assert ask(world, "POST", "", {"endpoint": "erp", "url": ERP}).status == 201

    endpoint = configuration_of(world.core, CLIENT).endpoints["erp"]
    assert (endpoint.kind, endpoint.filter, endpoint.sequence) == ("NOTIFICATION", EVERYTHING, True)
    assert (endpoint.max_concurrency, endpoint.rate_per_minute, endpoint.notice_endpoint) == (None, None, None)
    assert not endpoint.paused
    assert not endpoint.disabled


def test_a_name_that_is_taken_is_a_conflict_and_changes_nothing() -> None:
    world = World()
    before = row(world)

    reply = ask(world, "POST", "", {"endpoint": "shop", "url": f"{HOOK}2"})

    assert (reply.status, reply.body["description"]) == (409, "[endpoint: exists already]")
    assert row(world) == before


def test_two_who_make_the_same_endpoint_at_once_get_one_secret_between_them() -> None:
    world = World()

    def another_comes_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            create_endpoint(world.another_environment(), CLIENT, "erp", Settings(ERP))

    world.calls.before = another_comes_first

    assert ask(world, "POST", "", {"endpoint": "erp", "url": ERP}).status == 409


def test_a_client_has_a_bounded_number_of_endpoints() -> None:
    world = World(endpoints=MAX_ENDPOINTS)

    reply = ask(world, "POST", "", {"endpoint": "erp", "url": ERP})

    assert (reply.status, reply.body["description"]) == (400, "[endpoint: a client may have at most 20]")


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({}, "[url: may not be null, endpoint: may not be null]"),
        ({"endpoint": "", "url": " "}, "[url: may not be empty, endpoint: may not be empty]"),
        (
            {"endpoint": "Not A Slug", "url": "http://hooks.lotus.test/", "noticeEndpoint": "nobody"},
            (
                "[endpoint: must be 1 to 40 lower-case letters, digits or hyphens, url: must use https, "
                "noticeEndpoint: no such endpoint]"
            ),
        ),
        (
            {"endpoint": "erp", "url": ERP, "noticeEndpoint": "erp"},
            "[noticeEndpoint: must be another endpoint]",
        ),
        (
            {"endpoint": "erp", "url": 5, "headers": [], "sequence": "yes", "kind": "POSTCARD"},
            (
                "[kind: must be one of NOTIFICATION, RETURN_ACK, ERP_POSTING, PROCESSING_UPDATE, RETURN_EXPECTATION, "
                "url: must be text, headers: must be an object, sequence: must be true or false]"
            ),
        ),
        (
            {"endpoint": "erp", "url": ERP, "maxConcurrency": 0, "ratePerMinute": 6001},
            "[maxConcurrency: must be at least 1, ratePerMinute: may be at most 6000]",
        ),
        (
            {"endpoint": "erp", "url": ERP, "maxConcurrency": 51, "ratePerMinute": 0},
            "[maxConcurrency: may be at most 50, ratePerMinute: must be at least 1]",
        ),
        (
            {"endpoint": "erp", "url": ERP, "maxConcurrency": True, "ratePerMinute": "60"},
            "[maxConcurrency: must be a whole number, ratePerMinute: must be a whole number]",
        ),
        (
            {"endpoint": "erp", "url": ERP, "filter": {"notificationTypes": ["DELIVERED", "delivered"]}},
            "[filter.notificationTypes[1]: must be the name of a notification type, like DELIVERED]",
        ),
        (
            {"endpoint": "erp", "url": ERP, "filter": {"direction": "BACK", "types": ["DELIVERED"]}},
            "[filter.direction: must be one of FORWARD, RETURN, filter.types: is not known here]",
        ),
        (
            {
                "endpoint": "erp",
                "url": ERP,
                "filter": {
                    "notificationTypes": ["DELIVERED"] * 51,
                    "logisticAggregators": ["CLICKPOST"] * 51,
                    "locationCodes": ["BLR"] * 51,
                },
            },
            (
                "[filter.notificationTypes: may have at most 50 elements, "
                "filter.logisticAggregators: may have at most 50 elements, "
                "filter.locationCodes: may have at most 50 elements]"
            ),
        ),
        (
            {"endpoint": "erp", "url": ERP, "headers": {"X-Key": "***"}},
            "[headers: has no value to keep: X-Key]",
        ),
        (
            {"endpoint": "erp", "url": ERP, "headers": {"webhook-id": "x"}},
            "[headers: must not set webhook-id]",
        ),
        (
            {"endpoint": "erp", "url": ERP, "headers": {f"x-{number}": "v" * 1000 for number in range(5)}},
            f"[headers: must not have more than {MAX_PLAIN_BYTES} bytes in all]",
        ),
    ],
)
def test_everything_that_is_wrong_is_said_at_once(body: object, description: str) -> None:
    world = World()
    before = world.table.rows()

    reply = ask(world, "POST", "", body)

    assert (reply.status, reply.body["code"], reply.body["description"]) == (400, "BAD_DATA", description)
    assert world.table.rows() == before


@pytest.mark.parametrize("field", ["url", "credentialUrl"])
@pytest.mark.parametrize("url", ["https://169.254.169.254/latest/", "https://10.1.2.3/", "https://rms.internal/"])
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/shop")])
def test_an_endpoint_that_leads_astray_is_refused(method: str, path: str, url: str, field: str) -> None:
    world = World()
    before = world.table.rows()

    reply = ask(world, method, path, {"endpoint": "erp", "url": ERP} | {field: url})

    assert reply.status == 400
    assert reply.body["description"].startswith(f"[{field}: must ")
    assert world.table.rows() == before


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/shop")])
def test_a_name_that_leads_into_a_private_network_is_refused(method: str, path: str) -> None:
    world = World()
    world.http.problems[ERP] = "address refused: the host leads to an address that is not public"

    reply = ask(world, method, path, {"endpoint": "erp", "url": ERP})

    assert reply.body["description"] == f"[url: {world.http.problems[ERP]}]"


# ── changing ────────────────────────────────────────────────────────────────────────


def test_what_a_change_does_not_name_stays_as_it_is() -> None:
    world = World()
    said = {
        "headers": {"Authorization": "Bearer typed-in"},
        "filter": {"notificationTypes": ["DELIVERED"]},
        "sequence": False,
        "droppedMetadataKeys": ["Remark"],
        "maxConcurrency": 2,
        "ratePerMinute": 60,
        "credentialUrl": f"https://{RECEIVER_HOST}/credentials/shop",
    }
    ask(world, "PUT", "/shop", said)
    before, sealed = shown(world), row(world)["sealed_headers"]

    reply = ask(world, "PUT", "/shop", {"url": f"{HOOK}2"})

    assert (reply.status, reply.body) == (200, {"endpoint": "shop", "resumed": False})
    assert shown(world) == before | {"url": f"{HOOK}2"}
    assert row(world)["sealed_headers"] == sealed


def test_null_takes_away_what_an_endpoint_can_do_without() -> None:
    world = World(endpoints=2)
    said = {
        "filter": {"direction": "RETURN"},
        "maxConcurrency": 2,
        "ratePerMinute": 60,
        "credentialUrl": f"https://{RECEIVER_HOST}/credentials/shop",
        "noticeEndpoint": "shop1",
    }
    before = shown(world)
    ask(world, "PUT", "/shop", said)

    assert ask(world, "PUT", "/shop", dict.fromkeys(said)).status == 200
    assert shown(world) == before


def test_what_was_shown_can_be_sent_back_without_losing_the_headers() -> None:
    world = World()
    ask(world, "PUT", "/shop", {"headers": {"Authorization": "Bearer typed-in", "X-Old": "x"}})
    read = shown(world)
    del read["headers"]["X-Old"]

    assert ask(world, "PUT", "/shop", read | {"headers": read["headers"] | {"X-New": "n"}}).status == 200

    happens(world, "RET-1")
    [request] = world.http.sent_to(HOOK)
    assert request.headers["Authorization"] == "Bearer typed-in"
    assert request.headers["X-New"] == "n"
    assert "X-Old" not in request.headers


def test_a_change_keeps_the_signing_secret_and_the_beginning() -> None:
    world = World()
    before = row(world)
    world.clock.advance(hours=1)

    ask(world, "PUT", "/shop", {"url": f"{HOOK}2"})

    after = row(world)
    assert [after[name] for name in ("sealed_secrets", "created_at")] == [
        before[name] for name in ("sealed_secrets", "created_at")
    ]
    assert after["version"] == before["version"] + 1


def test_a_filter_takes_hold_and_only_those_are_woken_who_may_want_the_event() -> None:
    world = World(endpoints=2)
    ask(world, "PUT", "/shop1", {"filter": {"notificationTypes": ["DELIVERED"]}})

    world.create_return(a_channel_booked_body(returnOrderCode="RET-1"))

    assert [message["endpoint"] for message in world.queues.messages("deliveries")] == ["shop"]
    world.settle()
    assert world.heard("RET-1", "shop") == ["RETURN_ORDER_PLACED"]
    assert world.heard("RET-1", "shop1") == []
    assert "CURSOR#shop1" not in world.rows_of("RET-1")


def test_a_filter_for_locations_is_asked_when_the_order_is_told() -> None:
    world = World(endpoints=2)
    body = a_channel_booked_body(returnOrderCode="RET-1")
    ask(world, "PUT", "/shop", {"filter": {"locationCodes": [body["locationCode"]]}})
    ask(world, "PUT", "/shop1", {"filter": {"locationCodes": ["somewhere-else"]}})

    world.create_return(body)
    world.settle()

    assert world.heard("RET-1", "shop") == ["RETURN_ORDER_PLACED"]
    assert world.heard("RET-1", "shop1") == []


@pytest.mark.parametrize("method", ["change", "pause", "resume", "delete", "rotate"])
def test_of_two_changes_at_once_one_is_a_conflict(method: str) -> None:
    world = World()
    acts = {
        "change": ("PUT", "/shop", {"url": f"{HOOK}2"}),
        "pause": ("POST", "/shop/pause", None),
        "resume": ("POST", "/shop/resume", None),
        "delete": ("DELETE", "/shop", None),
        "rotate": ("POST", "/shop/rotate", None),
    }

    def another_comes_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            change_endpoint(world.another_environment(), CLIENT, "shop", lambda settings: settings)

    world.calls.before = another_comes_first
    reply = ask(world, *acts[method])

    assert (reply.status, reply.body["code"]) == (409, "CONFLICT")
    assert row(world)["version"] == 2


def test_a_change_does_not_undo_a_410_that_came_in_between() -> None:
    world = World()

    def disabled_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            off = {"disabled_at": to_text(world.clock()), "disabled_because": "answered 410"}
            world.core.table.write(Update(endpoint_key(CLIENT, "shop"), EXISTING, set=off))

    world.calls.before = disabled_first

    assert ask(world, "PUT", "/shop", {"url": f"{HOOK}2"}).status == 409


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/shop", {"url": f"{HOOK}2"}),
        ("POST", "/shop/rotate", None),
        ("POST", "/shop/pause", None),
        ("POST", "/shop/resume", None),
        ("DELETE", "/shop", None),
        ("POST", "", {"endpoint": "erp", "url": ERP}),
    ],
)
def test_a_change_whose_reply_was_lost_knows_itself_again(method: str, path: str, body: object) -> None:
    world = World()
    world.calls.plan = lambda call: Fault.REPEATED if call.operation == "transact" else None

    assert ask(world, method, path, body).status in {200, 201}


# ── secrets ─────────────────────────────────────────────────────────────────────────


def test_after_a_rotation_the_old_secret_signs_for_as_long_as_was_said() -> None:
    world = World()

    rotated = ask(world, "POST", "/shop/rotate", {"overlapHours": 48})

    assert rotated.body["signingSecret"].startswith("whsec_")
    now = world.clock()
    told = {"rotatedAt": to_text(now), "oldSignsUntil": to_text(now + timedelta(hours=48))}
    assert shown(world)["signingSecret"] == told
    happens(world, "RET-1")
    assert world.http.sent_to(HOOK)[-1].headers["webhook-signature"].count("v1,") == 2
    world.clock.advance(hours=48)
    assert shown(world)["signingSecret"] == told | {"oldSignsUntil": None}
    world.receiver.set_endpoint("shop", secrets=(rotated.body["signingSecret"],))
    happens(world, "RET-2")
    assert world.http.sent_to(HOOK)[-1].headers["webhook-signature"].count("v1,") == 1
    assert world.heard("RET-2") == ["RETURN_ORDER_PLACED"]


def test_a_secret_that_leaked_is_replaced_at_once() -> None:
    world = World()

    ask(world, "POST", "/shop/rotate", {"overlapHours": 0})

    assert shown(world)["signingSecret"]["oldSignsUntil"] is None
    happens(world, "RET-1")
    assert world.http.sent_to(HOOK)[0].headers["webhook-signature"].count("v1,") == 1


def test_unless_it_is_said_otherwise_the_old_secret_signs_for_a_day() -> None:
    world = World()

    ask(world, "POST", "/shop/rotate")

    until = shown(world)["signingSecret"]["oldSignsUntil"]
    assert until == to_text(world.clock() + timedelta(hours=24))


@pytest.mark.parametrize(
    ("hours", "problem"),
    [(-1, "must be at least 0"), (169, "may be at most 168"), ("24", "must be a whole number")],
)
def test_an_overlap_has_its_bounds(hours: object, problem: str) -> None:
    world = World()

    reply = ask(world, "POST", "/shop/rotate", {"overlapHours": hours})

    assert (reply.status, reply.body["description"]) == (400, f"[overlapHours: {problem}]")
    assert row(world)["version"] == 1


# ── pausing, resuming, enabling ─────────────────────────────────────────────────────


def test_what_happens_while_an_endpoint_is_paused_is_told_once_it_is_resumed() -> None:
    world = World()
    ask(world, "POST", "/shop/pause")
    happens(world, "RET-1")
    happens(world, "RET-2")
    assert world.http.sent_to(HOOK) == []
    assert shown(world)["state"] == "PAUSED"

    reply = ask(world, "POST", "/shop/resume")

    assert (reply.status, reply.body) == (200, {"endpoint": "shop", "resumed": True})
    world.settle()
    assert world.heard("RET-1") == world.heard("RET-2") == ["RETURN_ORDER_PLACED"]
    assert world.receiver.violations() == []
    assert shown(world)["health"]["state"] == "healthy"


def test_a_paused_endpoint_says_since_when_and_pausing_it_again_changes_nothing() -> None:
    world = World()
    ask(world, "POST", "/shop/pause")
    since = to_text(world.clock())
    before = row(world)
    world.clock.advance(hours=1)

    assert ask(world, "POST", "/shop/pause").status == 200

    assert row(world) == before
    read = shown(world)
    assert (read["state"], read["since"], read["reason"]) == ("PAUSED", since, None)
    ask(world, "POST", "/shop/resume")
    read = shown(world)
    assert (read["state"], read["since"]) == ("ACTIVE", to_text(world.clock()))


def test_a_change_of_a_paused_endpoint_leaves_it_paused() -> None:
    world = World()
    ask(world, "POST", "/shop/pause")

    assert ask(world, "PUT", "/shop", {"sequence": False}).body["resumed"] is False

    assert shown(world)["state"] == "PAUSED"
    assert health(world) is None


@pytest.mark.parametrize(
    ("method", "path", "body"), [("POST", "/shop/resume", None), ("PUT", "/shop", {"sequence": True})]
)
def test_a_disabled_endpoint_is_enabled_by_resuming_or_changing_it(method: str, path: str, body: object) -> None:
    world = World()
    disable(world)
    happens(world, "RET-2")
    read = shown(world)
    assert read["reason"] == "answered 410: the endpoint is gone"

    assert ask(world, method, path, body).body == {"endpoint": "shop", "resumed": True}

    assert shown(world)["state"] == "ACTIVE"
    world.settle()
    assert world.heard("RET-410") == world.heard("RET-2") == ["RETURN_ORDER_PLACED"]


def test_an_operator_enables_a_disabled_endpoint_by_setting_it_up_again() -> None:
    world = World()
    disable(world)

    reply = world.call(
        "administer_clients", "PUT", f"/clients/{CLIENT}/endpoints/shop", {"url": HOOK}, roles="operator"
    )

    assert reply.body == {"endpoint": "shop", "resumed": True}
    world.settle()
    assert world.heard("RET-410") == ["RETURN_ORDER_PLACED"]


def test_a_change_of_one_that_is_disabled_and_paused_enables_it_and_leaves_it_paused() -> None:
    world = World()
    disable(world)
    ask(world, "POST", "/shop/pause")
    before = health(world)

    assert ask(world, "PUT", "/shop", {"sequence": True}).body["resumed"] is True

    assert shown(world)["state"] == "PAUSED"
    assert health(world) == before
    world.settle()
    assert world.heard("RET-410") == []
    ask(world, "POST", "/shop/resume")
    world.settle()
    assert world.heard("RET-410") == ["RETURN_ORDER_PLACED"]


def test_resuming_writes_the_health_in_the_same_transaction_so_that_a_lost_wake_up_costs_a_minute() -> None:
    world = World()
    ask(world, "POST", "/shop/pause")
    happens(world, "RET-1")
    world.calls.plan = lambda call: Fault.THROTTLED if call.operation == "send deliveries" else None

    assert ask(world, "POST", "/shop/resume").status == 200

    world.calls.plan = no_faults
    found = health(world)
    assert found is not None
    assert (found["mode"], found["due_at"]) == ("QUEUED", to_text(world.clock()))
    assert found["due_shard"] == due_shard(endpoint_pk(CLIENT, "shop"))
    world.settle()
    assert world.heard("RET-1") == ["RETURN_ORDER_PLACED"]


def failing(world: World) -> None:
    """Let the breaker of the endpoint be open."""
    key = health_key(CLIENT, "shop")
    world.core.table.write(
        Put(
            key,
            {
                "endpoint": "shop",
                "mode": "OPEN",
                "failing": "a,b,c",
                "failing_since": to_text(world.clock()),
                "opened": 7,
                "reason": "answered 500: fault at the receiver",
                "due_at": to_text(world.clock() + timedelta(minutes=30)),
                "due_shard": due_shard(key.pk),
            },
            NEW,
        )
    )


def test_a_failing_endpoint_says_why_since_when_and_when_it_is_probed() -> None:
    world = World()
    failing(world)

    assert (
        shown(world)["health"]
        == ask(world, "GET").body["endpoints"][0]["health"]
        == {
            "state": "failing",
            "reason": "answered 500: fault at the receiver",
            "failingSince": to_text(world.clock()),
            "nextProbeAt": to_text(world.clock() + timedelta(minutes=30)),
        }
    )


def test_resuming_a_failing_endpoint_has_it_tried_at_once() -> None:
    world = World()
    failing(world)
    assert world.create_return(a_channel_booked_body(returnOrderCode="RET-1")).status == 200
    world.work_all()
    assert world.http.sent_to(HOOK) == []

    reply = ask(world, "POST", "/shop/resume")

    assert reply.body == {"endpoint": "shop", "resumed": False}
    assert shown(world)["health"]["state"] == "recovering"
    found = health(world)
    assert found is not None
    assert set(found) == {"PK", "SK", "endpoint", "mode", "due_at", "due_shard"}
    world.work_all()
    assert world.heard("RET-1") == ["RETURN_ORDER_PLACED"]


# ── deleting ────────────────────────────────────────────────────────────────────────


def test_a_deleted_endpoint_is_gone_and_told_nothing_more() -> None:
    world = World(endpoints=2)

    reply = ask(world, "DELETE", "/shop1")

    assert (reply.status, reply.text) == (200, "")
    assert ask(world, "GET", "/shop1").status == 404
    happens(world, "RET-1")
    assert world.heard("RET-1", "shop") == ["RETURN_ORDER_PLACED"]
    assert world.heard("RET-1", "shop1") == []


def test_what_waited_for_a_deleted_endpoint_is_never_told_to_a_later_one_of_the_same_name() -> None:
    world = World()
    ask(world, "POST", "/shop/pause")
    happens(world, "RET-1")
    assert world.rows_of("RET-1")["CURSOR#shop"]["due_shard"] == parked_shard(CLIENT, "shop")
    ask(world, "DELETE", "/shop")
    happens(world, "RET-2")
    world.clock.advance(hours=1)

    secret = ask(world, "POST", "", {"endpoint": "shop", "url": HOOK}).body["signingSecret"]
    world.receiver.set_endpoint("shop", secrets=(secret,))
    happens(world, "RET-3")
    ask(world, "POST", "/shop/resume")
    world.settle()

    assert world.heard("RET-1") == world.heard("RET-2") == []
    assert world.heard("RET-3") == ["RETURN_ORDER_PLACED"]


def test_a_later_endpoint_of_the_same_name_starts_in_good_health() -> None:
    world = World()
    failing(world)
    ask(world, "DELETE", "/shop")
    assert health(world) is None
    failing(world)  # a delivery that was under way notes what it saw

    ask(world, "POST", "", {"endpoint": "shop", "url": HOOK})

    assert health(world) is None
    assert shown(world)["health"]["state"] == "healthy"


def test_an_endpoint_that_hears_the_notices_of_another_is_not_deleted() -> None:
    world = World(endpoints=2)
    ask(world, "PUT", "/shop", {"noticeEndpoint": "shop1"})

    reply = ask(world, "DELETE", "/shop1")

    assert (reply.status, reply.body["description"]) == (409, "[endpoint: is the noticeEndpoint of shop]")
    ask(world, "PUT", "/shop", {"noticeEndpoint": None})
    assert ask(world, "DELETE", "/shop1").status == 200


def test_an_endpoint_that_is_deleted_while_another_names_it_is_not_named() -> None:
    world = World(endpoints=2)

    def deleted_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            delete_endpoint(world.another_environment(), CLIENT, "shop1")

    world.calls.before = deleted_first
    reply = ask(world, "PUT", "/shop", {"noticeEndpoint": "shop1"})

    assert (reply.status, reply.body["description"]) == (409, "[noticeEndpoint: no such endpoint]")
    assert shown(world)["noticeEndpoint"] is None


def test_deleting_takes_hold_here_at_once() -> None:
    world = World(endpoints=2)
    assert set(configuration_of(world.core, CLIENT).endpoints) == {"shop", "shop1"}

    delete_endpoint(world.core, CLIENT, "shop1")

    assert set(configuration_of(world.core, CLIENT).endpoints) == {"shop"}


# ── rows of before ──────────────────────────────────────────────────────────────────


def test_a_row_that_was_written_before_is_an_endpoint_that_hears_everything() -> None:
    world = World()
    new = {"kind", "filter", "max_concurrency", "rate_per_minute", "notice_endpoint", "paused_at", "rotated_at"}
    old = {name: value for name, value in row(world).items() if name not in new}

    endpoint = endpoint_from(old)

    assert (endpoint.kind, endpoint.filter, endpoint.reader.filter) == ("NOTIFICATION", EVERYTHING, None)
    assert not endpoint.paused
    assert (endpoint.max_concurrency, endpoint.rate_per_minute, endpoint.notice_endpoint) == (None, None, None)
    assert endpoint_from({**old, "disabled_at": "2026-03-01T00:00:00.000Z"}).disabled


def test_everything_that_is_written_is_read_again() -> None:
    world = World(endpoints=2)
    wish = EventFilter(frozenset({NotificationType.DELIVERED}), "FORWARD", frozenset({"SHIPWAY"}), frozenset({"BLR-1"}))
    wanted = Settings(
        url=f"{HOOK}2",
        credential_url=f"https://{RECEIVER_HOST}/credentials/shop",
        filter=wish,
        sequence=False,
        dropped_metadata=("Remark",),
        max_concurrency=3,
        rate_per_minute=30,
        notice_endpoint="shop1",
    )

    change_endpoint(world.core, CLIENT, "shop", lambda _: wanted)

    assert endpoints._settings_of(endpoint_from(row(world))) == wanted
    assert configuration_of(world.core, CLIENT).endpoints["shop"].reader.filter == wish


def test_a_change_of_an_endpoint_that_is_gone_meanwhile_is_a_conflict() -> None:
    world = World()

    def deleted_first(call: Call) -> None:
        if call.operation == "transact":
            world.calls.before = no_faults
            delete_endpoint(world.another_environment(), CLIENT, "shop")

    world.calls.before = deleted_first

    with pytest.raises(ConflictError):
        change_endpoint(world.core, CLIENT, "shop", lambda settings: settings)
