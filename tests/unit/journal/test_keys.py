"""Keys: no code, AWB or reference, whatever it contains, reaches a row of anything else."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms.journal.keys import (
    KINDS,
    AggregateId,
    aggregate_of,
    all_due_shards,
    all_silent_shards,
    client_pk,
    due_shard,
    endpoint_id,
    endpoint_key,
    endpoint_pk,
    forward_key,
    health_key,
    parcel_of_order_key,
    parked_key,
    return_id,
    shipment_id,
    shipment_key,
    silent_shard,
)
from rms.platform.table import Key

SLUGS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
ENDPOINTS = SLUGS
# Free text, with a liking for what keys are made of.
CODES = st.one_of(
    st.text(min_size=1, max_size=12),
    st.lists(
        st.sampled_from(["#", "C#", "R#", "A#", "S#", "EVENT#00000001", "STATUS", "CURSOR#", "a", "b", "ü", "🚚"]),
        min_size=1,
        max_size=6,
    ).map("".join),
)
ANY_KIND = st.sampled_from(list(KINDS.values()))
IDS = st.builds(AggregateId, SLUGS, ANY_KIND, CODES)


@given(IDS, IDS)
def test_two_aggregates_share_no_partition(one: AggregateId, other: AggregateId) -> None:
    assert (one.pk == other.pk) == (one == other)


@given(IDS)
def test_an_aggregate_is_known_again_by_its_partition(aggregate: AggregateId) -> None:
    assert aggregate_of(aggregate.pk) == aggregate


@given(SLUGS, SLUGS, CODES, CODES, ANY_KIND)
def test_no_row_of_one_client_stands_in_a_partition_of_another(
    client: str, other: str, code: str, other_code: str, kind: str
) -> None:
    if client == other:
        return

    def partitions(owner: str, name: str) -> set[str]:
        return {
            client_pk(owner),
            AggregateId(owner, KINDS[kind], name).pk,
            shipment_key(owner, name).pk,
            forward_key(owner, name, "x").pk,
            parcel_of_order_key(owner, name, "x").pk,
        }

    assert partitions(client, code).isdisjoint(partitions(other, other_code))


@given(SLUGS, CODES, CODES)
def test_returns_parcels_awbs_and_orders_never_share_a_partition(client: str, code: str, other: str) -> None:
    partitions = [
        AggregateId(client, "R", code).pk,
        AggregateId(client, "S", other).pk,
        AggregateId(client, "E", code).pk,
        shipment_key(client, code).pk,
        forward_key(client, other, code).pk,
        client_pk(client),
    ]

    assert len(set(partitions)) == len(partitions)


@given(IDS, CODES, ENDPOINTS)
def test_no_event_id_makes_a_seen_mark_into_another_row(aggregate: AggregateId, event_id: str, endpoint: str) -> None:
    others = {
        aggregate.document,
        aggregate.status,
        aggregate.booking,
        aggregate.event(1),
        aggregate.cursor(endpoint),
        aggregate.attempt(endpoint, 1, 0),
    }

    assert aggregate.seen(event_id) not in others


@given(SLUGS, CODES, CODES, CODES, CODES)
def test_an_event_waits_under_one_awb_and_one_id(client: str, awb: str, event: str, other: str, third: str) -> None:
    same = (awb, event) == (other, third)

    assert (parked_key(client, awb, event) == parked_key(client, other, third)) == same
    assert parked_key(client, awb, event) != shipment_key(client, other)


def test_event_keys_sort_as_their_numbers_do() -> None:
    aggregate = AggregateId("lotus", "R", "RET-1")
    numbers = [1, 2, 9, 10, 99, 100, 101, 99_999_999]

    assert [aggregate.event(number) for number in numbers] == sorted(aggregate.event(number) for number in numbers)


def test_attempts_sort_by_endpoint_event_and_try() -> None:
    aggregate = AggregateId("lotus", "R", "RET-1")
    keys = [aggregate.attempt("shop", sequence, number) for sequence in (1, 2, 10) for number in (0, 9, 10)]

    assert keys == sorted(keys)


@pytest.mark.parametrize("pk", ["C#lotus", "C#lotus#A#77", "AUTH#lotus#shop", "X#lotus#R#1", "C#lotus#F#77"])
def test_the_partition_of_something_else_is_no_aggregate(pk: str) -> None:
    with pytest.raises(ValueError, match=r"aggregate|unpack"):
        aggregate_of(pk)


def test_the_shards_of_due_work_are_filled_evenly_and_all_are_swept() -> None:
    filled = Counter(due_shard(AggregateId("lotus", "R", f"RET-{number}").pk) for number in range(4000))

    assert set(filled) == set(all_due_shards())
    assert min(filled.values()) > 900


def test_silent_parcels_wait_in_shards_that_are_filled_evenly_and_not_swept() -> None:
    filled = Counter(silent_shard(shipment_key("lotus", str(number)).pk) for number in range(4000))

    assert set(filled) == set(all_silent_shards())
    assert min(filled.values()) > 900
    assert set(all_silent_shards()).isdisjoint(all_due_shards())


def test_keys_look_as_the_table_of_the_architecture_says() -> None:
    aggregate = AggregateId("lotus", "R", "RET-1")

    assert aggregate.event(7) == Key("C#lotus#R#RET-1", "EVENT#00000007")
    assert aggregate.cursor("shop") == Key("C#lotus#R#RET-1", "CURSOR#shop")
    assert aggregate.attempt("shop", 7, 2) == Key("C#lotus#R#RET-1", "ATTEMPT#shop#00000007#000002")
    assert shipment_key("lotus", "77#1") == Key("C#lotus#A#77#1", "SHIPMENT")
    assert return_id("lotus", "RET-1") == aggregate
    assert shipment_id("lotus", "SH-1").pk == "C#lotus#S#SH-1"
    assert parcel_of_order_key("lotus", "SO-1", "SH-1") == Key("C#lotus#F#SO-1", "S#SH-1")
    assert endpoint_id("lotus", "shop").event(1) == Key("C#lotus#E#shop", "EVENT#00000001")
    assert health_key("lotus", "shop") == Key(endpoint_pk("lotus", "shop"), "HEALTH")
    assert endpoint_key("lotus", "shop") == Key("C#lotus", "ENDPOINT#shop")


@given(SLUGS, CODES, CODES, CODES)
def test_a_parcel_of_an_order_is_never_taken_for_a_return_of_it(client: str, order: str, one: str, other: str) -> None:
    assert parcel_of_order_key(client, order, one) != forward_key(client, order, other)
