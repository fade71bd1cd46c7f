"""Places that a client must not be able to make RMS call. A canary listens on every address of this machine."""

import socket
from collections.abc import Iterator, Sequence

import pytest

from rms.platform import outbound
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from rms.platform.outbound import Outbound
from tests.servers import Canary

pytestmark = pytest.mark.enable_socket

# What the invented DNS says. Names of one label and the like are here too, so that only our own checks can stop them.
NAMES = {
    "loop.acme-store.com": ("127.0.0.1",),
    "loop-other.acme-store.com": ("127.8.8.8",),
    "any.acme-store.com": ("0.0.0.0",),  # noqa: S104 - dialled, it means this machine
    "any6.acme-store.com": ("::",),
    "loop6.acme-store.com": ("::1",),
    "mapped.acme-store.com": ("::ffff:127.0.0.1",),
    "mapped-hex.acme-store.com": ("::ffff:7f00:1",),
    "compatible.acme-store.com": ("::127.0.0.1",),
    "translated.acme-store.com": ("64:ff9b::7f00:1",),
    "translated-local.acme-store.com": ("64:ff9b:1::7f00:1",),
    "sixtofour.acme-store.com": ("2002:7f00:1::1",),
    "teredo.acme-store.com": ("2001:0:4136:e378:8000:63bf:80ff:fffe",),
    "isatap.acme-store.com": ("2606:4700::5efe:7f00:1",),
    "zone.acme-store.com": ("fe80::1%lo",),
    "link.acme-store.com": ("fe80::1",),
    "ula.acme-store.com": ("fd12:3456:789a::1",),
    "metadata.acme-store.com": ("169.254.169.254",),
    "metadata6.acme-store.com": ("fd00:ec2::254",),
    "container-metadata.acme-store.com": ("169.254.170.2",),
    "azure.acme-store.com": ("168.63.129.16",),
    "alibaba.acme-store.com": ("100.100.100.200",),
    "ten.acme-store.com": ("10.0.0.5",),
    "seventeen.acme-store.com": ("172.16.3.4",),
    "home.acme-store.com": ("192.168.1.1",),
    "carrier.acme-store.com": ("100.64.1.1",),
    "bench.acme-store.com": ("198.18.0.1",),
    "doc.acme-store.com": ("203.0.113.5",),
    "multicast.acme-store.com": ("224.0.0.1",),
    "multicast6.acme-store.com": ("ff02::1",),
    "broadcast.acme-store.com": ("255.255.255.255",),
    "reserved.acme-store.com": ("240.1.2.3",),
    "mixed.acme-store.com": ("93.184.215.14", "127.0.0.1"),
    "mixed-last.acme-store.com": ("93.184.215.14", "2606:4700:4700::1111", "10.0.0.5"),
    "garbage.acme-store.com": ("not an address",),
    "empty.acme-store.com": (),
}

