"""The tables of what becomes of a replacement order: each row is an example."""

import pytest

from rms.exchanges import Decision, Qc, decide, qc_of, revised
from rms.exchanges.decision import revisions, rows
from tests.unit.exchanges.exchanging import F, P, items

VERDICTS = {
    Qc.NONE: items(),
    Qc.PENDING: items(F, None, P),
    Qc.PASS: items(P, P, P),
    Qc.FAIL: items(F, F, F),
    Qc.MIXED: items(P, F, P),
}


@pytest.mark.parametrize(
    ("edits", "qc", "then"), [row[:3] for row in rows()], ids=[f"{e}-{q}" for e, q, _, _ in rows()]
)
def test_a_row_of_the_table_is_what_is_decided(qc: Qc, then: Decision, *, edits: bool) -> None:
    assert qc_of(VERDICTS[qc]) is qc
    assert decide(VERDICTS[qc], edits_orders=edits) is then


def test_the_table_has_a_row_for_everything_that_qc_can_say() -> None:
    assert {(edits, qc) for edits, qc, _, _ in rows()} == {(edits, qc) for edits in (True, False) for qc in Qc}


def test_who_does_not_edit_orders_decides_nothing() -> None:
    assert {decide(of, edits_orders=False) for of in VERDICTS.values()} == {Decision.NOTHING}


def test_every_item_passed_releases_the_order() -> None:
    assert decide(items(P), edits_orders=True) is Decision.RELEASE


def test_every_item_failed_cancels_the_order() -> None:
    assert decide(items(F), edits_orders=True) is Decision.CANCEL_ORDER


def test_some_passed_and_some_failed_cancels_lines_and_releases_the_rest() -> None:
    assert decide(items(F, P), edits_orders=True) is Decision.CANCEL_LINES


def test_one_item_that_nobody_has_looked_at_keeps_everything_waiting() -> None:
    assert decide(items(P, None), edits_orders=True) is Decision.WAIT
    assert decide(items(F, None), edits_orders=True) is Decision.WAIT


@pytest.mark.parametrize(("before", "now", "then"), [row[:3] for row in revisions()])
def test_a_row_of_the_second_table_is_what_becomes_of_a_change_of_mind(
    before: Decision, now: Decision, then: Decision
) -> None:
    assert revised(before, now) is then


@pytest.mark.parametrize("before", [Decision.RELEASE, Decision.CANCEL_LINES, Decision.CANCEL_ORDER])
def test_no_change_of_mind_is_carried_out_by_itself(before: Decision) -> None:
    others = {Decision.RELEASE, Decision.CANCEL_LINES, Decision.CANCEL_ORDER} - {before}

    assert {revised(before, now) for now in others} == {Decision.HOLD}
    assert revised(before, before) is before
    assert revised(before, Decision.NOTHING) is before


def test_what_a_person_looks_at_stays_with_the_person() -> None:
    assert {revised(Decision.HOLD, now) for now in Decision} == {Decision.HOLD}
