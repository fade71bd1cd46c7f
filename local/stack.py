"""The local AWS with RMS deployed on it: the very `template.yaml`, built by `sam build`, deployed by `sam deploy`.

    with local_stack("demo") as stack:
        requests.get(f"{stack.api_url}/return/return-orders", headers=...)

No account, no Docker, no network beyond loopback. Each stack has its own ports, state and log folder, so that several
run side by side; all of it is gone at the end, also after Ctrl-C or when the one who started it is killed. IAM is
enforced: a function that lacks a permission in the template is refused, as it would be in production.
What differs from AWS is listed in docs/local-aws.md.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from local import environments
from local.processes import ROOT, DidNotStart, Process, free_port
from local.steps import say, step
from rms.platform.aws import SERVICES

LOCAL: Final = ROOT / ".local"
BUILDS: Final = LOCAL / "builds"
STACKS: Final = LOCAL / "stacks"
WORKERS: Final = 4
"""Most processes of each queue worker at a time: enough to race, and no more than a small machine can start."""

REGION: Final = "ap-south-1"
STAGE: Final = "local"
KEPT_BUILD_SECONDS: Final = 3600
START_SECONDS: Final = 60.0
NOISE: Final = ("START RequestId", "END RequestId", "REPORT RequestId")
DULL: Final = frozenset({"level", "location", "message", "timestamp", "service", "xray_trace_id", "stack_trace"})
METRICS: Final = '{"_aws":'
MOST_LINE: Final = 1500
ARCHITECTURES: Final = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


class DeployFailed(RuntimeError):  # noqa: N818 - reads as the sentence it is
    """`sam` refused; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Stack:
    """RMS, deployed and answering.

    Attributes:
        endpoint_url: where every AWS service answers.
        api_url: base of RMS's own API, without a slash at the end.
        outputs: the template's outputs by name.
        folder: its state and logs, gone when the stack stops.
    """

    endpoint_url: str
    api_url: str
    outputs: Mapping[str, str]
    folder: Path

    def client(self, service: str) -> Any:
        """A boto3 client for one of its AWS services, as the account's root."""
        return _client(service, self.endpoint_url)

    def logs(self, *, since: float = 0.0) -> list[str]:
        """What the functions logged since a Unix time, in order, one `group: line` each, without Lambda's own lines."""
        logs = self.client("logs")
        lines: list[tuple[int, str]] = []
        for group in logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=int(since * 1000))
            lines += [
                (event["timestamp"], f"{name.rsplit('/', 1)[-1]}: {event['message'].rstrip()}")
                for page in pages
                for event in page["events"]
                if not event["message"].startswith(NOISE)
            ]
        return [line for _, line in sorted(lines, key=lambda entry: entry[0])]

    def print_logs(self, *, since: float = 0.0, last: int = 60) -> None:
        """Print the last lines that the functions logged, for a person who asks why; of a fault its last lines."""
        lines = [line for line in self.logs(since=since) if METRICS not in line]
        say(f"-- what the functions logged ({min(last, len(lines))} of {len(lines)} lines)")
        for line in lines[-last:]:
            say(f"   {_brief(line)}")


def _brief(line: str) -> str:
    """A log line without what nobody reads: place, service, trace; a traceback by its end."""
    group, _, message = line.partition(": ")
    try:
        keys = json.loads(message)
    except ValueError:
        return line[:MOST_LINE]
    if not isinstance(keys, dict):
        return line[:MOST_LINE]
    head = f"{str(keys.get('timestamp', ''))[11:23]} {group}: {keys.get('level', '')} {keys.get('message', '')}"
    rest = {name: value for name, value in keys.items() if name not in DULL}
    if isinstance(fault := rest.pop("exception", None), str):
        rest["exception"] = " | ".join(part.strip() for part in fault.strip().splitlines()[-4:])
    return f"{head} {json.dumps(rest)}"[:MOST_LINE]


