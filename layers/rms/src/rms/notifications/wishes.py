"""What a client may ask for to have notifications repaired, read from the bodies of its calls."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rms.journal import AggregateId
from rms.journal.keys import return_id, shipment_id
from rms.platform.errors import BadDataError
from rms.platform.json import JsonObject, optional_texts, parse_object
from rms.platform.problems import MISSING
from rms.platform.times import TIME_EXPECTED, YEARS, stated_time

REPLAY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""How a replay may be called."""

CODES: Final = ("returnOrderCode", "shipmentCode")
NUMBERS: Final = {"sequence": 1, "afterSequence": 0}
"""Members that are places in a journal, and the least that they may be."""


@dataclass(frozen=True, slots=True)
class OneEvent:
    """One event of one order."""

    order: AggregateId
    sequence: int


@dataclass(frozen=True, slots=True)
class OneOrder:
    """Everything of one order after a sequence number."""

    order: AggregateId
    after: int


@dataclass(frozen=True, slots=True)
class EverySince:
    """Everything that RMS heard since a time. `replay` is what the client calls it, None when it does not care."""

    since: datetime
    replay: str | None


type Wish = OneEvent | OneOrder | EverySince


def read_wish(client: str, body: bytes) -> Wish:
    """What to tell an endpoint again.

    Raises:
        BadDataError: everything that is wrong with the body.
    """
    wanted = parse_object(body)
    problems: list[str] = []
    texts = _texts(wanted, (*CODES, "since", "replayId"), problems)
    numbers = _numbers(wanted, problems)
    since = _since(texts["since"], problems)
    if texts["replayId"] is not None and not REPLAY_ID.fullmatch(texts["replayId"]):
        problems.append("replayId: must be 1 to 40 letters, digits, _ or -")
    given = [name for name in ("since", *CODES) if wanted.get(name) is not None]
    if not given:
        problems.append("since: may not be null unless returnOrderCode or shipmentCode is given")
    problems += [f"{name}: may not be given beside {given[0]}" for name in given[1:]]
    if "since" in given:
        problems += [f"{name}: may not be given beside since" for name in NUMBERS if wanted.get(name) is not None]
    else:
        if wanted.get("replayId") is not None:
            problems.append("replayId: may be given beside since only")
        places = [name for name in NUMBERS if wanted.get(name) is not None]
        if given and not places:
            problems.append("sequence: may not be null unless afterSequence is given")
        problems += [f"{name}: may not be given beside {places[0]}" for name in places[1:]]
    _raise(problems)
    if since is not None:
        return EverySince(since, texts["replayId"])
    order = _order(client, texts)
    if numbers["sequence"] is not None:
        return OneEvent(order, numbers["sequence"])
    assert numbers["afterSequence"] is not None
    return OneOrder(order, numbers["afterSequence"])


def read_skip(client: str, body: bytes) -> OneEvent:
    """Which event never to tell.

    Raises:
        BadDataError: everything that is wrong with the body.
    """
    wanted = parse_object(body)
    problems: list[str] = []
    texts = _texts(wanted, CODES, problems)
    numbers = _numbers(wanted, problems)
    given = [name for name in CODES if wanted.get(name) is not None]
    if not given:
        problems.append("returnOrderCode: may not be null unless shipmentCode is given")
    problems += [f"{name}: may not be given beside {given[0]}" for name in given[1:]]
    if wanted.get("sequence") is None:
        problems.append(f"sequence: {MISSING}")
    _raise(problems)
    assert numbers["sequence"] is not None
    return OneEvent(_order(client, texts), numbers["sequence"])


def called(order: AggregateId) -> dict[str, str]:
    """An order by the name that it has outside."""
    return {{"R": "returnOrderCode", "S": "shipmentCode", "E": "endpointOfNotice"}[order.kind]: order.code}


def _order(client: str, texts: dict[str, str | None]) -> AggregateId:
    code, parcel = texts["returnOrderCode"], texts["shipmentCode"]
    return return_id(client, code) if code is not None else shipment_id(client, parcel or "")


def _texts(wanted: JsonObject, names: tuple[str, ...], problems: list[str]) -> dict[str, str | None]:
    texts: dict[str, str | None] = {}
    for name in names:
        try:
            texts |= optional_texts(wanted, (name,))
        except BadDataError as bad:
            texts[name] = None
            problems.append(bad.description[1:-1])
        else:
            if texts[name] is None and wanted.get(name) is not None:
                problems.append(f"{name}: may not be empty")
    return texts


def _numbers(wanted: JsonObject, problems: list[str]) -> dict[str, int | None]:
    numbers: dict[str, int | None] = {}
    for name, least in NUMBERS.items():
        value = wanted.get(name)
        numbers[name] = value if isinstance(value, int) and not isinstance(value, bool) else None
        if value is not None and numbers[name] is None:
            problems.append(f"{name}: must be a whole number")
        elif isinstance(value, int) and value < least:
            problems.append(f"{name}: must be at least {least}")
    return numbers


def _since(text: str | None, problems: list[str]) -> datetime | None:
    if text is None:
        return None
    since = stated_time(text)
    if since is None:
        problems.append(f"since: {TIME_EXPECTED}")
    elif since.year not in YEARS:
        problems.append(f"since: must lie between the years {YEARS[0]} and {YEARS[-1]}")
    return since


def _raise(problems: list[str]) -> None:
    if problems:
        raise BadDataError(f"[{', '.join(problems)}]")
