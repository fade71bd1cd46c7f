"""Where things stand in the table. Tenant first in every key, so that no key can reach another tenant's row.

A client id and an endpoint id are slugs (no `#`), and the only free text stands last in its key: no code or AWB,
whatever it contains, can be read as another key.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rms.platform.table import Key

type Kind = Literal["R", "S", "E"]
"""R: return order, S: one forward parcel, E: an endpoint, for what others are told of it."""

KINDS: Final[Mapping[str, Kind]] = {"R": "R", "S": "S", "E": "E"}

SHARDS: Final = 4
"""Partitions of the `due` index that the sweeper reads, and as many for parcels that may fall silent."""


@dataclass(frozen=True, slots=True)
class AggregateId:
    """One return order, one forward parcel, or one endpoint, of one client; `code` is what it is called."""

    client: str
    kind: Kind
    code: str

    @property
    def pk(self) -> str:
        """The partition that holds everything about it."""
        return f"C#{self.client}#{self.kind}#{self.code}"

    def key(self, sk: str) -> Key:
        """A row of it."""
        return Key(self.pk, sk)

    @property
    def document(self) -> Key:
        """The order itself, written once."""
        return self.key("DOCUMENT")

    @property
    def status(self) -> Key:
        """Last sequence number and current state."""
        return self.key("STATUS")

    @property
    def booking(self) -> Key:
        """The state of its AWB booking."""
        return self.key("BOOKING")

    @property
    def cancellation(self) -> Key:
        """The state of a wish to cancel it."""
        return self.key("CANCELLATION")

    @property
    def label(self) -> Key:
        """Where its shipping label is, and the state of fetching it."""
        return self.key("LABEL")

    @property
    def write_back(self) -> Key:
        """What a returns app is still to be told of the QC result of its request, of which this is the first return."""
        return self.key("WRITEBACK")

    @property
    def exchange(self) -> Key:
        """Which order replaces its goods, and the state of what is done to that order."""
        return self.key("EXCHANGE")

    def qc(self, number: int) -> Key:
        """What a warehouse said in one call that was news, counted from 1."""
        return self.key(f"QC#{number:08}")

    def event(self, sequence: int) -> Key:
        """One event of its journal."""
        return self.key(f"EVENT#{sequence:08}")

    def seen(self, event_id: str) -> Key:
        """The mark that this event is in the journal already."""
        return self.key(f"SEEN#{event_id}")

    def cursor(self, endpoint: str) -> Key:
        """How far an endpoint has heard this aggregate."""
        return self.key(f"CURSOR#{endpoint}")

    def attempt(self, endpoint: str, sequence: int, number: int) -> Key:
        """One try at telling an endpoint one event."""
        return self.key(f"ATTEMPT#{endpoint}#{sequence:08}#{number:06}")


def return_id(client: str, code: str) -> AggregateId:
    """The aggregate of a return order."""
    return AggregateId(client, "R", code)


def shipment_id(client: str, code: str) -> AggregateId:
    """The aggregate of a forward parcel; `code` is its shipment code."""
    return AggregateId(client, "S", code)


def endpoint_id(client: str, endpoint: str) -> AggregateId:
    """The aggregate of an endpoint: its notices, such as that it was disabled."""
    return AggregateId(client, "E", endpoint)


def endpoint_pk(client: str, endpoint: str) -> str:
    """The partition of what RMS itself notes of an endpoint; its configuration stands with the client's."""
    return endpoint_id(client, endpoint).pk


def endpoint_key(client: str, endpoint: str) -> Key:
    """The configuration of an endpoint."""
    return Key(client_pk(client), f"ENDPOINT#{endpoint}")


def health_key(client: str, endpoint: str) -> Key:
    """How delivery to an endpoint fares; absent while all is well."""
    return Key(endpoint_pk(client, endpoint), "HEALTH")


def replay_key(client: str, endpoint: str, replay: str) -> Key:
    """One replay of everything since a time: what it is to do and how far it is."""
    return Key(endpoint_pk(client, endpoint), f"REPLAY#{replay}")


