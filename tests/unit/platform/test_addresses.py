from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.platform.addresses import (
    DENIED_V4,
    DENIED_V6,
    BadUrlError,
    Destination,
    check_url,
    destination,
    is_address,
    is_loopback,
    is_public,
)


def each(text: str) -> list[str]:
    return text.split()


# What IANA's two special-purpose registries list, and the metadata services that clouds put into such blocks.
NOT_PUBLIC = each("""
    0.0.0.0  0.255.255.255  10.0.0.1  10.255.255.255  100.64.0.1  100.100.100.200  100.127.255.255
    127.0.0.1  127.255.255.254
    168.63.129.16  169.254.0.1  169.254.169.254  169.254.170.2  169.254.169.123  172.16.0.1  172.31.255.255
    192.0.0.1  192.0.0.8  192.0.0.170  192.0.0.192  192.0.2.1  192.31.196.1  192.52.193.1  192.88.99.1
    192.168.0.1  192.175.48.1
    198.18.0.1  198.19.255.255  198.51.100.7  203.0.113.9  224.0.0.1  239.255.255.250  240.0.0.1  255.255.255.255
    ::  ::1  ::2  ::127.0.0.1  ::8.8.8.8
    ::ffff:10.0.0.1  ::ffff:127.0.0.1  ::ffff:169.254.169.254  ::ffff:a9fe:a9fe  ::ffff:0:8.8.8.8
    64:ff9b::10.0.0.1  64:ff9b::169.254.169.254  64:ff9b::127.0.0.1  64:ff9b:1::8.8.8.8  64:ff9b:1:ffff::1
    100::1  100:0:0:1::1  200::1
    2001::1  2001:0:4136:e378:8000:63bf:3fff:fdd2  2001:2::1  2001:3::1  2001:4:112::1  2001:10::1
    2001:20::1  2001:30::1
    2001:db8::1  2002:7f00:1::1  2002:808:808::1  2620:4f:8000::1  3ffe::1  3fff::1  3fff:fff::1  4000::1
    5f00::1  a000::1
    fc00::1  fd00:ec2::254  fd20:ce::254  fdff::1  fe80::1  febf::1  fec0::1  feff::1  ff02::1  ff0e::1
    2606:4700::5efe:10.0.0.1  2606:4700::200:5efe:127.0.0.1
""")

PUBLIC = each("""
    1.1.1.1  8.8.8.8  9.255.255.255  11.0.0.0  100.63.255.255  100.128.0.0  126.255.255.255
    128.0.0.0  169.253.255.255
    169.255.0.0  172.15.255.255  172.32.0.0  192.0.1.0  192.0.3.0  192.167.255.255  192.169.0.0
    198.17.255.255  198.20.0.0
    223.255.255.255  2001:200::1  2001:4860:4860::8888  2606:4700:4700::1111  2a00:1450:4001:82b::200e  2003::1
    ::ffff:8.8.8.8  64:ff9b::8.8.8.8  2606:4700::5efe:8.8.8.8
""")

GOOD = each("""
    https://hooks.acme-store.com/rms
    HTTPS://Hooks.Acme-Store.COM/Rms
    https://acme-store.com
    https://acme-store.com:443/
    https://acme-store.com:8443/rms
    https://acme-store.com:1024/rms
    https://acme-store.com:65535/rms
    https://xn--bcher-kva.example.com/rms
    https://a.b.c.d.e.acme-store.com/rms/%20x?token=s3cret&shop=1
    https://acme-store.com/rms?token
    https://localhost.acme-store.com/
    https://1.1.1.1/rms
    https://[2606:4700:4700::1111]/rms
    https://[2606:4700:4700::1111]:8443/rms
    https://3com.com/
    https://0xcafe.com/
""")

