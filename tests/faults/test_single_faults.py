"""Each call of each flow, struck once by each fault: nothing is lost, doubled or out of order."""

import pytest

from tests.faults.invariants import Kind
from tests.faults.partners import BOOKS_EVERY_REPEAT, REFUSES_DUPLICATES
from tests.faults.powertools_only import strike_decorated
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.strikes import FAULTS, strike_everywhere
from tests.faults.table import COMPARED, SETTINGS, Setting, compared


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_single_fault_breaks_a_promise(scenario: Scenario) -> None:
    tally = strike_everywhere(scenario)

    assert tally.examples == []
    assert tally.calls >= 10
    assert tally.runs > tally.calls * (len(FAULTS) - 1)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_beside_a_decorator_rms_keeps_every_promise_whatever_the_partner_and_the_client_do(setting: Setting) -> None:
    ours, theirs = compared(setting)

    assert ours.examples == []
    assert theirs.runs > theirs.calls


def test_a_decorator_alone_books_twice_where_the_partner_does_not_refuse_it() -> None:
    assert strike_decorated(BOOKS_EVERY_REPEAT, "decorator").spoilt[Kind.DUPLICATE_AWB] > 0
    assert strike_decorated(REFUSES_DUPLICATES, "decorator").spoilt[Kind.DUPLICATE_AWB] == 0


def test_the_compared_flow_is_the_creation_that_rms_books() -> None:
    assert COMPARED.name == "create, RMS books"
