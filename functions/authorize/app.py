"""The authorizer: who is calling, by the three auth headers; for every route but the webhooks."""

from typing import Any

from rms.clients import authenticate
from rms.composition import core
from rms.platform.events import Event, at_init, header, observed

at_init(core)


def handler(event: Event, _context: Any) -> dict[str, Any]:
    """An API Gateway policy: allow this installation's API with the tenant in the context, or deny."""
    domain, username, password = (
        header(event, name) or "" for name in ("authdomainname", "authusername", "authpassword")
    )
    with observed("authorization", (event.get("requestContext") or {}).get("requestId")) as keys:
        tenant = authenticate(core(), domain, username, password)
        keys["allowed"] = tenant is not None
    api, stage = str(event["methodArn"]).split("/")[:2]
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if tenant else "Deny",
        # The whole stage, because the answer is remembered for the next call; each function checks the role.
        "Resource": f"{api}/{stage}/*",
    }
    answer: dict[str, Any] = {
        "principalId": f"{tenant.client}/{tenant.username}" if tenant else "nobody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    if tenant:
        answer["context"] = {"client": tenant.client, "username": tenant.username, "roles": ",".join(tenant.roles)}
    return answer
