"""What the wrappers share: bodies and headers out of API Gateway's events, and the one line at the end."""

import base64
from collections.abc import Iterator

import pytest

from rms.platform.errors import TooLargeError
from rms.platform.events import MAX_BODY, at_init, body_of, header, observed
from rms.platform.observability import add_log_keys, correlation_id, count
from tests.logs import Log, rms_log


@pytest.fixture
def log() -> Iterator[Log]:
    with rms_log() as log:
        yield log


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_an_empty_one(body: str | None) -> None:
    assert body_of({"body": body, "isBase64Encoded": False}) == b""
    assert body_of({"body": body, "isBase64Encoded": True}) == b""
    assert body_of({}) == b""


def test_a_body_comes_out_byte_for_byte() -> None:
    raw = bytes(range(256))

    assert body_of({"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}) == raw
    assert body_of({"body": "Größe 🚚", "isBase64Encoded": False}) == "Größe 🚚".encode()


def test_text_with_half_a_surrogate_pair_is_still_bytes_for_the_parser_to_refuse() -> None:
    assert body_of({"body": "\ud83d"}) == b"\xed\xa0\xbd"


def test_the_limit_counts_bytes_not_characters() -> None:
    assert len(body_of({"body": "x" * MAX_BODY})) == MAX_BODY
    with pytest.raises(TooLargeError, match="256 KB"):
        body_of({"body": "ü" * (MAX_BODY // 2) + "x"})


def test_a_header_is_found_in_any_case_and_a_missing_one_is_none() -> None:
    event = {"headers": {"Content-TYPE": "application/json", "odd": None}}

    assert header(event, "content-type") == "application/json"
    assert header(event, "odd") is None
    assert header(event, "absent") is None
    assert header({"headers": None}, "content-type") is None


def test_work_leaves_one_line_with_its_keys_also_when_it_fails(log: Log) -> None:
    with observed("work", "r-1") as keys:
        keys["size"] = 3
    with pytest.raises(KeyError), observed("work", "r-2"):
        raise KeyError

    first, second = log.lines
    assert (first["message"], first["correlation_id"], first["size"]) == ("work", "r-1", 3)
    assert (second["correlation_id"], "size" in second) == ("r-2", False)


def test_work_within_work_leaves_its_keys_behind_and_finds_those_from_before(log: Log) -> None:
    with observed("outer", "r-1"):
        add_log_keys(client="acme")
        with observed("inner", "r-2"):
            assert correlation_id() == "r-2"
        assert correlation_id() == "r-1"
    assert correlation_id() is None

    inner, outer = log.lines
    assert (inner["message"], inner["correlation_id"], "client" in inner) == ("inner", "r-2", False)
    assert (outer["message"], outer["correlation_id"], outer["client"]) == ("outer", "r-1", "acme")


def test_what_was_counted_before_a_failure_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with observed("work", None):
            count("WebhookUnauthorized")
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert "WebhookUnauthorized" in capsys.readouterr().out


def test_the_core_is_built_early_inside_lambda_only(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    at_init(lambda: built.append(1))
    assert built == []

    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    at_init(lambda: built.append(1))
    assert built == [1]