BAD = {
    "": "full URL",
    "acme-store.com/rms": "full URL",
    "//acme-store.com/rms": "full URL",
    "https:/acme-store.com": "full URL",
    "https:acme-store.com": "full URL",
    "http://acme-store.com/": "https",
    "ftp://acme-store.com/": "https",
    "file:///etc/passwd": "https",
    "gopher://acme-store.com:443/_x": "https",
    "javascript://acme-store.com/": "https",
    "https://": "host",
    "https:///rms": "host",
    "https://:443/": "host",
    "https://user@acme-store.com/": "user name",
    "https://user:pass@acme-store.com/": "user name",
    "https://acme-store.com@169.254.169.254/": "user name",
    "https://@acme-store.com/": "user name",
    "https://acme-store.com/#x": "fragment",
    "https://acme-store.com#@localhost/": "fragment",
    "https://acme-store.com/?a=1&a=2": "repeat",
    "https://acme-store.com/a b": "printable",
    "https://acme-store.com/\t": "printable",
    "https://acme-store.com\r\nHost: x/": "printable",
    "https://acme-store.com/\x00": "printable",
    " https://acme-store.com/": "printable",
    "https://acme-store.com\\@localhost/": "printable",
    "https://acme\u2024store.com/": "printable",
    "https://b\u00fccher.example.com/": "printable",
    "https://\uff11\uff12\uff17.0.0.1/": "printable",
    "https://\u2460\u2461\u2466.0.0.1/": "printable",
    "https://acme-store.com/\u202e": "printable",
    "https://acme-store.com/\ud800": "printable",
    "https://acme-store.com:0/": "port",
    "https://acme-store.com:/": "port",
    "https://acme-store.com:65536/": "port",
    "https://acme-store.com:0443/": "port",
    "https://acme-store.com:+443/": "port",
    "https://acme-store.com:https/": "port",
    "https://acme-store.com:443:443/": "port",
    "https://acme-store.com:22/": "port",
    "https://acme-store.com:25/": "port",
    "https://acme-store.com:80/": "port",
    "https://acme-store.com:1023/": "port",
    "https://acme_store.com/": "host",
    "https://-acme.com/": "host",
    "https://acme-.com/": "host",
    "https://acme..com/": "host",
    "https://.acme.com/": "host",
    "https://acme.com./": "host",
    "https://%61cme.com/": "host",
    "https://127%2e0.0.1/": "host",
    "https://acme,com/": "host",
    f"https://{'a' * 64}.com/": "host",
    f"https://{'a.' * 127}com/": "host",
    "https://localhost/": "public host name",
    "https://LOCALHOST/": "public host name",
    "https://app.localhost/": "public host name",
    "https://printer.local/": "public host name",
    "https://metadata.google.internal/": "public host name",
    "https://metadata/": "public host name",
    "https://router.home.arpa/": "public host name",
    "https://abcdefghij.onion/": "public host name",
    "https://127.1/": "four decimal",
    "https://127.0.1/": "four decimal",
    "https://2130706433/": "four decimal",
    "https://017700000001/": "four decimal",
    "https://0177.0.0.1/": "four decimal",
    "https://127.0.0.01/": "four decimal",
    "https://0x7f000001/": "four decimal",
    "https://0x7f.0.0.0x1/": "four decimal",
    "https://0X7F.1/": "four decimal",
    "https://127.0.0.0x/": "four decimal",
    "https://127.0.0.256/": "four decimal",
    "https://127.0.0.1.5/": "four decimal",
    "https://acme.com.1/": "four decimal",
    "https://1/": "four decimal",
    "https://127.0.0.1/": "not public",
    "https://10.1.2.3/": "not public",
    "https://169.254.169.254/latest/meta-data/": "not public",
    "https://[::1]/": "not public",
    "https://[::]/": "not public",
    "https://[::ffff:127.0.0.1]/": "not public",
    "https://[::ffff:7f00:1]/": "not public",
    "https://[0:0:0:0:0:ffff:a9fe:a9fe]/": "not public",
    "https://[64:ff9b::a9fe:a9fe]/": "not public",
    "https://[2002:a9fe:a9fe::1]/": "not public",
    "https://[fd00:ec2::254]/": "not public",
    "https://[fe80::1]/": "not public",
    "https://[fe80::1%25eth0]/": "IPv6",
    "https://[fe80::1%eth0]/": "IPv6",
    "https://[::1/": "port",
    "https://[]/": "IPv6",
    "https://[127.0.0.1]/": "IPv6",
    "https://[::1]x/": "IPv6",
    "https://[v1.x]/": "IPv6",
    "https://::1/": "port",
    "https://" + "a" * 2048 + ".com/": "longer",
}


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_a_special_purpose_address_is_not_public(ip: str) -> None:
    assert not is_public(ip)


