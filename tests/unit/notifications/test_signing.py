import base64
import itertools
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from rms.notifications.signing import message_id, new_secret, sign

SECRET = new_secret(b"an example secret of 32 bytes ...")
OTHER = new_secret(b"another example, of 40 bytes in all ....")
BODY = '{"forwardOrderCode":"F-1001","note":"größer"}'.encode()


def now() -> datetime:
    """The library checks against the real clock."""
    return datetime.now(UTC)


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_the_standard_library_of_receivers_verifies_with_either_active_secret(secret: str) -> None:
    headers = sign([SECRET, OTHER], "msg_1", now(), BODY)

    assert Webhook(secret).verify(BODY, headers)


@given(body=st.binary(min_size=0, max_size=300), random=st.binary(min_size=24, max_size=64))
def test_any_body_under_any_secret_verifies(body: bytes, random: bytes) -> None:
    text = b'"' + base64.b64encode(body) + b'"'
    headers = sign([new_secret(random)], "msg_1", now(), text)

    Webhook(new_secret(random)).verify(text, headers)


def test_another_body_id_or_secret_does_not_verify() -> None:
    headers = sign([SECRET], "msg_1", now(), BODY)

    for secret, body, changed in (
        (OTHER, BODY, {}),
        (SECRET, BODY + b" ", {}),
        (SECRET, BODY, {"webhook-id": "msg_2"}),
        (SECRET, BODY, {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers | changed)


def test_an_old_signature_does_not_verify() -> None:
    headers = sign([SECRET], "msg_1", now() - timedelta(minutes=6), BODY)

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers)


def test_the_headers_are_those_of_the_standard() -> None:
    headers = sign([SECRET, OTHER], "msg_1", datetime(2026, 3, 4, 5, 6, 7, 999_999, UTC), BODY)

    assert list(headers) == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    assert headers["webhook-timestamp"] == "1772600767"
    assert [part[:3] for part in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]


def test_a_retry_keeps_the_id_and_the_signature_follows_the_time() -> None:
    first = sign([SECRET], "msg_1", datetime(2026, 3, 4, tzinfo=UTC), BODY)
    second = sign([SECRET], "msg_1", datetime(2026, 3, 5, tzinfo=UTC), BODY)

    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_notification_is_never_sent_unsigned() -> None:
    with pytest.raises(ValueError, match="no active secret"):
        sign([], "msg_1", now(), BODY)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", SECRET.removeprefix("whsec_"), "whsec_" + "A" * 200]
)
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="form") as caught:
        sign([secret], "msg_1", now(), BODY)

    assert secret[6:] not in str(caught.value) or len(secret) < 7


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_secret_of_24_to_64_bytes_is_made(size: int) -> None:
    random = os.urandom(size)

    assert new_secret(random) == "whsec_" + base64.b64encode(random).decode()


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="24 to 64"):
        new_secret(bytes(size))


def test_an_id_is_stable_plain_and_tells_nothing() -> None:
    made = message_id("acme", "R#RET-1", 7, "ep_main")

    assert made == message_id("acme", "R#RET-1", 7, "ep_main") == "msg_37fe474b16b7040f8482e1c6aa04e7f67667fba6"
    assert "RET" not in made


def test_every_part_of_an_id_counts_and_no_two_run_together() -> None:
    parts = ["a", "aa", "a1", "1", "11", "a:1"]
    ids = {
        message_id(client, aggregate, sequence, endpoint)
        for client, aggregate, endpoint in itertools.product(parts, repeat=3)
        for sequence in (1, 11)
    }

    assert len(ids) == len(parts) ** 3 * 2