@contextmanager
def local_stack(name: str = "rms") -> Iterator[Stack]:
    """RMS on a local AWS of its own, stopped and cleaned up at the end.

    When the block fails, the functions' last log lines are printed first.

    Raises:
        DidNotStart: the local AWS did not come up; with its log.
        DeployFailed: `sam build` or `sam deploy` refused; with its words.
    """
    environments.ensure(("sam", "local-aws"))
    with _own_folder(name) as folder:
        built = _build(folder)
        with step("Starting the local AWS"):
            aws, endpoint_url = _start(folder)
        with aws:
            with step("Deploying RMS to it"):
                stack = _deploy(built, endpoint_url, folder)
                _bound_workers(stack)
            try:
                yield stack
            except Exception:
                with suppress(Exception):
                    stack.print_logs()
                raise


def _bound_workers(stack: Stack) -> None:
    """Let each queue have a few workers only: each is a process with a copy of the layers, for a small machine."""
    functions = stack.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": WORKERS})


def _client(service: str, endpoint_url: str) -> Any:
    session: Any = boto3.session.Session(
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - nobody
        region_name=REGION,
    )
    return session.client(
        service,
        endpoint_url=endpoint_url,
        config=Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=3, read_timeout=30),
    )


# ── folders ──────────────────────────────────────────────────────────────────────────────


