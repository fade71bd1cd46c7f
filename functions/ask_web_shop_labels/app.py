"""POST /forward/web-shop-labels: ask the client's own system for the label of a parcel that it ships itself."""

from rms.composition import core
from rms.forward import ask_web_shop_label
from rms.forward.answers import answer_to
from rms.forward.requests import read_label_question
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.post("/forward/web-shop-labels")
def label(call: Call) -> Reply:
    """Section 21: AWB and label come from the client's system; RMS keeps both and follows the parcel."""
    return Reply(*answer_to(ask_web_shop_label(api.core, call.client, read_label_question(call.body))))


handler = api.handler
