"""POST /usp/return: a warehouse says what it found in a parcel."""

from rms.composition import core
from rms.platform.api import Call, Reply, client_api
from rms.returns import process_return
from rms.returns.process_requests import read_processed_return

api = client_api(core, role="warehouse")


@api.post("/usp/return")
def results(call: Call) -> Reply:
    """Section 7: the QC result of each item, in one call or in many; the same again is no news."""
    request = read_processed_return(call.body)
    return Reply.of(process_return(api.core, call.client, call.username, request))


handler = api.handler
