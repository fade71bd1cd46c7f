"""Every status of every partner, carried by a webhook, becomes the name that the partner's guide gives it."""

import json
from collections.abc import Iterator

import pytest

from rms.aggregators.clickpost import statuses as clickpost
from rms.aggregators.contract import Direction, ShipmentUpdate
from rms.aggregators.shiprocket import statuses as shiprocket
from rms.aggregators.shipway import statuses as shipway
from rms.model.notification_type import ALIASES, NotificationType
from tests.contract.adapters import RECEIVED_AT, Adapter
from tests.contract.partners import ADAPTERS
from tests.contract.statuses import SOURCES, WIRE_VALUES, Cell, Source

OURS_ALONE = NotificationType.INVOICE_GENERATED
"""No aggregator makes it, our client's invoicing does: see tests/unit/notifications/test_compose.py."""

NAMED = {f"{source.folder} {source.name}": source for source in SOURCES}

every_source = pytest.mark.parametrize("source", SOURCES, ids=NAMED)
both_directions = pytest.mark.parametrize("direction", list(Direction))


def partner_of(source: Source) -> Adapter:
    return next(partner for partner in ADAPTERS if partner.folder == source.folder)


def carried(source: Source, direction: Direction, status: str) -> Iterator[ShipmentUpdate]:
    """The status as each of the source's webhooks carries it."""
    partner = partner_of(source)
    for file in source.files[direction]:
        hook = json.loads(partner.file(file))
        source.put(hook, status)
        yield from partner.adapter.read_webhook(json.dumps(hook).encode(), RECEIVED_AT)


def named(update: ShipmentUpdate, direction: Direction) -> NotificationType:
    return update.scan.when_return if direction is Direction.RETURN else update.scan.when_forward


@every_source
@both_directions
def test_every_status_becomes_the_name_that_its_partners_guide_gives_it(source: Source, direction: Direction) -> None:
    expected = source.table[direction]
    read = {status: {named(update, direction) for update in carried(source, direction, status)} for status in expected}

    assert read == {status: {cell.name} for status, cell in expected.items()}


@every_source
@both_directions
def test_every_status_is_kept_as_it_came(source: Source, direction: Direction) -> None:
    for status in source.table[direction]:
        kept = [update.scan.raw for update in carried(source, direction, status)]

        assert {raw.code for raw in kept} == {source.raw.format(status)}
        assert all(raw.text for raw in kept)


def test_the_names_are_the_contracts_forty() -> None:
    assert [name.value for name in NotificationType] == WIRE_VALUES
    assert len(WIRE_VALUES) == 40


def test_every_name_but_that_of_an_invoice_is_made_by_a_partners_own_status() -> None:
    """RETURN_ORDER_PLACED and AWB_GENERATED are RMS's own as well: see tests/unit/returns/test_create_return.py."""
    made = {
        named(update, direction)
        for source in SOURCES
        if source.folder != "generic"  # it speaks our names anyway
        for direction, expected in source.table.items()
        for status in expected
        for update in carried(source, direction, status)
    }

    assert set(NotificationType) - made == {OURS_ALONE}


def test_the_adapters_have_no_status_that_the_guides_lack_and_the_other_way_round() -> None:
    told = {name: [set(statuses) for statuses in source.table.values()] for name, source in NAMED.items()}

    assert told["clickpost codes"] == [{str(code) for code in clickpost.CODES}] * 2
    assert told["shiprocket orders"] == [{str(number) for number in shiprocket.ORDER_STATUSES}] * 2
    assert told["shiprocket shipments"] == [{str(number) for number in shiprocket.SHIPMENT_STATUSES}] * 2
    assert told["shipway codes"] == [set(shipway.STATUSES)] * 2
    assert all(set(ALIASES) < statuses for statuses in told["generic other spellings"])


@pytest.mark.parametrize("name", ["shiprocket orders", "shiprocket shipments"])
def test_what_is_unexpected_weak_or_a_doorstep_qc_is_marked_as_in_the_guide(name: str) -> None:
    source = NAMED[name]
    rows = shiprocket.ORDER_STATUSES if source.name == "orders" else shiprocket.SHIPMENT_STATUSES
    for direction, expected in source.table.items():
        held = {str(number): row.back if direction is Direction.RETURN else row.forward for number, row in rows.items()}
        cells = {
            status: Cell(meaning.name, meaning.unexpected, meaning.weak, meaning.qc) for status, meaning in held.items()
        }

        assert cells == expected


@pytest.mark.parametrize("name", ["shiprocket orders", "shiprocket shipments"])
def test_a_failed_doorstep_qc_is_told_with_the_return_that_failed_it(name: str) -> None:
    source = NAMED[name]
    failed = {
        status
        for status in source.table[Direction.RETURN]
        for update in carried(source, Direction.RETURN, status)
        if update.failure_code
    }

    assert failed == {status for status, cell in source.table[Direction.RETURN].items() if cell.qc}


def test_shipways_statuses_of_returns_alone_claim_a_return() -> None:
    source = NAMED["shipway codes"]
    claimed = {
        status
        for status in source.table[Direction.FORWARD]
        for update in carried(source, Direction.FORWARD, status)
        if update.is_return
    }

    assert claimed == {status for status, cell in source.table[Direction.FORWARD].items() if cell.unexpected}
