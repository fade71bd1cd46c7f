"""Returns: create, add items, read. Use cases: see the names below."""

from typing import TYPE_CHECKING

from rms.platform.loading import names_from

if TYPE_CHECKING:
    from rms.returns.announced import create_announced_return
    from rms.returns.create import create_return
    from rms.returns.items import add_return_items
    from rms.returns.read import list_returns, read_return, search_returns
else:
    __getattr__ = names_from(
        __name__,
        {
            "add_return_items": "items",
            "create_announced_return": "announced",
            "create_return": "create",
            "list_returns": "read",
            "read_return": "read",
            "search_returns": "read",
        },
    )

__all__ = [
    "add_return_items",
    "create_announced_return",
    "create_return",
    "list_returns",
    "read_return",
    "search_returns",
]
