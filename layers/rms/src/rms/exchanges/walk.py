"""The steps at Shopify that a decision asks for, as a walk: look at the order, take one step, look again.

Nothing of a walk is stored. What was done is read off the order itself, so that a walk that broke off anywhere is begun
anew and goes on where it was:

| step         | its calls                               | it is done when                                   |
| ------------ | --------------------------------------- | ------------------------------------------------- |
| CANCEL_LINES | orderEditBegin, orderEditSetQuantity    | no SKU has more units than may go out             |
|              | for each line, orderEditCommit          |                                                   |
| RELEASE_HOLD | fulfillmentOrderReleaseHold with our    | no hold of ours for this return is left           |
|              | hold ids, for each fulfilment order     |                                                   |
| FREE_TAG     | tagsRemove or tagsAdd, as configured    | the hold tag is gone, or the release tag is there |
| CANCEL_ORDER | orderCancel                             | cancelledAt is set                                |

The tag comes last: whoever reads the order's webhook then finds everything else done. A release step is asked for only
of an order that was looked at and has nothing left in it that failed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from rms.exchanges.decision import Decision
from rms.exchanges.settings import ExchangeSettings, ReleaseBy
from rms.exchanges.standing import Plan, excess, handle_of, hindrance
from rms.partners import shopify
from rms.partners.results import Absent, Blame, Busy, Refused, Unknown
from rms.partners.shopify import operations
from rms.partners.shopify.answers import CancelTaken, Done, Edit
from rms.partners.shopify.order import FulfilmentOrder, Order
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer


class Step(StrEnum):
    """One thing that is to become true of the order."""

    CANCEL_LINES = "CANCEL_LINES"
    RELEASE_HOLD = "RELEASE_HOLD"
    FREE_TAG = "FREE_TAG"
    CANCEL_ORDER = "CANCEL_ORDER"


STEPS: Final[Mapping[Decision, tuple[Step, ...]]] = {
    Decision.RELEASE: (Step.RELEASE_HOLD, Step.FREE_TAG),
    Decision.CANCEL_LINES: (Step.CANCEL_LINES, Step.RELEASE_HOLD, Step.FREE_TAG),
    Decision.CANCEL_ORDER: (Step.CANCEL_ORDER,),
}
"""The steps of each decision, in their order. The others ask for none."""

LOOK: Final = "look"
BEGIN: Final = "edit-begin"
SET: Final = "edit-set-quantity"
COMMIT: Final = "edit-commit"
RELEASE: Final = "release-hold"
REMOVE_TAG: Final = "remove-tag"
ADD_TAG: Final = "add-tag"
CANCEL: Final = "cancel-order"


@dataclass(frozen=True, slots=True)
class Ask:
    """The next call of a walk. `name` tells, when its answer is read, which call it was; `about` of what."""

    name: str
    request: HttpRequest
    about: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a walk knows: the order as last looked at, None when it must be looked at first; the edit under way.

    `taken` are the steps that this walk has made calls for, each with the refusal that it got, "" for none: no step is
    taken twice in one walk.
    """

    order: Order | None = None
    edit: Edit | None = None
    to_set: tuple[tuple[str, int], ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """The order is as the decision wants it."""


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing more is done by itself: a person looks at it, an operator where `blame` says so."""

    reason: str
    blame: Blame = Blame.DATA


@dataclass(frozen=True, slots=True)
class Working:
    """Shopify has taken it in hand and does not show it yet: look again later."""

    reason: str


type Ended = Finished | Held | Working | Busy | Unknown
"""What came of a walk. After the last three another walk is begun later, which looks before it does anything."""


def next_call(settings: ExchangeSettings, shop: shopify.Settings, plan: Plan, progress: Progress) -> Ask | Ended:
    """The next call of a walk, or what came of it. A walk starts with no progress."""
    if plan.decision not in STEPS:
        return Held(f"nothing is done for {plan.decision}")
    if progress.edit is not None:
        return _edit_on(settings, shop, plan, progress.edit, progress.to_set)
    order = progress.order
    if order is None:
        return Ask(LOOK, shopify.read_order_again(shop, plan.order))
    hindered = hindrance(settings, plan, order)
    if hindered is not None:
        return Finished() if hindered.done else Held(f"the order is {hindered.standing}: {hindered.why}")
    for step in STEPS[plan.decision]:
        for about in _left_to_do(settings, plan, order)[step]():
            return _take(settings, shop, plan, step, about, progress)
    return Finished()


def read(plan: Plan, ask: Ask, answer: HttpAnswer | NoAnswer, progress: Progress) -> Progress | Ended:
    """What an answer brings. After a step that was taken the order is looked at again, whatever it answered."""
    match ask.name:
        case "look":
            return _looked(plan, answer, progress)
        case "edit-begin":
            return _begun(plan, answer, progress)
        case "edit-set-quantity":
            return _set(answer, progress)
        case name:
            return _taken(_READERS[name](answer), name, ask.about, progress)


# ── what is left to do ──────────────────────────────────────────────────────────────


def _left_to_do(settings: ExchangeSettings, plan: Plan, order: Order) -> Mapping[Step, Callable[[], list[str]]]:
    """What each step would still be about; a step about nothing is done."""
    return {
        Step.CANCEL_LINES: lambda: ["lines"] if excess(plan, order) else [],
        Step.RELEASE_HOLD: lambda: [each.id for each in order.fulfilment_orders if _our_holds(plan, each)],
        Step.FREE_TAG: lambda: [] if _is_free(settings, order) else ["tag"],
        Step.CANCEL_ORDER: lambda: [] if order.is_cancelled else ["order"],
    }


def _our_holds(plan: Plan, fulfilment_order: FulfilmentOrder) -> list[str]:
    """Holds that this app has set for this return; another app's may bear the same handle."""
    handle = handle_of(plan.return_code)
    return [hold.id for hold in fulfilment_order.holds if hold.by_us and hold.handle == handle]


def _is_free(settings: ExchangeSettings, order: Order) -> bool:
    if settings.release_by is ReleaseBy.REMOVE_HOLD_TAG:
        return not order.has_tag(settings.hold_tag)
    return order.has_tag(settings.release_tag)


def _take(
    settings: ExchangeSettings, shop: shopify.Settings, plan: Plan, step: Step, about: str, progress: Progress
) -> Ask | Ended:
    assert progress.order is not None
    key = f"{step} {about}"
    if key in progress.taken:
        refusal = progress.taken[key]
        return Held(refusal) if refusal else Working(f"Shopify does not show {step} yet")
    match step:
        case Step.CANCEL_LINES:
            return Ask(BEGIN, shopify.begin_edit(shop, plan.order), key)
        case Step.RELEASE_HOLD:
            held = next(each for each in progress.order.fulfilment_orders if each.id == about)
            return Ask(RELEASE, shopify.release_holds(shop, about, _our_holds(plan, held)), key)
        case Step.FREE_TAG if settings.release_by is ReleaseBy.REMOVE_HOLD_TAG:
            return Ask(REMOVE_TAG, shopify.remove_tag(shop, plan.order, settings.hold_tag), key)
        case Step.FREE_TAG:
            return Ask(ADD_TAG, shopify.add_tag(shop, plan.order, settings.release_tag), key)
        case Step.CANCEL_ORDER:
            reason, restock, note = settings.cancel_reason, settings.restock, _note(plan)
            return Ask(CANCEL, shopify.cancel_order(shop, plan.order, reason=reason, restock=restock, note=note), key)


def _edit_on(
    settings: ExchangeSettings, shop: shopify.Settings, plan: Plan, edit: Edit, to_set: tuple[tuple[str, int], ...]
) -> Ask:
    key = f"{Step.CANCEL_LINES} lines"
    if not to_set:
        return Ask(COMMIT, shopify.commit_edit(shop, edit.id, _note(plan)), key)
    line, quantity = to_set[0]
    return Ask(SET, shopify.set_quantity(shop, edit.id, line, quantity, restock=settings.restock), key)


def _note(plan: Plan) -> str:
    return f"RMS: QC of return {plan.return_code} failed"


# ── what an answer brings ───────────────────────────────────────────────────────────


def _looked(plan: Plan, answer: HttpAnswer | NoAnswer, progress: Progress) -> Progress | Ended:
    match shopify.read_order(answer, plan.order):
        case Order() as order:
            return replace(progress, order=order)
        case Absent():
            return Held("the order is ABSENT: Shopify does not know it, or does not let us see it")
        case Refused(blame, code, words):
            return Held(f"Shopify does not show the order ({code}): {words}", blame)
        case failure:
            return failure


def _begun(plan: Plan, answer: HttpAnswer | NoAnswer, progress: Progress) -> Progress | Ended:
    begun = shopify.read_edit(answer)
    match begun:
        case Edit() if not begun.whole:
            return Held("the edit is too large to be read whole")
        case Edit():
            assert progress.order is not None
            to_set = _quantities(begun, progress.order, excess(plan, progress.order))
            # Not committed yet: an edit that is left alone changes nothing.
            return (
                Unknown("the order changed meanwhile") if not to_set else replace(progress, edit=begun, to_set=to_set)
            )
        case Refused(blame, code, words):
            return Held(f"Shopify does not let the order be edited ({code}): {words}", blame)
        case failure:
            return failure


def _quantities(edit: Edit, order: Order, excess: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Which lines of an edit get which quantity, the last lines first; none where it is not of the order looked at."""
    to_set: list[tuple[str, int]] = []
    for sku, units in excess.items():
        ours = [line for line in edit.lines if line.sku == sku]
        if sum(line.quantity for line in ours) != sum(line.current for line in order.lines if line.sku == sku):
            return ()
        left = units
        for line in reversed(ours):
            out = min(left, line.quantity)
            if out:
                to_set.append((line.id, line.quantity - out))
            left -= out
    return tuple(to_set)


def _set(answer: HttpAnswer | NoAnswer, progress: Progress) -> Progress | Ended:
    match shopify.read_written(answer, operations.EDIT_SET_QUANTITY):
        case Done():
            return replace(progress, to_set=progress.to_set[1:])
        case Refused(blame, code, words):
            return Held(f"Shopify does not let a line be cancelled ({code}): {words}", blame)
        case failure:
            return failure


_READERS: Final[Mapping[str, Callable[[HttpAnswer | NoAnswer], Done | CancelTaken | Refused | Busy | Unknown]]] = {
    COMMIT: lambda answer: shopify.read_written(answer, operations.EDIT_COMMIT),
    RELEASE: lambda answer: shopify.read_written(answer, operations.RELEASE),
    REMOVE_TAG: lambda answer: shopify.read_written(answer, operations.REMOVE_TAGS),
    ADD_TAG: lambda answer: shopify.read_written(answer, operations.ADD_TAGS),
    CANCEL: shopify.read_cancelled,
}


def _taken(
    result: Done | CancelTaken | Refused | Busy | Unknown, name: str, about: str, progress: Progress
) -> Progress | Ended:
    match result:
        case Refused(Blame.CONFIGURATION, code, words):
            return Held(f"Shopify does not let us {name} ({code}): {words}", Blame.CONFIGURATION)
        case Refused(_, code, words):
            # A call of ours that was thought lost, or a person, may have been first: the order says so.
            refusal = f"Shopify refuses to {name} ({code}): {words}"
        case Busy() | Unknown():
            return result
        case _:
            refusal = ""
    return Progress(taken={**progress.taken, about: refusal})
