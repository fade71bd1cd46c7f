"""Every function as deployed: what all have, and what none has."""

from typing import Any, Final

import pytest

from tests.infrastructure.stack import FUNCTIONS, PARAMETERS, ROOT, api_functions, folder_of, functions, of_type
from tests.template import resolved, template

NAMES: Final = sorted(functions())

LONGER_HANDLERS: Final = {
    "administer_clients": 125,
    "manage_endpoints": 85,
    "read_deliveries": 70,
    "replay_notifications": 85,
}
"""Handlers with more than MAX_LINES: those of many small routes, one per thing that an operator or a client does."""

MAX_LINES: Final = 40
ENVIRONMENT: Final = {
    "RMS_STAGE": "prod",
    "RMS_TABLE": {"Ref": "State"},
    "RMS_INBOUND_QUEUE": {"Ref": "Inbound"},
    "RMS_BOOKINGS_QUEUE": {"Ref": "Bookings"},
    "RMS_DELIVERIES_QUEUE": {"Ref": "Deliveries"},
    "RMS_SECRETS_KEY": {"Fn::GetAtt": ["SecretsKey", "Arn"]},
    "RMS_LABELS_BUCKET": {"Ref": "Labels"},
    "RMS_SILENCE_HOURS": 24,
    "POWERTOOLS_METRICS_NAMESPACE": "RMS",
}
"""All that a function is told: names of things. No secret, and nothing that would be one if it leaked."""


def test_each_function_has_its_folder_and_each_folder_its_function() -> None:
    folders = {path.parent.name for path in FUNCTIONS.glob("*/app.py")}

    assert {folder_of(name) for name in NAMES} == folders
    for name in NAMES:
        source = template()["Resources"][name]["Properties"]
        assert source["CodeUri"] == f"functions/{folder_of(name)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_holds_one_short_handler_and_nothing_else(name: str) -> None:
    folder = FUNCTIONS / folder_of(name)
    files = {path.name for path in folder.iterdir() if path.name != "__pycache__"}

    assert files == {"app.py"}
    assert len((folder / "app.py").read_text().splitlines()) <= LONGER_HANDLERS.get(folder.name, MAX_LINES)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_runs_on_the_pinned_python_traced_with_json_logs(name: str) -> None:
    function = functions()[name]

    assert function["Runtime"] == f"python{(ROOT / '.python-version').read_text().strip()}"
    assert function["Handler"] == "app.handler"
    assert function["Architectures"] == ["arm64"]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert 256 <= function["MemorySize"] <= 1024


@pytest.mark.parametrize("name", NAMES)
def test_a_function_writes_to_its_own_log_group_which_forgets(name: str) -> None:
    group = functions()[name]["LoggingConfig"]["LogGroup"]
    groups = of_type("AWS::Logs::LogGroup")

    assert group == {"Ref": f"{name}Logs"}
    assert groups[f"{name}Logs"]["LogGroupName"] == {"Fn::Sub": f"/rms/${{Stage}}/{folder_of(name)}"}


@pytest.mark.parametrize("group", sorted(of_type("AWS::Logs::LogGroup")))
def test_how_long_logs_are_kept_is_a_parameter(group: str) -> None:
    assert template()["Resources"][group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", NAMES)
def test_a_function_is_told_names_and_no_secrets(name: str) -> None:
    assert functions()[name]["Environment"]["Variables"] == ENVIRONMENT


@pytest.mark.parametrize("name", sorted(api_functions()))
def test_the_gateway_waits_for_its_functions(name: str) -> None:
    assert functions()[name]["Timeout"] <= 29


@pytest.mark.parametrize("name", NAMES)
def test_no_function_is_started_from_a_snapshot(name: str) -> None:
    """See docs/adr/0007-no-snapstart.md."""
    assert "SnapStart" not in functions()[name]


def test_the_parameters_are_those_that_the_guide_explains() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    parameters: dict[str, Any] = template()["Parameters"]

    assert set(parameters) == {
        "Stage",
        "Architecture",
        "LogRetentionDays",
        "AlarmTopicArn",
        "CredentialCacheSeconds",
        "LabelRetentionDays",
        "SilenceHours",
    }
    assert parameters["Architecture"]["Default"] == "arm64"
    assert set(parameters["Architecture"]["AllowedValues"]) == {"arm64", "x86_64"}
    assert [name for name in parameters if f"`{name}`" not in guide] == []


def test_the_local_stage_alone_may_be_deleted_with_its_table() -> None:
    table = template()["Resources"]["State"]["Properties"]

    assert resolved(table["DeletionProtectionEnabled"], template(), PARAMETERS) is True
    assert resolved(table["DeletionProtectionEnabled"], template(), {"Stage": "local"}) is False


def test_the_layers_are_built_for_the_architecture_that_runs_them() -> None:
    """Without this SAM builds layers for x86_64, and libraries with C code do not load on arm64."""
    for resource in template()["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            assert resource["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
            assert resource["Properties"]["CompatibleArchitectures"] == [{"Ref": "Architecture"}]


def test_the_layers_come_from_the_core_and_the_locked_requirements() -> None:
    layers = {
        resource["Properties"]["ContentUri"]: resource["Metadata"]["BuildMethod"]
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }
    lock = (ROOT / "layers" / "dependencies" / "requirements.txt").read_text()

    assert layers == {"layers/rms/src": "python3.13", "layers/dependencies": "python3.13"}
    assert "--hash=sha256:" in lock
    assert "-index-url" not in lock
