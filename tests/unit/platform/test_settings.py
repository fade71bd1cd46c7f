"""Settings: what is missing is named at the cold start, all at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from rms import composition
from rms.platform import outbound
from rms.platform.settings import BadSettingsError, Settings

GOOD = {
    "RMS_STAGE": "live",
    "RMS_TABLE": "rms-live",
    "RMS_INBOUND_QUEUE": "https://sqs.example/1/inbound",
    "RMS_BOOKINGS_QUEUE": "https://sqs.example/1/bookings",
    "RMS_DELIVERIES_QUEUE": "https://sqs.example/1/deliveries",
    "RMS_SECRETS_KEY": "arn:aws:kms:ap-south-1:000000000000:key/k",
    "RMS_LABELS_BUCKET": "rms-live-labels",
    "RMS_SILENCE_HOURS": "36",
}


def test_settings_are_read_from_the_environment() -> None:
    assert Settings.read(GOOD | {"PATH": "/bin"}) == Settings(
        stage="live",
        table="rms-live",
        inbound_queue="https://sqs.example/1/inbound",
        bookings_queue="https://sqs.example/1/bookings",
        deliveries_queue="https://sqs.example/1/deliveries",
        secrets_key="arn:aws:kms:ap-south-1:000000000000:key/k",
        labels="rms-live-labels",
        silence=timedelta(hours=36),
    )


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [None, ""])
def test_each_variable_that_is_missing_or_empty_is_named(name: str, value: str | None) -> None:
    environment = {other: kept for other, kept in GOOD.items() if other != name}
    if value is not None:
        environment[name] = value

    with pytest.raises(BadSettingsError, match=rf"^not set: {name}$"):
        Settings.read(environment)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(BadSettingsError) as missing:
        Settings.read({})

    assert all(name in str(missing.value) for name in GOOD)


@pytest.mark.parametrize("name", [name for name in GOOD if name.endswith("QUEUE")])
@pytest.mark.parametrize("url", ["inbound", "arn:aws:sqs:ap-south-1:000000000000:inbound", "ftp://x"])
def test_a_queue_that_is_no_url_fails_the_cold_start(name: str, url: str) -> None:
    with pytest.raises(BadSettingsError, match="URL"):
        Settings.read(GOOD | {name: url})


@pytest.mark.parametrize("hours", ["0", "-1", "721", "1.5", "a day", "²"])
def test_a_silence_that_is_none_fails_the_cold_start(hours: str) -> None:
    with pytest.raises(BadSettingsError, match="RMS_SILENCE_HOURS must be from 1 to 720"):
        Settings.read(GOOD | {"RMS_SILENCE_HOURS": hours})


@pytest.mark.parametrize(("stage", "local"), [("local", True), ("live", False), ("LOCAL", False), ("local2", False)])
def test_only_the_local_stage_is_local(stage: str, *, local: bool) -> None:
    assert Settings.read(GOOD | {"RMS_STAGE": stage}).local is local


def test_a_cold_start_without_settings_fails_and_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in GOOD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(composition, "_built", [])

    with pytest.raises(BadSettingsError, match="RMS_TABLE"):
        composition.core()


def test_threads_share_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []

    def build() -> object:
        time.sleep(0.02)
        built.append(object())
        return built[-1]

    monkeypatch.setattr(composition, "_built", [])
    monkeypatch.setattr(composition, "_build", build)
    with ThreadPoolExecutor(20) as threads:
        given = list(threads.map(lambda _: composition.core(), range(20)))

    assert len(built) == 1
    assert set(map(id, given)) == {id(built[0])}


def test_threads_share_one_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def open_outbound(*, allow_loopback: bool) -> object:
        assert not allow_loopback
        time.sleep(0.02)
        opened.append(object())
        return opened[-1]

    monkeypatch.setattr(outbound, "Outbound", open_outbound)
    way_out = composition._OutboundWhenNeeded(allow_loopback=False)
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda _: way_out._outbound(), range(20)))

    assert len(opened) == 1
