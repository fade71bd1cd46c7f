"""Exchanges on Shopify: linked to a replacement order, decided with QC, released or cancelled once, or held."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rms.clients import stores
from rms.exchanges import handle_of
from rms.journal.keys import return_id
from rms.platform.observability import publish_counts
from rms.returns import Linked, NotLinked, Replacement, link_exchange
from rms.returns.replacing import A_CANCELLED_ITEM, CHANGED_ITS_MIND, SEVERAL_ORDERS
from sandbox.faults import Fault, Then
from sandbox.shopify.orders import Order
from tests.builders import a_failure_body, a_processed_body, a_result_body, a_return_order_body
from tests.fakes.calls import Call
from tests.logs import counted, rms_log
from tests.partners import EXCHANGES, a_store, open_shop
from tests.world import CLIENT, World

CODE = "RET-70031-1"
FIRST, SECOND = "70031-1", "70031-2"
ITEMS = {"rms_exchange_items": f"{FIRST}=KURTA-L; {SECOND}=STOLE-PLUM"}
RELEASED = [f"hold {handle_of(CODE)} released", "tag Hold-QC removed"]


@pytest.fixture
def world() -> World:
    world = World()
    open_shop(world)
    world.create_return(a_return_order_body())
    world.settle()
    return world


def place(world: World, *, code: str = CODE, attributes: Mapping[str, str] | None = None, **order: Any) -> Order:
    """The replacement order of a return, held, of which the shop tells."""
    shop = world.shops[0].engine
    placed = shop.place(
        lines=order.pop("lines", ({"sku": "KURTA-L"}, {"sku": "STOLE-PLUM"})),
        tags=order.pop("tags", ("Exchange", "Hold-QC", "prepaid")),
        attributes={"rms_return_code": code, **(ITEMS if attributes is None else attributes)},
    )
    shop.hold(placed.number, handle_of(code))
    shop.hold(placed.number, "fraud-check", by_us=False)
    world.settle()
    return placed


def check(world: World, **verdicts: str) -> None:
    """The warehouse says what it found: `first` and `second`, each PASS or FAIL; and everything follows."""
    said(world, **verdicts)
    world.settle()


def said(world: World, **verdicts: str) -> None:
    codes = {"first": FIRST, "second": SECOND}
    results = [
        a_result_body(codes[name]) if verdict == "PASS" else a_failure_body(codes[name])
        for name, verdict in verdicts.items()
    ]
    assert world.process(a_processed_body(orderItems=results)).status == 200


def send_notice(world: World, *, alias: str, topic: str) -> None:
    """An empty object comes out of the queue as a shop's webhook."""
    headers: Any = {"x-shopify-topic": topic}
    notice = {"task": "shop_notice", "client": CLIENT, "alias": alias, "headers": headers, "body": "e30="}
    world.queues.send("inbound", [notice])
    world.settle()


def exchange(world: World) -> Any:
    return world.read_return(CODE).body["exchange"]


def told(world: World) -> list[str]:
    """The kinds of the exchange's events."""
    return [str(event["kind"]) for event in world.journal(CODE) if "EXCHANGE" in str(event["kind"])]


def calls(world: World) -> list[str]:
    return [str(request["operation"]) for request in world.shops[0].engine.requests()]


# ── what QC decides ─────────────────────────────────────────────────────────────────


def test_a_return_shows_its_replacement_order_as_soon_as_the_shop_has_told_of_it(world: World) -> None:
    order = place(world)

    shown = exchange(world)
    assert (shown["state"], shown["decision"]) == ("LINKED", "WAIT")
    assert (shown["shopifyStore"], shown["replacementOrderId"], shown["linkedBy"]) == (
        "web",
        str(order.number),
        "SHOPIFY",
    )
    assert told(world) == ["EXCHANGE_LINKED"]
    assert calls(world) == []


def test_a_return_without_one_shows_none(world: World) -> None:
    check(world, first="PASS", second="PASS")

    assert exchange(world) is None
    assert calls(world) == []


