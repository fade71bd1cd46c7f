import json

import pytest
from moto import mock_aws

from local.operator import main
from rms.clients.credentials import Tenant, authenticate
from rms.core import Core
from rms.platform.aws import open_client
from rms.platform.dynamodb import DynamoTable
from tests.fakes.clock import FakeClock
from tests.fakes.files import FakeFiles
from tests.fakes.http import FakeHttp
from tests.fakes.queues import FakeQueues
from tests.fakes.secrets import FakeSecrets
from tests.template import create_table


def who_is(headers: dict[str, str]) -> Tenant | None:
    clock = FakeClock()
    table = DynamoTable(open_client("dynamodb"), "rms-here")
    core = Core.on(table, FakeQueues(clock), FakeSecrets(), FakeFiles(), FakeHttp(), clock=clock, fences=lambda: "f")
    return authenticate(core, headers["authDomainName"], headers["authUsername"], headers["authPassword"])


@mock_aws
def test_the_deployer_makes_the_first_operator_straight_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    create_table(open_client("dynamodb"), "rms-here")

    assert main(["--table", "rms-here"]) == 0

    assert who_is(json.loads(capsys.readouterr().out)) == Tenant("rms", "operator", ("operator",))


@mock_aws
def test_an_operator_who_is_there_is_not_touched_but_can_be_rotated(capsys: pytest.CaptureFixture[str]) -> None:
    create_table(open_client("dynamodb"), "rms-here")
    assert main(["--table", "rms-here", "--username", "asha"]) == 0
    first = json.loads(capsys.readouterr().out)

    assert main(["--table", "rms-here", "--username", "asha"]) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert "in use" in told.err
    assert "--rotate" in told.err
    assert who_is(first) is not None

    assert main(["--table", "rms-here", "--username", "asha", "--rotate"]) == 0

    second = json.loads(capsys.readouterr().out)
    assert who_is(first) is None
    assert who_is(second) == Tenant("rms", "asha", ("operator",))


@mock_aws
def test_nobody_is_rotated_who_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    create_table(open_client("dynamodb"), "rms-here")

    assert main(["--table", "rms-here", "--rotate"]) == 1
    assert "No such credential" in capsys.readouterr().err


@mock_aws
def test_a_table_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "rms-there"]) == 1
    assert "rms-there cannot be used" in capsys.readouterr().err


def test_without_a_region_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    assert main(["--table", "rms-here"]) == 1
    assert "region" in capsys.readouterr().err
