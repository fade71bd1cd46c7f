"""What must never be called, tried when an endpoint is registered and again when something is sent to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rms.model.notification_type import NotificationType
from rms.notifications.delivery import Later, Told
from rms.platform import outbound
from rms.platform.http import Http, HttpAnswer, HttpRequest, NoAnswer
from rms.platform.outbound import Outbound
from rms.platform.table import EXISTING, Key, Update
from tests.fakes.http import answer
from tests.integration.outbound.targets import NAMES, PUBLIC, URLS
from tests.servers import OK, Authority, Canary, Server, serving
from tests.unit.notifications.telling import a_journal, attempts, tell
from tests.world import CLIENT, HttpReply, World

HOST = "hooks.acme-store.com"
REFUSALS = ("URL refused: ", "address refused: ", "name does not resolve")
EVERY_TARGET = [*URLS, *(f"https://{name}:{{port}}/hook?token=hush" for name in NAMES)]

each_target = pytest.mark.parametrize("target", EVERY_TARGET, ids=lambda target: ascii(target)[:70])


class Dns:
    """An invented resolver: whatever it does not know leads to this machine. Answers change when a test says so."""

    def __init__(self, names: Mapping[str, Sequence[str]] = NAMES) -> None:
        self.names = dict(names)
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.names.get(host, ("127.0.0.1",))


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


@pytest.fixture(autouse=True)
def _nobody_calls_the_canary(canary: Canary) -> Iterator[None]:
    before = canary.heard
    yield
    assert canary.heard == before


def a_world(http: Http) -> World:
    """RMS with this way out."""
    world = World()
    world.core = replace(world.core, http=http)
    return world


def register(world: World, url: str, **more: Any) -> HttpReply:
    """The operator's call, all the way through the handler."""
    body = {"url": url, **more}
    return world.call(
        "administer_clients", "PUT", f"/clients/{CLIENT}/endpoints/shop", body, client="rms", roles="operator"
    )


def put_into_the_table(world: World, **urls: str) -> None:
    """An endpoint as older checks may have let it in."""
    world.core.table.write(Update(Key(f"C#{CLIENT}", "ENDPOINT#shop"), EXISTING, set=urls))


# ── at registration ─────────────────────────────────────────────────────────────────


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(set(EVERY_TARGET)) == len(EVERY_TARGET) >= 150


@each_target
def test_no_endpoint_is_registered_at(target: str, canary: Canary) -> None:
    world = a_world(Outbound(allow_loopback=False, resolve=Dns()))
    before = world.table.rows()

    reply = register(world, target.format(port=canary.port))

    assert (reply.status, reply.body["code"]) == (400, "BAD_DATA")
    assert reply.body["description"].startswith("[url: ")
    assert "acme" not in reply.body["description"]
    assert world.table.rows() == before


@each_target
def test_no_credential_api_is_registered_at(target: str, canary: Canary) -> None:
    world = a_world(Outbound(allow_loopback=False, resolve=Dns({**NAMES, "good.acme-store.com": PUBLIC})))

    reply = register(world, "https://good.acme-store.com/", credentialUrl=target.format(port=canary.port))

    assert (reply.status, reply.body["code"]) == (400, "BAD_DATA")
    assert reply.body["description"].startswith("[credentialUrl: ")


# ── at every send ───────────────────────────────────────────────────────────────────


def fails_once(world: World) -> str:
    """Tells the endpoint something; answers why that failed, after one try."""
    aggregate = a_journal(world, NotificationType.OUT_FOR_PICKUP)
    assert isinstance(tell(world, aggregate), Later)
    [attempt] = attempts(world, aggregate)
    assert "status" not in attempt or attempt["status"] is None
    return str(attempt["outcome"])


@pytest.mark.parametrize("target", URLS, ids=lambda target: ascii(target)[:70])
def test_nothing_is_sent_to_an_endpoint_that_was_let_in_with(target: str, canary: Canary) -> None:
    world = a_world(Outbound(allow_loopback=False, resolve=Dns()))
    put_into_the_table(world, url=target.format(port=canary.port))

    assert fails_once(world).startswith(REFUSALS)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_sent_to_a_name_that_was_public_when_it_was_registered_and_now_is(name: str, canary: Canary) -> None:
    dns = Dns({name: PUBLIC})
    world = a_world(Outbound(allow_loopback=False, resolve=dns))
    assert register(world, f"https://{name}:{canary.port}/hook").status == 200

    dns.names = dict(NAMES)

    assert fails_once(world).startswith(REFUSALS[1:])
    assert dns.asked == [name, name]


