"""What the registry says of an aggregator without loading it."""

import pytest

from rms.aggregators.registry import KNOWN, aggregator_of, tracks


@pytest.mark.parametrize("name", [*KNOWN, "NIMBUS"])
def test_who_can_be_asked_where_a_parcel_is_has_a_call_for_it(name: str) -> None:
    assert tracks(name) is (aggregator_of(name).tracked_at_once > 0)
