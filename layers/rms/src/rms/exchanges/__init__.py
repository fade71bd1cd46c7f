"""Exchanges: whether a replacement order is released or cancelled once its return has passed or failed QC, and how.

RMS does this itself only for clients who switch it on: in the vendor's flow Clickpost does. All here is pure: what is
to be done is a table, and how it is done is a walk that looks at the order before each step. Source: flows, section 6.
"""

from rms.exchanges.booking import After, ExchangeState, after
from rms.exchanges.decision import Decision, ExchangeItem, Qc, Verdict, decide, qc_of, revised
from rms.exchanges.linking import ITEMS_ATTRIBUTE, LINK_ATTRIBUTE, exchange_returns, named_items, named_return
from rms.exchanges.settings import ExchangeSettings, ReleaseBy, check_settings
from rms.exchanges.standing import Plan, Standing, handle_of, hindrance
from rms.exchanges.walk import Ask, Ended, Finished, Held, Progress, Step, Working, next_call, read
from rms.exchanges.walking import walk

__all__ = [
    "ITEMS_ATTRIBUTE",
    "LINK_ATTRIBUTE",
    "After",
    "Ask",
    "Decision",
    "Ended",
    "ExchangeItem",
    "ExchangeSettings",
    "ExchangeState",
    "Finished",
    "Held",
    "Plan",
    "Progress",
    "Qc",
    "ReleaseBy",
    "Standing",
    "Step",
    "Verdict",
    "Working",
    "after",
    "check_settings",
    "decide",
    "exchange_returns",
    "handle_of",
    "hindrance",
    "named_items",
    "named_return",
    "next_call",
    "qc_of",
    "read",
    "revised",
    "walk",
]
