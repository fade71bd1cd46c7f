"""POST /return/return-orders/{code}/awb: book an AWB for a return that is kept without one."""

from rms.composition import core
from rms.platform.api import Call, Reply, client_api
from rms.returns import generate_return_awb
from rms.returns.awb import read_wanted_account

api = client_api(core, role="client")


@api.post("/return/return-orders/<code>/awb")
def awb(call: Call) -> Reply:
    """The body may name the account that books."""
    alias = read_wanted_account(call.body)
    return Reply.of(generate_return_awb(api.core, call.client, call.path["code"], alias))


handler = api.handler
