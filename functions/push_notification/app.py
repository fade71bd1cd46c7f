"""POST /rms-magic/notification/push: an aggregator of the generic contract reports on a parcel."""

from rms.clients.credentials import AGGREGATOR
from rms.composition import core
from rms.platform.api import Call, Reply, client_api
from rms.shipments import take_push

api = client_api(core, role=AGGREGATOR)


@api.post("/rms-magic/notification/push")
def push(call: Call) -> Reply:
    """Checked, and taken whole."""
    take_push(api.core, call.client, call.body)
    return Reply()


handler = api.handler
