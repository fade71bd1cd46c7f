"""POST /return/return-orders and /return/create: take a return order, book its AWB if that is RMS's job."""

from rms.composition import core
from rms.platform.api import Call, Reply, client_api
from rms.returns import create_return
from rms.returns.requests import read_return_order, read_return_with_awb
from rms.returns.terms import terms_of, terms_of_alias

api = client_api(core, role="client")


@api.post("/return/return-orders")
def return_order(call: Call) -> Reply:
    """Section 3: the channel may have booked the courier itself."""
    terms, weight_unit = terms_of(api.core, call.client)
    return Reply.of(create_return(api.core, call.client, read_return_order(call.body, terms, weight_unit)))


@api.post("/return/create")
def return_with_awb(call: Call) -> Reply:
    """Section 4: RMS always books."""
    order = read_return_with_awb(call.body, terms_of_alias(api.core, call.client))
    return Reply.of(create_return(api.core, call.client, order))


handler = api.handler
