"""What the Queues port promises, as examples for every implementation and every engine behind it."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import pytest

from rms.platform.queues import Message, QueueName, Queues


class QueuesUnderTest(Protocol):
    """One implementation, with a way to look into its queues."""

    @property
    def queues(self) -> Queues:
        """The implementation."""

    def received(self, queue: QueueName) -> list[Message]:
        """Everything that can be received from a queue now, taken out of it, in any order."""

    def groups(self, queue: QueueName) -> list[str | None]:
        """The same, but whose each message is."""


class QueuesSuite:
    """Subclasses name their `engine` and provide the fixture `under_test`."""

    engine: ClassVar[str]

    @pytest.fixture
    def queues(self, under_test: QueuesUnderTest) -> Queues:
        return under_test.queues

    def test_a_message_arrives_as_it_was_in_its_queue_only(self, under_test: QueuesUnderTest, queues: Queues) -> None:
        message: Message = {"client": "acme", "text": "नमस्ते 🚚 \x00\t\uffff\u2028 \"<&>'", "sequence": 4, "none": None}

        queues.send("deliveries", [message])

        assert under_test.received("deliveries") == [message]
        assert under_test.received("bookings") == []
        assert under_test.received("inbound") == []

    @pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
    def test_any_number_of_messages_arrives(self, under_test: QueuesUnderTest, queues: Queues, count: int) -> None:
        queues.send("inbound", [{"number": number} for number in range(count)])

        assert _numbers(under_test.received("inbound")) == list(range(count))

    def test_messages_that_are_large_together_arrive(self, under_test: QueuesUnderTest, queues: Queues) -> None:
        queues.send("inbound", [{"number": number, "body": "x" * 300_000} for number in range(7)])

        assert _numbers(under_test.received("inbound")) == list(range(7))

    def test_a_message_of_almost_a_megabyte_arrives(self, under_test: QueuesUnderTest, queues: Queues) -> None:
        message: Message = {"body": "x" * (1024 * 1024 - 20)}

        queues.send("inbound", [message])

        assert under_test.received("inbound") == [message]

    def test_a_message_above_a_megabyte_is_refused_and_nothing_is_sent(
        self, under_test: QueuesUnderTest, queues: Queues
    ) -> None:
        with pytest.raises(ValueError, match="1048576 bytes"):
            queues.send("inbound", [{"number": 1}, {"body": "x" * 1024 * 1024}])

        assert under_test.received("inbound") == []

    def test_a_delayed_message_is_not_there_yet(self, under_test: QueuesUnderTest, queues: Queues) -> None:
        queues.send("bookings", [{"number": 1}], delay_seconds=900)
        queues.send("bookings", [{"number": 2}])

        assert _numbers(under_test.received("bookings")) == [2]

    @pytest.mark.parametrize("seconds", [-1, 901])
    def test_a_delay_that_no_queue_has_is_refused(self, queues: Queues, seconds: int) -> None:
        with pytest.raises(ValueError, match="0 to 900"):
            queues.send("bookings", [{"number": 1}], delay_seconds=seconds)

    def test_a_message_on_a_fair_queue_says_whose_it_is(self, under_test: QueuesUnderTest, queues: Queues) -> None:
        for endpoint in ("shop", "erp", "shop"):
            queues.send("deliveries", [{"client": "acme", "code": "RET-1", "endpoint": endpoint}])

        assert sorted(map(str, under_test.groups("deliveries"))) == ["acme#erp", "acme#shop", "acme#shop"]

    def test_messages_of_one_group_hold_each_other_up_in_no_way(
        self, under_test: QueuesUnderTest, queues: Queues
    ) -> None:
        wake_up: Message = {"client": "acme", "endpoint": "shop"}
        queues.send("deliveries", [wake_up] * 3)
        queues.send("deliveries", [wake_up], delay_seconds=900)

        assert under_test.received("deliveries") == [wake_up] * 3

    def test_a_message_that_does_not_say_whose_it_is_arrives_as_well(
        self, under_test: QueuesUnderTest, queues: Queues
    ) -> None:
        queues.send("deliveries", [{"client": "acme"}])
        queues.send("bookings", [{"client": "acme", "endpoint": "shop"}])

        assert under_test.groups("deliveries") == [None]
        assert under_test.groups("bookings") == [None]


def _numbers(messages: Sequence[Message]) -> list[int]:
    return sorted(int(str(message["number"] or 0)) for message in messages)
