"""GET a return with its timeline, its AWB, a page of returns, POST /return/get/awb: read what RMS knows."""

from rms import returns
from rms.composition import core
from rms.platform.api import Call, Reply, client_api
from rms.returns import list_returns, read_return, search_returns
from rms.returns.read import read_wanted

api = client_api(core, role="client")


@api.get("/return/return-orders/<code>")
def one(call: Call) -> Reply:
    """One return, its booking, its timeline, and what each endpoint has heard."""
    return Reply(body=read_return(api.core, call.client, call.path["code"]))


@api.get("/return/return-orders/<code>/awb")
def awb(call: Call) -> Reply:
    """Section 11: the AWB of one return, its courier and its label."""
    # Named through the package, which loads it now: it knows all that books, and no other route here needs that.
    return Reply.of(returns.read_return_awb(api.core, call.client, call.path["code"]))


@api.get("/return/return-orders")
def page(call: Call) -> Reply:
    """Returns, newest first, a page at a time; those in a state, those of a span of time."""
    return Reply(body=list_returns(api.core, call.client, call.query.get("page"), read_wanted(call.query)))


@api.post("/return/get/awb")
def search(call: Call) -> Reply:
    """Section 6: returns by AWB, code or forward order."""
    return Reply(body=search_returns(api.core, call.client, call.body))


handler = api.handler
