"""A client's endpoints by its own hand, and one of them that dies among others that do not notice."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import pytest

from local.bodies import a_channel_booked_return
from local.steps import say
from tests.e2e.installation import Installation, Shop, code_of, eventually, soon

pytestmark = pytest.mark.e2e

P99_AT_MOST: Final = 1.2
"""The others' 99th percentile of delivery delays beside a dead endpoint, as a multiple of what it is without."""

NOISE_SECONDS: Final = 1.0
"""What a busy machine adds to the slowest of a few dozen deliveries, each of which may start a process."""

CROWD: Final = 8
EVENTS: Final = 10
EVERY_SECONDS: Final = 2.0
CROWD_WORKERS: Final = 12
"""Enough that those which wait for the dead endpoint leave some to the others, as in production."""

WARM_SECONDS: Final = 1.0
"""Long enough that workers are busy at the same time, too short to be known as slow."""

NOBODYS: Final = "nobody-ever-made-this"


def _makes(shop: Shop, endpoint: str, **settings: object) -> str:
    """The client registers an endpoint of its own; answers its name at the receiver."""
    hook = f"{shop.name}-{endpoint}"
    body = {"endpoint": endpoint, "url": f"{shop.receiver.urls['hooks']}{hook}", **settings}
    answer = shop.call("POST", "/endpoints", body)
    assert answer.status_code == 201, answer.text
    shop.receiver.control.post(f"endpoints/{hook}", {"secrets": [answer.json()["signingSecret"]]})
    return hook


def _does(shop: Shop, what: str, endpoint: str = "shop", body: object = None) -> Any:
    answer = shop.call("POST", f"/endpoints/{endpoint}/{what}", {} if body is None else body)
    assert answer.status_code in {200, 202}, answer.text
    return answer.json()


def _tells(shop: Shop, code: str) -> None:
    answer = shop.tells_of(a_channel_booked_return(code, f"AWB-{code}"))
    assert answer.status_code == 200, answer.text