def replaying_key(client: str, endpoint: str) -> Key:
    """Which of an endpoint's replays is running; absent when none is."""
    return Key(endpoint_pk(client, endpoint), "REPLAYING")


def client_pk(client: str) -> str:
    """The partition of a client's configuration."""
    return f"C#{client}"


def shipment_key(client: str, awb: str) -> Key:
    """The row that says whose parcel an AWB (or an aggregator's return reference) is."""
    return Key(f"C#{client}#A#{awb}", "SHIPMENT")


def parked_key(client: str, awb: str, event_id: str) -> Key:
    """An event that waits until its AWB is known."""
    return Key(f"C#{client}#A#{awb}", f"PARKED#{event_id}")


def forward_key(client: str, forward_reference: str, code: str) -> Key:
    """Which return was announced for a forward parcel or order."""
    return Key(f"C#{client}#F#{forward_reference}", f"R#{code}")


def return_of_order_key(client: str, order_code: str, code: str) -> Key:
    """That a return is one of a forward order's. Beside what was announced for it, which is nobody's own word."""
    return Key(f"C#{client}#F#{order_code}", f"RETURN#{code}")


def replacement_key(client: str, store: str, order: str) -> Key:
    """The row that says which return's goods an order of a web shop replaces; `order` is its number there."""
    return Key(f"C#{client}#X#{store}#{order}", "REPLACEMENT")


def listing_pk(client: str, kind: Kind, state: str | None = None) -> str:
    """The partition of the index `listing` with a client's aggregates of a kind, or with those in a state."""
    return f"C#{client}#{kind}" if state is None else f"C#{client}#{kind}#{state}"


def parcel_of_order_key(client: str, order_code: str, shipment_code: str) -> Key:
    """That a forward parcel is one of an order's."""
    return Key(f"C#{client}#F#{order_code}", f"S#{shipment_code}")


def aggregate_of(pk: str) -> AggregateId:
    """The aggregate that a partition belongs to.

    Raises:
        ValueError: for a partition of something else.
    """
    mark, client, kind, code = pk.split("#", 3)
    if mark != "C" or kind not in KINDS:
        raise ValueError("not the partition of an aggregate")
    return AggregateId(client, KINDS[kind], code)


def quiet_listing(client: str, endpoint: str) -> str:
    """The partition of `listing` with the cursors of an endpoint that wait for nothing, by their newest event."""
    return f"C#{client}#E#{endpoint}"


def waiting_listing(client: str, endpoint: str) -> str:
    """The same for those of which a try has failed, and those that stand still."""
    return f"C#{client}#E#{endpoint}#W"


def parked_shard(client: str, endpoint: str) -> str:
    """The shard of `due` where an endpoint's cursors wait for the endpoint itself; the sweeper does not read it."""
    return f"parked#{client}#{endpoint}"


def stalled_shard(client: str, endpoint: str) -> str:
    """The shard of `due` with an endpoint's cursors that gave up, for people to read."""
    return f"stalled#{client}#{endpoint}"


def watch_lease_key() -> Key:
    """The row that says who is watching silent parcels at the moment, for all clients."""
    return Key("WATCH", "LEASE")


def due_shard(pk: str) -> str:
    """The shard of the `due` index for a row of this partition; spread evenly, the same every time."""
    return f"due#{_shard(pk)}"


def all_due_shards() -> tuple[str, ...]:
    """Every shard that the sweeper reads."""
    return tuple(f"due#{number}" for number in range(SHARDS))


def silent_shard(pk: str) -> str:
    """The shard in which the row of an AWB waits for its parcel to fall silent; the sweeper does not read it."""
    return f"silent#{_shard(pk)}"


def all_silent_shards() -> tuple[str, ...]:
    """Every shard that whoever watches silent parcels reads."""
    return tuple(f"silent#{number}" for number in range(SHARDS))


def _shard(pk: str) -> int:
    return hashlib.sha256(pk.encode()).digest()[0] % SHARDS
