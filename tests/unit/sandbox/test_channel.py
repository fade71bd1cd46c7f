"""The simulated channel: what it knows of each return, and which telling it finds wrong."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from rms.notifications.judgement import Delivered
from rms.notifications.sinks import return_ack
from rms.notifications.sinks.processed import QcStatus
from rms.notifications.sinks.return_ack import ReturnAck
from rms.platform.http import HttpAnswer, NoAnswer
from sandbox.channel import ChannelEngine, ChannelSandbox
from sandbox.client import SandboxClient
from sandbox.faults import answers_status, hangs
from sandbox.in_process import InProcessHttp
from tests.unit.notifications.sinks.examples import SECRET, TORN, a_target, an_ack
from tests.unit.sandbox.conftest import Clock

URL: Final = "https://channel.kaveri-looms.example/return-acks"


@pytest.fixture
def channel(clock: Clock) -> ChannelEngine:
    engine = ChannelEngine(clock=clock)
    engine.set_proof(secrets=(SECRET,))
    return engine


def tell(channel: ChannelEngine, ack: ReturnAck) -> HttpAnswer | NoAnswer:
    http = InProcessHttp({"channel.kaveri-looms.example": channel.handle})
    return http.send(return_ack.build(a_target(url=URL), ack, channel.clock()))


def kinds(channel: ChannelEngine) -> list[str]:
    return [violation["kind"] for violation in channel.violations()]


def test_an_acknowledged_return_is_known_unit_by_unit(channel: ChannelEngine) -> None:
    answer = tell(channel, an_ack())

    assert return_ack.judge(answer, channel.clock()) == Delivered(200)
    assert channel.processed() == [
        {
            "return_code": "KL-4471-R1",
            "sequence": 9,
            "results": {"KL-4471-1": "FAIL", "KL-4471-2": "PASS", "KL-4471-3": "FAIL"},
            "told": 1,
        }
    ]
    assert kinds(channel) == []


def test_a_correction_takes_the_place_of_what_was_known(channel: ChannelEngine) -> None:
    tell(channel, an_ack(items=(replace(TORN, qc_status=QcStatus.PASS),)))
    tell(channel, an_ack(id="msg_10", sequence=10, items=(TORN,)))

    [known] = channel.processed()
    assert (known["results"], known["told"]) == ({"KL-4471-1": "FAIL"}, 2)


def test_a_repeat_changes_nothing(channel: ChannelEngine) -> None:
    tell(channel, an_ack())
    tell(channel, an_ack())

    assert (channel.processed()[0]["told"], channel.state()["repeats"], kinds(channel)) == (1, 1, [])


def test_a_hang_is_heard_and_a_refusal_is_not(channel: ChannelEngine) -> None:
    channel.fail(answers_status(503, does_the_work=False))
    tell(channel, an_ack())
    assert channel.processed() == []

    channel.fail(hangs(does_the_work=True))
    assert isinstance(tell(channel, an_ack()), NoAnswer)
    assert channel.processed()[0]["told"] == 1


def test_a_sequence_that_falls_is_out_of_order(channel: ChannelEngine) -> None:
    tell(channel, an_ack())
    tell(channel, an_ack(id="msg_8", sequence=8))

    assert kinds(channel) == ["out of order"]


@pytest.mark.parametrize(
    "change",
    [{"locationCode": ""}, {"orderItems": None}, {"orderItems": [{"itemCode": "I-1"}]}, {"orderItems": ["I-1"]}],
)
def test_a_body_that_it_cannot_use_is_refused_and_a_violation(clock: Clock, change: dict[str, Any]) -> None:
    channel = ChannelEngine(clock=clock)
    body = json.loads(return_ack.build(a_target(), an_ack(), clock()).body or b"") | change

    channel.handle("PUT", channel.PATH, {}, {}, json.dumps(body).encode())

    assert (channel.calls()[-1].answered, kinds(channel)) == (400, ["bad acknowledgement"])


def test_it_takes_a_put_and_nothing_else(channel: ChannelEngine) -> None:
    channel.handle("POST", channel.PATH, {}, {}, b"{}")

    assert channel.calls() == []


@pytest.mark.enable_socket
def test_over_http_it_tells_what_it_knows() -> None:
    with ChannelSandbox() as channel:
        control = SandboxClient(channel.url)
        assert channel.inbox == f"{channel.url}/return-acks"
        assert (control.get("processed"), control.get("processed/KL-4471-R1")) == ([], [])