@contextmanager
def _own_folder(name: str) -> Iterator[Path]:
    """A fresh folder that no other stack uses; held by a lock, so that what a killed run left behind is removed."""
    STACKS.mkdir(parents=True, exist_ok=True)
    for left in STACKS.iterdir():
        _remove_if_abandoned(left)
    folder = STACKS / f"{name}-{os.getpid()}-{time.time_ns():x}"
    for part in ("state", "tmp", "home"):
        (folder / part).mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            with step("Removing what it left behind"):
                shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(OSError), (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


def _tool_environment(folder: Path, environment: str) -> dict[str, str]:
    """All that a tool gets to see: no account, no configuration, no proxy of the person who runs it."""
    tools = environments.python(environment).parent
    return {
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.3",
        "__SAM_CLI_APP_DIR": str(folder / "home" / "sam"),
    }


# ── build ────────────────────────────────────────────────────────────────────────────────


def _build(folder: Path) -> Path:
    """The built template; `sam build` runs only when something that it reads has changed."""
    BUILDS.mkdir(parents=True, exist_ok=True)
    with (BUILDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build = BUILDS / _inputs_digest()[:16]
        if (build / "done").exists():
            os.utime(build)
            return build / "artifacts" / "template.yaml"
        with step("Building the functions and layers (sam build)"):
            _drop_old_builds()
            shutil.rmtree(build, ignore_errors=True)
            _sam(
                folder,
                "build",
                *("--config-file", ROOT / "samconfig.toml", "--config-env", "local"),
                *("--template-file", ROOT / "template.yaml"),
                *("--build-dir", build / "artifacts", "--cache-dir", BUILDS / "cache"),
                *("--parameter-overrides", f"Stage={STAGE} Architecture={_architecture()}"),
                reaches_registry=True,
            )
            _leave_out_other_services(build / "artifacts" / "Dependencies" / "python" / "botocore" / "data")
            (build / "done").touch()
        return build / "artifacts" / "template.yaml"


def _leave_out_other_services(models: Path) -> None:
    """Drop botocore's descriptions of the 400 services that RMS never calls.

    The local AWS unpacks the layers once for each process that runs a function: these are 2,000 of the 2,800 files.
    """
    for service in models.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)


def _inputs_digest() -> str:
    digest = hashlib.sha256(_architecture().encode())
    paths = [ROOT / "template.yaml", ROOT / "samconfig.toml", ROOT / "requirements" / "sam.txt"]
    for folder in ("functions", "layers"):
        paths += sorted(path for path in (ROOT / folder).rglob("*") if path.is_file() and not _is_by_product(path))
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _is_by_product(path: Path) -> bool:
    return any(part == "__pycache__" or part.endswith(".egg-info") for part in path.parts)


def _drop_old_builds() -> None:
    """Forget builds that no running deployment can be reading any more."""
    for old in BUILDS.iterdir():
        if old.is_dir() and old.name != "cache" and time.time() - old.stat().st_mtime > KEPT_BUILD_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _architecture() -> str:
    """The host's, because the functions run on it; production is arm64."""
    return ARCHITECTURES[platform.machine()]


def _sam(folder: Path, *arguments: str | Path, endpoint_url: str = "", reaches_registry: bool = False) -> None:
    environment = _tool_environment(folder, "sam")
    if endpoint_url:
        environment["AWS_ENDPOINT_URL"] = endpoint_url
    if reaches_registry:
        # Only the download of the layer's libraries needs the user's own pip settings and proxies.
        mine = {key: value for key, value in os.environ.items() if key.upper().startswith(("PIP_", "HTTP", "SSL_"))}
        environment = {**environment, **mine, "HOME": os.environ.get("HOME", environment["HOME"])}
        environment.pop("NO_PROXY")
    done = subprocess.run(
        [environments.python("sam"), "-m", "samcli", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeployFailed(f"sam {arguments[0]} failed.\n{done.stdout}\n{done.stderr}")


# ── start ────────────────────────────────────────────────────────────────────────────────


def _start(folder: Path) -> tuple[Process, str]:
    """The local AWS on a free port of loopback; another port when somebody was faster."""
    for attempt in range(3):
        port = free_port()
        endpoint_url = f"http://127.0.0.1:{port}"
        environment = _tool_environment(folder, "local-aws") | {
            "AUTH": "true",  # evaluate every function's role
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "STATE_DIR": str(folder / "state"),
            "LOG_LEVEL": "INFO",
        }
        command: list[str | Path] = [environments.python("local-aws"), "-m", "ministack"]
        aws = Process("the local AWS", command, log=folder / f"aws-{attempt}.log", env=environment, cwd=folder)
        try:
            aws.wait_until(partial(_healthy, endpoint_url), START_SECONDS)
        except DidNotStart:
            aws.stop()
            if attempt == 2:  # noqa: PLR2004 - the last of three
                raise
            continue
        except BaseException:
            aws.stop()
            raise
        return aws, endpoint_url
    raise AssertionError("the loop above returns or raises")


def _healthy(endpoint_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint_url}/_ministack/health", timeout=1) as answer:  # noqa: S310 - http, ours
            return bool(json.load(answer).get("services"))
    except (urllib.error.URLError, OSError, ValueError):
        return False


# ── deploy ───────────────────────────────────────────────────────────────────────────────


def _deploy(built: Path, endpoint_url: str, folder: Path) -> Stack:
    _sam(
        folder,
        "deploy",
        *("--config-file", ROOT / "samconfig.toml", "--config-env", "local"),
        *("--template-file", built),
        *("--parameter-overrides", f"Stage={STAGE} Architecture={_architecture()}"),
        endpoint_url=endpoint_url,
    )
    formation = _client("cloudformation", endpoint_url)
    [description] = formation.describe_stacks(StackName="rms-local")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
    api_id = outputs["ApiId"]
    processed = formation.get_template(StackName="rms-local", TemplateStage="Processed")["TemplateBody"]
    _put_gateway_responses(processed, api_id, endpoint_url)
    _allow_batches(endpoint_url)
    api_url = f"{endpoint_url}/restapis/{api_id}/{STAGE}/_user_request_"
    return Stack(endpoint_url=endpoint_url, api_url=api_url, outputs=outputs, folder=folder)


def _put_gateway_responses(template: Mapping[str, Any], api_id: str, endpoint_url: str) -> None:
    """Give the API its own error bodies: the local AWS drops them on import and honours them when asked."""
    gateway = _client("apigateway", endpoint_url)
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::ApiGateway::RestApi":
            continue
        responses = resource["Properties"]["Body"].get("x-amazon-apigateway-gateway-responses", {})
        for kind, response in responses.items():
            request = {"responseTemplates": response.get("responseTemplates", {})}
            request["responseParameters"] = response.get("responseParameters", {})
            if "statusCode" in response:
                request["statusCode"] = str(response["statusCode"])
            gateway.put_gateway_response(restApiId=api_id, responseType=kind, **request)
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)


def _allow_batches(endpoint_url: str) -> None:
    """On AWS who may `sqs:SendMessage` may send batches; the local AWS asks for an action that does not exist there."""
    iam = _client("iam", endpoint_url)
    roles = [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    for role in roles:
        statements = [
            {"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": statement["Resource"]}
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
            for statement in iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow" and "sqs:SendMessage" in _listed(statement["Action"])
        ]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=role, PolicyName="local-batches", PolicyDocument=document)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