@pytest.mark.parametrize(
    ("verdicts", "decision", "history", "event"),
    [
        (("PASS", "PASS"), "RELEASE", RELEASED, "EXCHANGE_RELEASED"),
        (("FAIL", "FAIL"), "CANCEL_ORDER", ["cancelled"], "EXCHANGE_CANCELLED"),
        (("PASS", "FAIL"), "CANCEL_LINES", ["STOLE-PLUM set from 1 to 0", *RELEASED], "EXCHANGE_RELEASED"),
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_qc_releases_cancels_or_both(
    world: World, verdicts: tuple[str, str], decision: str, history: list[str], event: str, *, in_pieces: bool
) -> None:
    order = place(world)
    first, second = verdicts

    if in_pieces:
        check(world, second=second)
        assert order.history == []
        check(world, first=first)
    else:
        check(world, first=first, second=second)

    assert order.history == history
    assert [hold.handle for hold in order.holds][-1:] == ["fraud-check"]
    assert (exchange(world)["state"], exchange(world)["decision"]) == ("DONE", decision)
    assert told(world) == ["EXCHANGE_LINKED", event]
    assert not [name for name in world.heard(CODE) if "EXCHANGE" in name]


def test_the_decision_is_in_the_transaction_of_the_qc_event(world: World) -> None:
    place(world)

    said(world, first="PASS", second="PASS")

    row = world.rows_of(CODE)["EXCHANGE"]
    assert (row["state"], row["decision"], row["qc"]) == ("INTENT", "RELEASE", 1)
    assert world.queues.messages("bookings")[0]["task"] == "exchange"
    assert any(due["SK"] == "EXCHANGE" for due in world.due_rows())


def test_a_lost_wake_up_is_made_good_by_the_sweeper(world: World) -> None:
    order = place(world)
    said(world, first="PASS", second="PASS")
    world.queues.deliver("bookings", lambda _: [], batch_size=10)

    world.clock.advance(minutes=1)
    world.settle()

    assert order.history == RELEASED


def test_the_same_result_again_and_the_same_message_again_do_nothing_more(world: World) -> None:
    order = place(world)
    check(world, first="PASS", second="PASS")
    before = calls(world)

    check(world, first="PASS", second="PASS")
    world.queues.send("bookings", [{"task": "exchange", "client": CLIENT, "kind": "R", "code": CODE}])
    world.settle()

    assert order.history == RELEASED
    assert calls(world) == before


def test_where_rms_does_not_edit_orders_it_only_shows_the_link(world: World) -> None:
    stores.put_store(world.core, CLIENT, a_store(settings={**EXCHANGES, "edits_orders": "off"}))
    order = place(world)

    check(world, first="PASS", second="PASS")

    assert (order.history, calls(world)) == ([], [])
    assert exchange(world)["state"] == "LINKED"


def test_who_switches_it_on_later_has_the_result_sent_again(world: World) -> None:
    stores.put_store(world.core, CLIENT, a_store(settings={**EXCHANGES, "edits_orders": "off"}))
    order = place(world)
    check(world, first="PASS", second="PASS")
    stores.put_store(world.core, CLIENT, a_store())

    check(world, first="PASS", second="PASS")

    assert order.history == RELEASED


# ── linking ─────────────────────────────────────────────────────────────────────────


def test_an_order_may_be_told_of_before_its_return(world: World) -> None:
    order = place(world, code="RET-LATER")
    assert world.rows_of("RET-LATER").keys() == {"EXCHANGE"}

    world.create_return(a_return_order_body(returnOrderCode="RET-LATER"))
    assert world.process(a_processed_body(returnOrderCode="RET-LATER")).status == 200
    world.settle()

    assert order.history[0] == "STOLE-PLUM set from 1 to 0"
    assert world.read_return("RET-LATER").body["exchange"]["state"] == "DONE"


@pytest.mark.parametrize("verdicts", [("PASS", "PASS"), ("FAIL", "FAIL")])
def test_an_order_that_is_told_of_after_qc_is_released_or_cancelled_then(
    world: World, verdicts: tuple[str, str]
) -> None:
    first, second = verdicts
    check(world, first=first, second=second)

    order = place(world)

    assert order.history == (RELEASED if first == "PASS" else ["cancelled"])
    assert exchange(world)["state"] == "DONE"


def test_an_order_without_the_exchange_tag_is_nobodys_replacement(world: World) -> None:
    place(world, tags=("Hold-QC",))

    assert exchange(world) is None


def test_a_second_order_that_names_the_return_leaves_both_to_a_person(world: World) -> None:
    orders = place(world), place(world)

    check(world, first="PASS", second="PASS")

    assert [order.history for order in orders] == [[], []]
    assert (exchange(world)["state"], exchange(world)["reason"]) == ("HELD", SEVERAL_ORDERS)
    assert told(world) == ["EXCHANGE_LINKED", "EXCHANGE_HELD"]


def test_one_order_replaces_the_goods_of_one_return(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    order = place(world)
    world.create_return(a_return_order_body(returnOrderCode="RET-2"))

    outcome = link_exchange(world.core, CLIENT, "RET-2", Replacement(str(order.number), "RETURNS_PRIME", "web"))

    assert isinstance(outcome, NotLinked)
    publish_counts()
    assert counted(capsys, "ExchangeNotLinked") == 1
    ahead = link_exchange(world.core, CLIENT, "RET-UNKNOWN", Replacement(order.gid, "RETURNS_PRIME"))
    assert isinstance(ahead, NotLinked)
    assert world.rows_of("RET-UNKNOWN") == {}


def test_a_returns_app_links_by_id_and_names_the_items_that_the_shop_does_not(world: World) -> None:
    order = place(world, attributes={})
    said_by_app = Replacement(order.gid, "RETURNS_PRIME", items={SECOND: "STOLE-PLUM"})
    check(world, second="PASS")
    assert exchange(world)["state"] == "LINKED"

    for _ in range(2):
        assert link_exchange(world.core, CLIENT, CODE, said_by_app) == Linked()
    world.settle()

    assert order.history == RELEASED
    assert exchange(world)["decision"] == "RELEASE"


def test_whoever_names_items_while_qc_is_written_is_seen_by_it(world: World) -> None:
    """Each reads before the other writes."""
    order = place(world, attributes={})
    waiting = [Replacement(order.gid, "RETURNS_PRIME", items={SECOND: "STOLE-PLUM"})]

    def meanwhile(call: Call) -> None:
        if call.operation == "transact" and waiting:
            assert link_exchange(world.core, CLIENT, CODE, waiting.pop()) == Linked()

    world.calls.before = meanwhile
    check(world, second="PASS")

    assert order.history == RELEASED


@pytest.mark.parametrize(
    "replacement", [Replacement("not a number", "X"), Replacement("1", "X", store="another"), Replacement("", "X")]
)
def test_what_names_no_order_of_a_store_links_nothing(world: World, replacement: Replacement) -> None:
    assert isinstance(link_exchange(world.core, CLIENT, CODE, replacement), NotLinked)
    assert exchange(world) is None


def test_with_several_stores_somebody_must_say_which(world: World) -> None:
    stores.put_store(world.core, CLIENT, replace(a_store(), alias="second"))

    assert isinstance(link_exchange(world.core, CLIENT, CODE, Replacement("77", "X")), NotLinked)
    assert link_exchange(world.core, CLIENT, CODE, Replacement("77", "X", store="second")) == Linked()


def test_without_skus_all_or_nothing_is_done_by_itself_and_a_mixed_result_is_a_persons(world: World) -> None:
    order = place(world, attributes={})

    check(world, first="PASS", second="FAIL")

    assert order.history == []
    assert exchange(world)["state"] == "HELD"


def test_only_the_named_items_are_waited_for(world: World) -> None:
    order = place(world, lines=[{"sku": "KURTA-L"}], attributes={"rms_exchange_items": f"{FIRST}=KURTA-L"})

    check(world, first="PASS")

    assert order.history == RELEASED


def test_names_that_are_no_items_count_as_none(world: World) -> None:
    order = place(world, attributes={"rms_exchange_items": "NOBODY=KURTA-L"})

    check(world, first="PASS")
    assert order.history == []
    check(world, second="PASS")
    assert order.history == RELEASED


def test_an_exchanged_item_that_was_cancelled_leaves_it_to_a_person(world: World) -> None:
    order = place(world)
    assert world.cancel(CODE, body={"orderItems": [{"itemCode": SECOND}]}).status == 200

    check(world, first="PASS")

    assert order.history == []
    assert (exchange(world)["state"], exchange(world)["reason"]) == ("HELD", A_CANCELLED_ITEM)


# ── corrections ─────────────────────────────────────────────────────────────────────


def test_a_correction_before_anything_was_begun_decides_anew(world: World) -> None:
    order = place(world)
    said(world, first="PASS", second="PASS")

    check(world, second="FAIL")

    assert order.history == ["STOLE-PLUM set from 1 to 0", *RELEASED]
    assert exchange(world)["decision"] == "CANCEL_LINES"


@pytest.mark.parametrize("first", ["PASS", "FAIL"])
def test_a_correction_after_something_was_done_is_a_persons(world: World, first: str) -> None:
    order = place(world)
    check(world, first="PASS", second="PASS")

    check(world, first=first, second="FAIL")

    assert order.history == RELEASED
    assert (exchange(world)["state"], exchange(world)["reason"]) == ("HELD", CHANGED_ITS_MIND)
    assert told(world) == ["EXCHANGE_LINKED", "EXCHANGE_RELEASED", "EXCHANGE_HELD"]


def test_so_is_a_further_failure_after_a_mixed_result(world: World) -> None:
    order = place(world, lines=[{"sku": "KURTA-L"}, {"sku": "STOLE-PLUM"}])
    check(world, first="PASS", second="FAIL")
    before = list(order.history)

    check(world, first="FAIL")

    assert order.history == before
    assert exchange(world)["state"] == "HELD"


def test_a_correction_stops_a_walk_that_is_under_way(world: World) -> None:
    """QC corrects itself after the first look at the order: nothing of it is released."""
    order = place(world)
    corrected: list[int] = []

    def meanwhile(call: Call) -> None:
        if call.port == "http" and not corrected:
            corrected.append(call.number)
            said(world, second="FAIL")

    said(world, first="PASS", second="PASS")
    world.calls.before = meanwhile
    world.settle()

    assert corrected
    assert order.history == []
    assert exchange(world)["state"] == "HELD"


# ── what goes wrong ─────────────────────────────────────────────────────────────────


def test_a_shop_that_asks_to_be_left_alone_is_asked_again_when_it_has_points(world: World) -> None:
    shop = world.shops[0].engine
    order = place(world)
    shop.change({"bucket": 150.0, "restore_rate": 5.0})
    began = world.clock()

    check(world, first="PASS", second="PASS")

    assert order.history == RELEASED
    assert exchange(world)["state"] == "DONE"
    assert exchange(world)["tries"] == 1
    assert (world.clock() - began).total_seconds() < 240


def test_what_the_shop_refuses_is_held_with_its_words_and_rings(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    order = place(world)
    world.shops[0].engine.change({"denies": ("tags-remove",)})

    with rms_log() as log:
        check(world, first="PASS", second="PASS")

    shown = exchange(world)
    assert order.history == RELEASED[:1]
    assert shown["state"] == "HELD"
    assert "Access denied" in shown["reason"]
    assert counted(capsys, "ExchangeHeld") == 1
    assert "Access denied" not in log.text


def test_what_is_held_is_tried_again_when_the_result_comes_again(world: World) -> None:
    order = place(world)
    world.shops[0].engine.change({"denies": ("tags-remove",)})
    check(world, first="PASS", second="PASS")
    world.shops[0].engine.change({"denies": ()})

    check(world, first="PASS", second="PASS")

    assert order.history == RELEASED
    assert exchange(world)["state"] == "DONE"


def test_what_a_person_must_decide_is_not_tried_again(world: World) -> None:
    place(world)
    place(world)
    check(world, first="PASS", second="PASS")
    before = world.rows_of(CODE)

    check(world, first="PASS", second="PASS")

    assert world.rows_of(CODE) == before


def test_a_shop_that_never_answers_is_looked_at_for_two_hours_and_then_a_persons(world: World) -> None:
    order = place(world)
    world.shops[0].engine.fail("order", Fault(Then.HANGS), times=100)
    began = world.clock()

    check(world, first="PASS", second="PASS")

    assert order.history == []
    assert exchange(world)["state"] == "HELD"
    assert 7200 <= (world.clock() - began).total_seconds() < 9000


@pytest.mark.parametrize("gone", [True, False])
def test_a_store_that_is_gone_or_switched_off_meanwhile_is_left_alone(world: World, *, gone: bool) -> None:
    order = place(world)
    said(world, first="PASS", second="PASS")
    if gone:
        del world.table._partitions[f"C#{CLIENT}"]["STORE#web"]
        world.core.memory.forget(f"configuration:{CLIENT}")
    else:
        stores.put_store(world.core, CLIENT, a_store(settings={}))
    world.settle()

    assert (order.history, exchange(world)["state"]) == ([], "HELD")


def test_without_time_it_stays_due(world: World) -> None:
    from rms.returns import settle_exchange

    place(world)
    said(world, first="PASS", second="PASS")

    assert settle_exchange(world.core, return_id(CLIENT, CODE), world.clock()) is None
    assert world.rows_of(CODE)["EXCHANGE"]["state"] == "INTENT"


# ── an order that the shop cancels ──────────────────────────────────────────────────


@pytest.mark.parametrize(("verdict", "state"), [("PASS", "HELD"), ("FAIL", "DONE")])
def test_an_order_that_the_shop_cancels_before_qc_is_shown_so_and_its_pass_is_a_persons(
    world: World, verdict: str, state: str
) -> None:
    order = place(world)
    world.shops[0].engine.cancel(order.number)
    world.settle()
    assert exchange(world)["orderCancelledAt"]
    assert told(world) == ["EXCHANGE_LINKED", "EXCHANGE_CANCELLED"]

    check(world, first=verdict, second=verdict)

    assert exchange(world)["state"] == state
    assert not any("released" in line for line in order.history)


def test_an_order_that_the_shop_cancels_after_its_release_is_shown_so(world: World) -> None:
    order = place(world)
    check(world, first="PASS", second="PASS")

    world.shops[0].engine.cancel(order.number)
    world.settle()

    assert (exchange(world)["state"], bool(exchange(world)["orderCancelledAt"])) == ("DONE", True)
    assert told(world) == ["EXCHANGE_LINKED", "EXCHANGE_RELEASED", "EXCHANGE_CANCELLED"]


def test_our_own_cancel_is_told_once(world: World) -> None:
    place(world)

    check(world, first="FAIL", second="FAIL")

    assert told(world) == ["EXCHANGE_LINKED", "EXCHANGE_CANCELLED"]
    assert "orderCancelledAt" not in exchange(world)


def test_a_cancelled_order_of_a_return_that_is_still_to_come_is_remembered(world: World) -> None:
    order = place(world, code="RET-LATER")
    world.shops[0].engine.cancel(order.number)
    world.settle()

    world.create_return(a_return_order_body(returnOrderCode="RET-LATER"))

    assert world.read_return("RET-LATER").body["exchange"]["orderCancelledAt"]


# ── the shop's webhooks ─────────────────────────────────────────────────────────────


def test_a_webhook_that_comes_again_changes_nothing(world: World) -> None:
    order = place(world)
    engine = world.shops[0].engine
    engine.cancel(order.number)
    world.settle()
    before = world.rows_of(CODE)

    for number in range(1, len(engine.webhooks()) + 1):
        engine.resend_webhook(number)
    world.settle()

    assert world.rows_of(CODE) == before


def test_what_concerns_no_exchange_is_taken_and_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.shops[0].engine.place(tags=["prepaid"])
    world.settle()

    assert counted(capsys, "ShopNoticeUnused") == 1
    assert world.queues.dead["inbound"] == []


def test_a_webhook_of_a_store_that_is_gone_is_dropped(world: World) -> None:
    send_notice(world, alias="other", topic="orders/create")

    assert world.queues.dead["inbound"] == []


def test_one_that_cannot_be_read_stays_whole_in_the_dead_letter_queue(world: World) -> None:
    send_notice(world, alias="web", topic="orders/create")

    [dead] = world.queues.dead["inbound"]
    assert "e30=" in dead.body


def test_another_topic_is_taken_and_counted_whatever_it_holds(world: World) -> None:
    send_notice(world, alias="web", topic="app/scopes")

    assert world.queues.dead["inbound"] == []