@pytest.mark.parametrize("ip", PUBLIC)
def test_an_ordinary_address_is_public(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "1", "0x7f.0.0.1", "8.8.8.8 ", "8.8.8.08", "::g", "2606:4700::1%1"]
)
def test_what_is_no_plain_address_is_not_public(text: str) -> None:
    assert not is_public(text)


def test_both_ends_of_every_denied_block_are_denied() -> None:
    blocks: list[IPv4Network | IPv6Network] = [block for block, _ in DENIED_V4]
    blocks += [block for block, _ in DENIED_V6]
    ends = [str(end) for block in blocks for end in (block.network_address, block.broadcast_address)]

    assert not [end for end in ends if is_public(end)]


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(ip: object) -> None:
    if is_public(str(ip)):
        mapped = getattr(ip, "ipv4_mapped", None)
        assert not getattr(mapped or ip, "is_private")  # noqa: B009 - v4 and v6 share the name, not a type
        assert not getattr(mapped or ip, "is_multicast")  # noqa: B009 - as above


@pytest.mark.parametrize("url", GOOD)
def test_a_public_https_url_is_in_order(url: str) -> None:
    assert check_url(url, allow_loopback_http=False) is None


@pytest.mark.parametrize(("url", "words"), BAD.items(), ids=lambda text: ascii(text)[:60])
def test_a_bad_url_is_refused_with_a_reason_that_does_not_repeat_it(url: str, words: str) -> None:
    problem = check_url(url, allow_loopback_http=False)

    assert problem is not None
    assert words in problem
    assert "acme" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080/hook",
        "http://127.0.0.1:9/hook",
        "http://[::1]:9000/",
        "http://localhost/",
        "https://127.0.0.1:4443/",
    ],
)
def test_the_local_stage_may_name_this_machine(url: str) -> None:
    assert check_url(url, allow_loopback_http=True) is None
    assert check_url(url, allow_loopback_http=False) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://acme-store.com/",
        "https://192.168.0.1/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_the_local_stage_may_name_nothing_else_that_is_private_or_plain(url: str) -> None:
    assert check_url(url, allow_loopback_http=True) is not None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Acme.com/x?y=1", Destination("https", "acme.com", 443)),
        ("http://sandbox:8080", Destination("http", "sandbox", 8080)),
        ("http://sandbox", Destination("http", "sandbox", 80)),
        ("https://[2606:4700:0:0::1111]:8443/", Destination("https", "2606:4700::1111", 8443)),
        ("https://acme.com?x=1", Destination("https", "acme.com", 443)),
    ],
)
def test_a_destination_is_read_from_a_url(url: str, expected: Destination) -> None:
    assert destination(url) == expected


@given(st.text(alphabet=st.sampled_from("htps:/@[]?#%.&=0x1a\\-~\u00e9 "), max_size=40))
def test_any_text_is_either_a_destination_or_a_bad_url(text: str) -> None:
    try:
        found = destination(text)
    except BadUrlError:
        return
    assert found.host
    assert 0 < found.port < 65536


def test_loopback_is_this_machine_only() -> None:
    assert [
        ip
        for ip in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.1", "localhost", "::2")
        if is_loopback(ip)
    ] == [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
    ]


def test_an_address_is_told_from_a_name() -> None:
    assert [text for text in ("1.2.3.4", "::1", "acme.com", "1.2.3", "a:b") if is_address(text)] == ["1.2.3.4", "::1"]
