"""The race for fresh headers on an engine that speaks AWS."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import pytest
from moto import mock_aws

from rms.clients import administration
from rms.clients.configuration import endpoint_from
from rms.clients.endpoints import Settings, put_endpoint
from rms.core import Core
from rms.notifications.credentials import fresh_headers
from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from rms.platform.http import HttpRequest
from rms.platform.table import Key
from tests.fakes.http import Answer, answer
from tests.ports.engines import OneAtATime
from tests.template import create_table
from tests.unit.notifications.telling import CREDENTIALS, HOOK
from tests.world import CLIENT, World

DELIVERIES = 16


@pytest.fixture
def world() -> Iterator[World]:
    """RMS whose table is moto's; its calls take turns, because moto is not atomic under threads."""
    with mock_aws():
        client = open_client("dynamodb")
        create_table(client, "rms-credentials")
        in_turn: Any = OneAtATime(client)
        world = World()
        core = world.core
        world.core = Core.on(
            DynamoTable(in_turn, "rms-credentials"),
            core.queues,
            core.secrets,
            core.files,
            core.http,
            clock=core.clock,
            fences=core.fences,
        )
        administration.create_client(world.core, CLIENT, "Lotus Clothing")
        settings = Settings(url=HOOK, headers={"Authorization": "Bearer first"}, credential_url=CREDENTIALS)
        put_endpoint(world.core, CLIENT, "shop", lambda _: settings)
        yield world


@pytest.mark.parametrize("status", [200, 500])
def test_all_that_are_refused_at_once_make_one_call(world: World, status: int) -> None:
    row = world.core.table.get(Key(f"C#{CLIENT}", "ENDPOINT#shop"))
    assert row is not None
    used, together, waiting, calls = endpoint_from(row), Barrier(DELIVERIES), Event(), list[HttpRequest]()

    def credentials(request: HttpRequest) -> Answer:
        calls.append(request)
        waiting.wait(20)
        return answer(status, {"Authorization": "Bearer second"})

    def pause(_: float) -> None:
        waiting.set()

    def deliver(_: int) -> object:
        together.wait(20)
        return fresh_headers(replace(world.core, pause=pause), CLIENT, used)

    world.http.on(CREDENTIALS, credentials)
    with ThreadPoolExecutor(DELIVERIES) as pool:
        answers = list(pool.map(deliver, range(DELIVERIES)))

    assert len(calls) == 1
    fresh = [each for each in answers if each is not None]
    assert used not in fresh
    assert bool(fresh) == (status == 200)
    assert fresh_headers(world.core, CLIENT, used) == (fresh[0] if fresh else None)
    assert len(calls) == 1
