from concurrent.futures import ThreadPoolExecutor

import pytest

from rms import composition
from rms.platform.aws import ATTEMPTS, open_client
from rms.platform.kms import open_secrets


def test_a_client_gives_up_soon_and_tries_three_times() -> None:
    config = open_client("dynamodb").meta.config

    assert (config.connect_timeout, config.read_timeout) == (1.0, 3.0)  # type: ignore[attr-defined]  # not in the stubs
    assert config.retries == {"mode": "standard", "total_max_attempts": ATTEMPTS}  # type: ignore[attr-defined]  # as above


def test_a_client_keeps_a_connection_for_each_message_that_is_worked_at_the_same_time() -> None:
    config = open_client("dynamodb").meta.config

    assert config.max_pool_connections >= composition.AT_ONCE  # type: ignore[attr-defined]  # not in the stubs


def test_threads_may_open_clients_at_the_same_time() -> None:
    with ThreadPoolExecutor(20) as threads:
        clients = list(threads.map(lambda _: open_client("sqs"), range(20)))

    assert len({id(client) for client in clients}) == 20


def test_the_environment_says_where_a_client_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")

    assert open_client("sqs").meta.endpoint_url == "http://127.0.0.1:4599"
    assert open_client("sqs", endpoint_url="http://127.0.0.1:4600").meta.endpoint_url == "http://127.0.0.1:4600"


def test_secrets_are_there_before_their_client_is() -> None:
    open_secrets("key", endpoint_url="not a url, and nobody has tried it yet")
