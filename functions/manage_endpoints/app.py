"""/endpoints: where a client's notifications go. Create, read, change, rotate, pause, resume, test, delete."""

from http import HTTPStatus

from rms.clients import endpoints
from rms.clients.endpoint_requests import CreateEndpoint, PutEndpoint, RotateSecret, SendSample, read
from rms.composition import core
from rms.notifications import send_sample
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="client")


@api.post("/endpoints")
def create_endpoint(call: Call) -> Reply:
    """A new endpoint; its signing secret is in this answer and nowhere else."""
    wanted = read(CreateEndpoint, call.body)
    made = endpoints.create_endpoint(api.core, call.client, wanted.endpoint, wanted.all_settings)
    return Reply(HTTPStatus.CREATED, {"endpoint": wanted.endpoint, "signingSecret": made.secret})


@api.get("/endpoints")
def list_endpoints(call: Call) -> Reply:
    """All endpoints, without their headers."""
    return Reply(body={"endpoints": endpoints.list_endpoints(api.core, call.client)})


@api.get("/endpoints/<endpoint>")
def read_endpoint(call: Call) -> Reply:
    """An endpoint, without secrets."""
    return Reply(body=endpoints.describe_endpoint(api.core, call.client, call.path["endpoint"]))


@api.put("/endpoints/<endpoint>")
def change_endpoint(call: Call) -> Reply:
    """An endpoint's settings, changed; one that was disabled is enabled again."""
    change = read(PutEndpoint, call.body).change
    changed = endpoints.change_endpoint(api.core, call.client, call.path["endpoint"], change)
    return Reply(body={"endpoint": call.path["endpoint"], "resumed": changed.resumed})


@api.delete("/endpoints/<endpoint>")
def delete_endpoint(call: Call) -> Reply:
    """The end of an endpoint."""
    endpoints.delete_endpoint(api.core, call.client, call.path["endpoint"])
    return Reply()


@api.post("/endpoints/<endpoint>/rotate")
def rotate_endpoint(call: Call) -> Reply:
    """A new signing secret; the old one signs beside it for a while."""
    overlap = read(RotateSecret, call.body).overlap
    secret = endpoints.rotate_endpoint_secret(api.core, call.client, call.path["endpoint"], overlap)
    return Reply(body={"endpoint": call.path["endpoint"], "signingSecret": secret})


@api.post("/endpoints/<endpoint>/pause")
def pause_endpoint(call: Call) -> Reply:
    """Nothing is told until it is resumed; what happens meanwhile waits."""
    endpoints.pause_endpoint(api.core, call.client, call.path["endpoint"])
    return Reply(body={"endpoint": call.path["endpoint"]})


@api.post("/endpoints/<endpoint>/resume")
def resume_endpoint(call: Call) -> Reply:
    """It is told what waited, also when it had been disabled."""
    resumed = endpoints.resume_endpoint(api.core, call.client, call.path["endpoint"])
    return Reply(body={"endpoint": call.path["endpoint"], "resumed": resumed})


@api.post("/endpoints/<endpoint>/test")
def test_endpoint(call: Call) -> Reply:
    """One sample notification, sent once; what came of it."""
    wanted = read(SendSample, call.body)
    sample = send_sample(api.core, call.client, call.path["endpoint"], wanted.notification_type, wanted.direction)
    return Reply(body=sample.as_json())


handler = api.handler
