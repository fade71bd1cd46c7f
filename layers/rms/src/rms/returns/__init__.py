"""Returns: create, read. Use cases: see the names below."""

from rms.returns.announced import create_announced_return
from rms.returns.create import create_return
from rms.returns.read import list_returns, read_return, search_returns

__all__ = ["create_announced_return", "create_return", "list_returns", "read_return", "search_returns"]