class RefusesTheFirst:
    """An endpoint that answers 401 before the way out begins; all else goes out."""

    def __init__(self, http: Outbound, url: str) -> None:
        self.http = http
        self.url = url

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        return answer(401) if request.url == self.url else self.http.send(request)

    def problem_with(self, url: str) -> str | None:
        return self.http.problem_with(url)


@each_target
def test_no_credentials_are_fetched_from(target: str, canary: Canary) -> None:
    world = a_world(RefusesTheFirst(Outbound(allow_loopback=False, resolve=Dns()), f"https://{HOST}/hook"))
    put_into_the_table(world, url=f"https://{HOST}/hook", credential_url=target.format(port=canary.port))
    aggregate = a_journal(world, NotificationType.OUT_FOR_PICKUP)

    assert isinstance(tell(world, aggregate), Later)
    assert [attempt["status"] for attempt in attempts(world, aggregate)] == [401]


# ── and what may be called, is: at the address that was checked ─────────────────────


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hooks(authority: Authority) -> Iterator[Server]:
    """The endpoint's server, under its own certificate."""
    with serving(OK, authority.server(HOST)) as server:
        yield server


def test_with_this_machine_allowed_the_call_arrives_under_the_hosts_own_name(
    authority: Authority, hooks: Server
) -> None:
    http = Outbound(allow_loopback=True, resolve=Dns(), tls=authority.trusted())
    world = a_world(http)
    put_into_the_table(world, url=f"https://{HOST}:{hooks.port}/hook?token=hush")

    assert tell(world, a_journal(world, NotificationType.OUT_FOR_PICKUP)) == Told()
    http.close()

    [request] = hooks.requests
    assert request.startswith(b"POST /hook?token=hush HTTP/1.1\r\n")
    assert f"\r\nHost: {HOST}:{hooks.port}\r\n".encode() in request
    assert hooks.names == [HOST]
    assert hooks.connections == 1


def test_no_variable_of_the_environment_leads_a_call_elsewhere(
    authority: Authority, hooks: Server, canary: Canary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{canary.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "nothing.example.com")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    (tmp_path / "netrc").write_text(f"machine {HOST} login rms password hush\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    http = Outbound(allow_loopback=True, resolve=Dns(), tls=authority.trusted())
    world = a_world(http)
    put_into_the_table(world, url=f"https://{HOST}:{hooks.port}/hook")

    assert tell(world, a_journal(world, NotificationType.OUT_FOR_PICKUP)) == Told()
    http.close()

    [request] = hooks.requests
    assert b"authorization" not in request.lower()


def test_neither_no_proxy_nor_a_proxy_opens_the_way_to_this_machine(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    world = a_world(Outbound(allow_loopback=False, resolve=Dns()))
    put_into_the_table(world, url=f"https://loop.acme-store.com:{canary.port}/")

    assert fails_once(world).startswith("address refused: ")


def test_a_resolver_that_changes_its_mind_is_asked_once_for_each_call_and_its_checked_answer_is_dialled(
    authority: Authority, hooks: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, dialled, real = [PUBLIC, PUBLIC, ("127.0.0.1",)], list[Sequence[str]](), outbound._dialled

    def as_if_public(addresses: Sequence[str], port: int, exchange: Any) -> Any:
        dialled.append(addresses)
        return real(("127.0.0.1",), port, exchange)

    monkeypatch.setattr(outbound, "_dialled", as_if_public)
    http = Outbound(allow_loopback=False, resolve=lambda _host, _port: answers.pop(0), tls=authority.trusted())
    world = a_world(http)
    assert register(world, f"https://{HOST}:{hooks.port}/hook").status == 200
    assert dialled == []

    assert tell(world, a_journal(world, NotificationType.OUT_FOR_PICKUP)) == Told()
    assert dialled == [PUBLIC]
    assert hooks.names == [HOST]
    second = a_journal(world, NotificationType.OUT_FOR_PICKUP, code="RET-2")
    assert isinstance(tell(world, second), Later)
    http.close()

    assert dialled == [PUBLIC]
    assert answers == []
    assert len(hooks.requests) == 1


def test_the_local_stage_alone_may_name_this_machine_and_nothing_else_that_is_near(canary: Canary) -> None:
    near = ("http://127.0.0.1:9/hook", "http://localhost:9/hook", "https://localhost:9/hook")
    other = (f"http://loop.acme-store.com:{canary.port}/", "http://10.0.0.1/", "https://ten.acme-store.com/")
    http = Outbound(allow_loopback=True, resolve=Dns())
    for local in (True, False):
        world = a_world(http if local else Outbound(allow_loopback=False, resolve=Dns()))
        world.core = replace(world.core, local=local)
        assert [register(world, url).status for url in near] == ([200] * 3 if local else [400] * 3)
        assert [register(world, url).status for url in other] == [400] * 3
