"""What is kept of an aggregator's answer: enough to understand it, nothing that is anybody's."""

import json
import time
from dataclasses import replace
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.aggregators.contract import MAX_WORDS, Account, Job
from rms.platform.http import HttpAnswer
from rms.shipments.raw import REMOVED, kept_text
from tests.builders import a_return, a_shipment, an_address
from tests.fakes.http import answer

ASHA = an_address(name="Asha O'Neill-Ménon", line1="7 Lake View Road", line2="Flat 2A, Rose & Sons", line3="Dock B")
JOB = Job("RMR-20260211", a_return(pickup=ASHA))
ACCOUNT = Account("lotus", "main", "CLICKPOST", {"key": "sandbox-api-key", "token": "tok.en-1"}, {})
AWB = "5550001112223"


def kept(body: object, status: int = 200, *, job: Job = JOB, awb: str = AWB) -> str:
    return kept_text(answer(status, body), job, ACCOUNT, awb)


def test_what_the_aggregator_said_is_kept_in_its_own_words() -> None:
    assert kept({"meta": {"status": 319, "message": "Pincode 411014 is not served"}}, 200) == (
        '{"meta": {"status": 319, "message": "Pincode 411014 is not served"}}'
    )


def test_an_answer_that_is_no_success_says_so() -> None:
    assert kept(b"<html>\n<body>Bad   gateway</body></html>", 502) == (
        "HTTP 502: <html> <body>Bad gateway</body></html>"
    )
    assert kept(b"", 302) == "HTTP 302:"


@pytest.mark.parametrize(
    "secret",
    [
        "Asha O'Neill-Ménon",
        "ASHA O'NEILL-MÉNON",
        "7 Lake View Road",
        "7  lake view  road",
        "Flat 2A, Rose & Sons",
        "Dock B",
        "asha.menon@mail.example",
        "someone.else@mail.example",
        "9820055501",
        "+91 98200 55501",
        "098200-55501",
        "8045550101",
        "77001122334",
        "sandbox-api-key",
        "tok.en-1",
    ],
)
@pytest.mark.parametrize(
    "spelt",
    [
        lambda text: json.dumps({"echo": text}).encode(),
        lambda text: json.dumps({"echo": text}, ensure_ascii=False).encode(),
        lambda text: b"not JSON: " + json.dumps(text).encode(),
        lambda text: f"<p>{escape(text)}</p>".encode(),
        lambda text: f"?echo={quote(text)}".encode(),
        lambda text: f"?echo={quote_plus(text)}".encode(),
        lambda text: f"cut off after {text}".encode(),
    ],
    ids=["JSON escaped", "JSON", "broken JSON", "HTML", "percent", "form", "text"],
)
def test_what_is_anybodys_is_taken_out_however_it_is_spelt(secret: str, spelt: object) -> None:
    assert callable(spelt)
    said = kept(spelt(secret))

    assert REMOVED in said
    plain = "".join(said.casefold().split())
    for part in ("asha", "neill", "lake", "rose&sons", "dockb", "mail.example", "55501", "50101", "1122334", "api-key"):
        assert part not in plain, said


def test_each_of_the_shoppers_names_is_taken_out_but_not_out_of_other_words() -> None:
    job = replace(JOB, order=a_return(pickup=an_address(name="Ali Khan")))

    assert kept(b"invalid: Ali has moved; KHAN too; Khanna not", job=job) == (
        f"invalid: {REMOVED} has moved; {REMOVED} too; Khanna not"
    )


def test_words_of_a_warehouses_name_may_stand_in_a_sentence() -> None:
    assert kept(b"Returns are not collected; desk closed") == "Returns are not collected; desk closed"
    assert kept(b"for Returns desk") == f"for {REMOVED}"


def test_our_reference_and_the_awb_stay_whatever_they_look_like() -> None:
    job = replace(JOB, reference="9820055501")

    assert kept(b"order 9820055501 has AWB 5550001112223, not 5550001112224", job=job) == (
        f"order 9820055501 has AWB 5550001112223, not {REMOVED}"
    )


def test_the_shopper_of_a_forward_parcel_and_who_pays_are_taken_out() -> None:
    job = Job("SH-1", a_shipment(billing=an_address(name="Ravi Iyer", line1="31 Temple Street", phone="9840055502")))

    said = kept(b"Ravi; 31 Temple Street; 98400 55502; Asha; 7 Lake View Road; Dispatch", job=job)

    assert said == "; ".join([REMOVED] * 6)


def test_it_is_short() -> None:
    assert len(kept({"message": "x" * 9000})) == MAX_WORDS


def test_what_is_cut_is_cut_after_everything_is_taken_out() -> None:
    said = kept(b"y" * (MAX_WORDS - 8) + b" 7 Lake View Road")

    assert said.endswith(f" {REMOVED}")


@pytest.mark.parametrize("filling", [b"a", b"1", b".", b"@", b" ", b"9.", b"+9(", b'{"a":', b"%40", b"Asha", b"\xff"])
def test_an_enormous_answer_takes_no_long_time(filling: bytes) -> None:
    started = time.process_time()
    kept(filling * (64 * 1024 // len(filling)))

    assert time.process_time() - started < 1


@given(body=st.binary(max_size=300), status=st.integers(100, 599), truncated=st.booleans())
def test_any_bytes_at_all_are_kept_or_not_but_raise_nothing(body: bytes, status: int, *, truncated: bool) -> None:
    said = kept_text(HttpAnswer(status, {}, body, 1, truncated=truncated), JOB, ACCOUNT, "")

    assert len(said) <= MAX_WORDS
    assert said.encode().decode() == said, "it can be stored"
    assert not any(ord(character) < 32 for character in said)


@given(st.text(max_size=40), st.text(max_size=20))
def test_whatever_the_shopper_is_called_the_name_is_not_kept(name: str, around: str) -> None:
    wanted = " ".join(name.split())
    job = replace(JOB, order=a_return(pickup=an_address(name=name)))

    said = kept({"message": f"{around} {name} {around}"}, job=job)

    if len(wanted) >= 4 and wanted not in around and wanted.casefold() not in REMOVED + '{"message": "':
        assert wanted not in said.replace(REMOVED, "\0")