def _arrived(shop: Shop, hook: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = shop.receiver.control.get(f"deliveries?endpoint={hook}")
    return found


def _taken(shop: Shop, hook: str) -> list[str]:
    """The returns of which an endpoint took something in, in order of arrival, repeats left out."""
    return [each["aggregate"] for each in _arrived(shop, hook) if each["accepted"] and not each["accepted_before"]]


def _health(shop: Shop, endpoint: str) -> str:
    return str(shop.found(f"/endpoints/{endpoint}")["health"]["state"])


def test_a_client_registers_an_endpoint_tries_it_and_ends_it(installation: Installation) -> None:
    shop = installation.new_shop("own-hand")
    hook = _makes(shop, "extra", filter={"notificationTypes": ["DELIVERED"]})

    tried = _does(shop, "test", "extra", {"notificationType": "DELIVERED", "direction": "RETURN"})
    assert (tried["delivered"], tried["status"]) == (True, 200)
    [sample] = _arrived(shop, hook)
    assert (sample["headers"]["webhook-test"], sample["verification"]) == ("true", "valid")

    _tells(shop, "RET-NOT-DELIVERED")
    eventually(lambda: shop.heard("RET-NOT-DELIVERED"), ["RETURN_ORDER_PLACED"])
    assert len(_arrived(shop, hook)) == 1, "its filter wants deliveries only"
    assert shop.call("DELETE", "/endpoints/extra").status_code == 200
    assert code_of(shop.call("GET", "/endpoints/extra")) == (404, "NOT_FOUND")


def test_another_clients_endpoint_is_like_one_that_nobody_made(shop: Shop, stranger: Shop) -> None:
    _makes(shop, "private")
    for method, path in (
        ("GET", "/endpoints/{}"),
        ("PUT", "/endpoints/{}"),
        ("DELETE", "/endpoints/{}"),
        ("POST", "/endpoints/{}/test"),
        ("POST", "/endpoints/{}/pause"),
        ("POST", "/endpoints/{}/rotate"),
        ("GET", "/endpoints/{}/waiting"),
        ("GET", "/endpoints/{}/export"),
        ("GET", "/endpoints/{}/replays/some"),
    ):
        body: dict[str, str] | None = {} if method in {"POST", "PUT"} else None
        foreign, absent = (stranger.call(method, path.format(name), body) for name in ("private", NOBODYS))
        assert (foreign.status_code, foreign.text) == (absent.status_code, absent.text), path
        assert foreign.status_code == 404, path
    assert shop.call("DELETE", "/endpoints/private").status_code == 200


def test_what_happens_while_an_endpoint_is_paused_is_told_when_it_is_resumed(
    installation: Installation,
) -> None:
    shop = installation.new_shop("pausing")
    _does(shop, "pause")
    codes = [f"RET-PAUSED-{number}" for number in range(3)]
    for code in codes:
        _tells(shop, code)
    eventually(lambda: len(shop.found("/endpoints/shop/waiting?state=parked")["waiting"]), len(codes))
    assert _arrived(shop, shop.name) == []

    _does(shop, "resume")

    eventually(lambda: sorted(_taken(shop, shop.name)), codes)
    eventually(lambda: shop.found("/endpoints/shop/waiting")["waiting"], [])
    assert shop.violations() == []


def test_a_poisoned_notification_is_skipped_on_purpose_and_the_rest_follows(installation: Installation) -> None:
    shop = installation.new_shop("poisoned")
    shop.endpoint_fails("status", times=50, status=422)
    awb = shop.books("RET-POISONED")
    soon(lambda: shop.deliveries("RET-POISONED"))
    shop.parcel_travels(awb, steps=1)
    eventually(lambda: len(shop.told("RET-POISONED")), 2)
    shop.receiver.control.post("faults/clear")

    _does(shop, "skip", body={"returnOrderCode": "RET-POISONED", "sequence": 2})

    eventually(lambda: shop.heard("RET-POISONED"), ["OUT_FOR_PICKUP"])
    lines = shop.call("GET", "/return/return-orders/RET-POISONED/deliveries/export").text.splitlines()
    outcomes = [json.loads(line)["outcome"] for line in lines]
    assert "skipped by shop" in outcomes
    assert outcomes[-1] == "delivered"


def test_everything_since_a_time_is_told_again_with_progress(installation: Installation) -> None:
    shop = installation.new_shop("replaying")
    codes = [f"RET-AGAIN-{number}" for number in range(4)]
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    for code in codes:
        _tells(shop, code)
    eventually(lambda: sorted(_taken(shop, shop.name)), codes)

    wish = {"since": started, "replayId": "after-our-mistake"}
    first, again = (_does(shop, "replay", body=wish) for _ in range(2))
    assert first["replayId"] == again["replayId"] == "after-our-mistake"

    eventually(installation.sweeping(lambda: len(_arrived(shop, shop.name))), 2 * len(codes))
    done = shop.found("/endpoints/shop/replays/after-our-mistake")
    assert (done["state"], done["ordersReplayed"]) == ("DONE", len(codes))
    ids = [each["webhook_id"] for each in _arrived(shop, shop.name)]
    assert sorted(ids) == sorted(2 * list(dict.fromkeys(ids)))
    assert shop.violations() == []


def test_a_dead_endpoint_is_noticed_by_nobody_else_and_catches_up(installation: Installation) -> None:
    shop = installation.new_shop("crowd")
    hooks = {name: _makes(shop, name) for name in (f"e{number}" for number in range(1, CROWD + 1))}
    others = [name for name in hooks if name != "e1"]
    with _more_workers(installation):
        _warm_up(shop, hooks)
        well = _delays(shop, others, "WELL")
        shop.receiver.control.post(
            "faults", {"endpoint": hooks["e1"], "then": "hangs", "does_the_work": False, "times": 1000}
        )
        beside = _delays(shop, others, "BESIDE")
        eventually(lambda: _health(shop, "e1"), "failing")
    tries = [each for each in _arrived(shop, hooks["e1"]) if not each["accepted"]]
    say(f"   p99 of {len(well)} deliveries {_p99(well):.2f} s, of {len(beside)} beside a dead one {_p99(beside):.2f} s")
    say(f"   the dead one was tried {len(tries)} times for {EVENTS} returns")
    assert _p99(beside) <= P99_AT_MOST * _p99(well) + NOISE_SECONDS
    assert len(tries) < EVENTS

    shop.receiver.control.post("faults/clear")
    names = ("WARM", "WELL", "BESIDE")
    expected = sorted(f"RET-{name}-{number}" for name in names for number in range(EVENTS))
    eventually(installation.sweeping(lambda: sorted(_taken(shop, hooks["e1"]))), expected, seconds=240)
    eventually(installation.sweeping(lambda: _health(shop, "e1")), "healthy", seconds=240)
    assert [each for each in shop.receiver.control.get("violations") if each["endpoint"] in hooks.values()] == []


def _warm_up(shop: Shop, hooks: Mapping[str, str]) -> None:
    """Have as many workers started as there may be: on the local AWS that takes each of them a second."""
    for hook in hooks.values():
        fault = {"endpoint": hook, "then": "answers", "seconds": WARM_SECONDS, "times": EVENTS}
        shop.receiver.control.post("faults", fault)
    for number in range(EVENTS):
        _tells(shop, f"RET-WARM-{number}")
    expected = sorted(f"RET-WARM-{number}" for number in range(EVENTS))
    for hook in hooks.values():
        eventually(partial(_all_taken, shop, hook), expected)


def _all_taken(shop: Shop, hook: str) -> list[str]:
    return sorted(_taken(shop, hook))


def _delays(shop: Shop, endpoints: Sequence[str], name: str) -> list[float]:
    """How late each endpoint took each of a steady few events, in seconds after RMS learned of it."""
    for number in range(EVENTS):
        _tells(shop, f"RET-{name}-{number}")
        time.sleep(EVERY_SECONDS)

    def delivered() -> list[float]:
        attempts = [json.loads(line) for each in endpoints for line in _exported(shop, each)]
        return [
            float(each["delaySeconds"])
            for each in attempts
            if each["outcome"] == "delivered" and f"RET-{name}-" in each["returnOrderCode"]
        ]

    eventually(lambda: len(delivered()), EVENTS * len(endpoints))
    return delivered()


def _exported(shop: Shop, endpoint: str) -> Iterator[str]:
    """All attempts at an endpoint as lines of JSON, page by page."""
    page: str | None = ""
    while page is not None:
        answer = shop.call("GET", f"/endpoints/{endpoint}/export" + (f"?page={quote(page)}" if page else ""))
        assert answer.status_code == 200, answer.text
        yield from answer.text.splitlines()
        page = answer.headers.get("rms-next-page")


def _p99(delays: Sequence[float]) -> float:
    return sorted(delays)[int(0.99 * (len(delays) - 1))]


@contextmanager
def _more_workers(installation: Installation) -> Iterator[None]:
    """Let deliveries have more workers for a while."""
    functions = installation.stack.client("lambda")
    queue = installation.stack.outputs["DeliveriesQueueUrl"].rpartition("/")[2]
    [mapping] = [
        each
        for each in functions.list_event_source_mappings()["EventSourceMappings"]
        if each["EventSourceArn"].endswith(f":{queue}")
    ]
    usual = mapping["ScalingConfig"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": CROWD_WORKERS})
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=usual)