HOSTS = [
    *NAMES,
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0x7F000001",
    "2130706433",
    "017700000001",
    "00000000127.0.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",  # noqa: S104 - as above
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[fe80::1%25lo]",
    "[127.0.0.1]",
    "localhost",
    "LocalHost",
    "localhost.",
    "app.localhost",
    "localhost.localdomain.local",
    "metadata.google.internal",
    "instance-data",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "\u2460\u2461\u2466.0.0.1",
    "127\u30020\u30020\u30021",
    "loc\u00adalhost",
    "user@127.0.0.1",
    "acme-store.com@127.0.0.1",
    "127.0.0.1\\@acme-store.com",
    "127.0.0.1%2f@acme-store.com",
    "%31%32%37.0.0.1",
    "127.0.0.1\t",
    "127.0.0.1 ",
]


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Every set of addresses that was about to be dialled."""
    seen: list[Sequence[str]] = []

    def refuse(addresses: Sequence[str], port: int, exchange: object) -> socket.socket:
        seen.append(addresses)
        raise ConnectionRefusedError(port, exchange)

    monkeypatch.setattr(outbound, "_dialled", refuse)
    return seen


def invented(host: str, _port: int) -> Sequence[str]:
    """Knows the names above; takes all others for this machine, as a careless resolver takes 0x7f.1."""
    return NAMES.get(host, ("127.0.0.1",))


def asked(http: Outbound, url: str) -> HttpAnswer | NoAnswer:
    return http.send(HttpRequest("POST", url, body=b"{}", connect_seconds=0.3, total_seconds=0.5))


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(HOSTS) >= 60


@pytest.mark.parametrize("host", HOSTS, ids=ascii)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_nothing_is_dialled_for(host: str, scheme: str, canary: Canary, dialled: list[Sequence[str]]) -> None:
    answer = asked(
        Outbound(allow_loopback=False, resolve=invented), f"{scheme}://{host}:{canary.port}/latest/meta-data/"
    )

    assert isinstance(answer, NoAnswer)
    assert not answer.sent
    assert answer.reason.startswith(("URL refused", "address refused", "name does not resolve"))
    assert dialled == []


@pytest.mark.parametrize("host", HOSTS, ids=ascii)
def test_no_connection_arrives_from(host: str, canary: Canary) -> None:
    before = canary.heard

    answer = asked(Outbound(allow_loopback=False, resolve=invented), f"https://{host}:{canary.port}/")

    assert isinstance(answer, NoAnswer)
    assert not answer.sent
    assert canary.heard == before


@pytest.mark.parametrize(
    "host", [name for name, found in NAMES.items() if not {"127.0.0.1", "127.8.8.8", "::1"} & {*found}]
)
def test_the_local_stage_opens_this_machine_only(host: str, canary: Canary, dialled: list[Sequence[str]]) -> None:
    answer = asked(Outbound(allow_loopback=True, resolve=invented), f"https://{host}:{canary.port}/")

    assert isinstance(answer, NoAnswer)
    assert dialled == []


def test_the_canary_sings_when_it_is_reached(canary: Canary) -> None:
    before = canary.heard

    answer = asked(Outbound(allow_loopback=True), f"http://127.0.0.1:{canary.port}/")

    assert isinstance(answer, NoAnswer)
    assert canary.heard > before


def test_a_name_that_turns_private_after_registration_is_not_dialled(dialled: list[Sequence[str]]) -> None:
    answers = [("93.184.215.14",), ("127.0.0.1",)]
    http = Outbound(allow_loopback=False, resolve=lambda _host, _port: answers.pop(0))

    first, second = asked(http, "https://rebind.acme-store.com/"), asked(http, "https://rebind.acme-store.com/")

    assert dialled == [("93.184.215.14",)]
    assert isinstance(first, NoAnswer)
    assert isinstance(second, NoAnswer)
    assert second.reason == "address refused: the host leads to an address that is not public"


def test_the_name_is_resolved_once_for_each_send_and_that_answer_is_dialled(dialled: list[Sequence[str]]) -> None:
    asked_for: list[str] = []

    def counting(host: str, _port: int) -> Sequence[str]:
        asked_for.append(host)
        return ("93.184.215.14", "2606:4700:4700::1111")

    asked(Outbound(allow_loopback=False, resolve=counting), "https://Hooks.Acme-Store.com/rms")

    assert asked_for == ["hooks.acme-store.com"]
    assert dialled == [("93.184.215.14", "2606:4700:4700::1111")]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://hooks.acme-store.com/rms", None),
        ("http://hooks.acme-store.com/rms", "URL refused: it must use https"),
        ("https://ten.acme-store.com/", "address refused: the host leads to an address that is not public"),
        ("https://mixed.acme-store.com/", "address refused: the host leads to an address that is not public"),
        ("https://empty.acme-store.com/", "name does not resolve"),
    ],
)
def test_a_url_can_be_looked_into_without_sending(url: str, problem: str | None, dialled: list[Sequence[str]]) -> None:
    names = NAMES | {"hooks.acme-store.com": ("93.184.215.14",)}
    http = Outbound(allow_loopback=False, resolve=lambda host, _port: names[host])

    assert http.problem_with(url) == problem
    assert dialled == []
