"""Returns: create, add and cancel items, generate an AWB, process, read. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.returns.announced import create_announced_return
    from rms.returns.awb import generate_return_awb, read_return_awb
    from rms.returns.cancel_items import cancel_return_items
    from rms.returns.create import create_return
    from rms.returns.exchange_walks import settle_exchange
    from rms.returns.items import add_return_items
    from rms.returns.process import process_return
    from rms.returns.read import list_returns, read_return, search_returns
    from rms.returns.replacing import Linked, NotLinked, Replacement, link_exchange
    from rms.returns.requested import record_request
    from rms.returns.shop_notices import take_shop_notice
    from rms.returns.writing_back import settle_write_back
else:
    __getattr__ = names_from(
        __name__,
        {
            "Linked": "replacing",
            "NotLinked": "replacing",
            "Replacement": "replacing",
            "add_return_items": "items",
            "cancel_return_items": "cancel_items",
            "create_announced_return": "announced",
            "create_return": "create",
            "generate_return_awb": "awb",
            "link_exchange": "replacing",
            "list_returns": "read",
            "process_return": "process",
            "read_return": "read",
            "read_return_awb": "awb",
            "record_request": "requested",
            "search_returns": "read",
            "settle_write_back": "writing_back",
            "settle_exchange": "exchange_walks",
            "take_shop_notice": "shop_notices",
        },
    )

__all__ = [
    "Linked",
    "NotLinked",
    "Replacement",
    "add_return_items",
    "cancel_return_items",
    "create_announced_return",
    "create_return",
    "generate_return_awb",
    "link_exchange",
    "list_returns",
    "process_return",
    "read_return",
    "read_return_awb",
    "record_request",
    "search_returns",
    "settle_exchange",
    "settle_write_back",
    "take_shop_notice",
]
