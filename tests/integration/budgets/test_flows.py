"""What a flow costs, held exactly: a call or a unit more is a failure, and one less belongs into the budget."""

from collections import Counter

import pytest

from bench.budgets import BUDGETS
from bench.flows import FLOWS, Flow, bill
from bench.installations import Installation, on_moto

each_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.title)


@each_flow
def test_a_flow_costs_what_it_did(flow: Flow) -> None:
    budget = BUDGETS[flow.title]

    cold, warm = bill(flow, Installation(), warm=False), bill(flow, Installation(), warm=True)

    assert warm.calls == Counter(budget.warm)
    assert (cold.total, warm.write_units, warm.read_units) == (budget.cold, budget.write_units, budget.read_units)


@each_flow
def test_the_fakes_count_the_calls_that_botocore_makes(flow: Flow) -> None:
    with on_moto() as rms:
        real = bill(flow, rms, warm=True)

    assert real.calls == Counter(BUDGETS[flow.title].warm)


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if "page" not in flow.title], ids=lambda flow: flow.title)
def test_so_they_do_in_cold_environments(flow: Flow) -> None:
    with on_moto() as rms:
        real = bill(flow, rms, warm=False)

    assert real.calls == bill(flow, Installation(), warm=False).calls


@each_flow
def test_no_flow_makes_more_calls_than_it_is_aimed_at(flow: Flow) -> None:
    assert flow.most_calls is None or sum(BUDGETS[flow.title].warm.values()) <= flow.most_calls


def test_every_budget_is_that_of_a_flow() -> None:
    assert BUDGETS.keys() == {flow.title for flow in FLOWS}
