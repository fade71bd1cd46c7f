"""PUT /return/update-return-order/item: add items to a return that is not received yet."""

from rms.composition import core
from rms.platform.api import Call, Reply, client_api
from rms.returns import add_return_items
from rms.returns.items import read_added_items

api = client_api(core, role="client")


@api.put("/return/update-return-order/item")
def items(call: Call) -> Reply:
    """Section 5: one item per unit; the same again adds nothing."""
    return Reply.of(add_return_items(api.core, call.client, read_added_items(call.body)))


handler = api.handler
