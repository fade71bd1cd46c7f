"""POST /forward/orders and /forward/shipping-labels: have a parcel's order made, its AWB booked, its label fetched."""

from rms.clients.configuration import configuration_of
from rms.composition import core
from rms.forward import create_forward_order, generate_label
from rms.forward.answers import answer_to
from rms.forward.requests import read_label_request, read_order
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.post("/forward/orders")
def order(call: Call) -> Reply:
    """Section 13: the order only, where the aggregator takes orders."""
    unit = configuration_of(api.core, call.client).weight_unit
    return Reply(*answer_to(create_forward_order(api.core, call.client, read_order(call.body, unit))))


@api.post("/forward/shipping-labels")
def label(call: Call) -> Reply:
    """Sections 10 and 11: AWB and label."""
    unit = configuration_of(api.core, call.client).weight_unit
    return Reply(*answer_to(generate_label(api.core, call.client, read_label_request(call.body, unit))))


handler = api.handler
