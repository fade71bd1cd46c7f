"""The calls that the guide shows are made as they stand there."""

import json
import re
from typing import Any, Final

import pytest

from tests.infrastructure.stack import ROOT
from tests.world import World

GUIDE: Final = (ROOT / "docs" / "operations.md").read_text()
CALLS: Final = re.findall(r"^call (\w+) (\S+)(?: '(\{.*?\})')?$", GUIDE, re.MULTILINE | re.DOTALL)


def _made(world: World, method: str, path: str, body: str) -> Any:
    # A key and a password stand there as "…", and a header takes printable ASCII only.
    given = json.loads(body.replace("…", "not-a-real-secret-0")) if body else None
    return world.call("administer_clients", method, path, given, client="rms", roles="operator")


def test_a_client_is_set_up_by_the_calls_in_the_guide() -> None:
    world = World()

    answers = [_made(world, *call) for call in CALLS]

    assert [method for method, _, _ in CALLS] == ["POST", "POST", "PUT", "PUT", "GET", "PUT"]
    assert [answer.status for answer in answers] == [201, 201, 200, 200, 200, 200]
    assert set(answers[1].body) == {"authDomainName", "authUsername", "authPassword"}
    assert answers[3].body["signingSecret"].startswith("whsec_")
    assert answers[4].body["accounts"][0]["booksReturns"] is True


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call[:2]))
def test_only_operators_may_make_them(call: tuple[str, str, str]) -> None:
    method, path, _ = call

    assert World().call("administer_clients", method, path, {}, roles="client").status == 403


def test_the_replay_in_the_guide_is_one_that_rms_takes() -> None:
    [body] = re.findall(r"/replay\" -H … --data '(\{.*?\})'", GUIDE)

    # The return does not exist here; its body has been read by then.
    assert World().replay("RET-1", json.loads(body)).status == 404


def test_the_shards_in_the_guide_are_those_of_the_code() -> None:
    from rms.journal.keys import all_due_shards, parked_shard, stalled_shard
    from rms.shipments.booking import HELD
    from rms.shipments.claims import UNMATCHED

    first, *_, last = all_due_shards()

    standing = (stalled_shard("CLIENT", "ENDPOINT"), parked_shard("CLIENT", "ENDPOINT"), HELD, UNMATCHED)

    for shard in (*standing, first, last):
        assert f"`{shard}`" in GUIDE
