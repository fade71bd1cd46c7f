"""Clients, their credentials, aggregator accounts and endpoints: create, replace, rotate, revoke. For operators."""

from http import HTTPStatus

from rms.clients import account_rules, administration, credentials, endpoints, returns_prime, stores
from rms.clients.endpoint_requests import PutEndpoint, RotateSecret, read
from rms.clients.requests import (
    CreateClient,
    CreateCredential,
    PutAccount,
    PutAccountRules,
    PutLabelSource,
    PutReturnsPrime,
    PutShopifyStore,
    read_request,
)
from rms.composition import core
from rms.platform.api import Call, Reply, client_api

api = client_api(core, role="operator")


@api.post("/clients")
def create_client(call: Call) -> Reply:
    """A new client."""
    wanted = read_request(CreateClient, call.body)
    administration.create_client(api.core, wanted.client, wanted.name, wanted.weight_unit, push_other=wanted.push_other)
    return Reply(HTTPStatus.CREATED, {"client": wanted.client})


@api.get("/clients/<client>")
def read_client(call: Call) -> Reply:
    """A client's configuration, without secrets."""
    return Reply(body=administration.describe_client(api.core, call.path["client"]))


@api.post("/clients/<client>/credentials")
def create_credential(call: Call) -> Reply:
    """A credential; its password is in this answer and nowhere else."""
    wanted = read_request(CreateCredential, call.body)
    administration.describe_client(api.core, call.path["client"])
    return _issued(credentials.issue_credential(api.core, call.path["client"], wanted.username, wanted.roles))


@api.post("/clients/<client>/credentials/<username>/rotate")
def rotate_credential(call: Call) -> Reply:
    """A new password; the old one stops working."""
    return _issued(credentials.rotate_credential(api.core, call.path["client"], call.path["username"]))


@api.delete("/clients/<client>/credentials/<username>")
def revoke_credential(call: Call) -> Reply:
    """The end of a credential."""
    credentials.revoke_credential(api.core, call.path["client"], call.path["username"])
    return Reply()


@api.put("/clients/<client>/accounts/<alias>")
def put_account(call: Call) -> Reply:
    """An aggregator account, set up or replaced."""
    account = read_request(PutAccount, call.body).account(call.path["alias"])
    administration.put_account(api.core, call.path["client"], account)
    warning = administration.webhook_warning(account.aggregator, call.host)
    return Reply(
        body={"alias": account.alias, "aggregator": account.aggregator} | ({"warning": warning} if warning else {})
    )


@api.put("/clients/<client>/account-rules")
def put_account_rules(call: Call) -> Reply:
    """Which account books what, replaced whole."""
    wanted = read_request(PutAccountRules, call.body)
    rules = [each.rule() for each in wanted.rules]
    account_rules.put_account_rules(api.core, call.path["client"], rules, wanted.default_accounts)
    return Reply(body=account_rules.described_rules(rules, wanted.default_accounts))


@api.put("/clients/<client>/endpoints/<endpoint>")
def put_endpoint(call: Call) -> Reply:
    """An endpoint, set up, changed or enabled again; the signing secret of a new one is in this answer only."""
    endpoint, change = call.path["endpoint"], read(PutEndpoint, call.body).change
    stored = endpoints.put_endpoint(api.core, call.path["client"], endpoint, change)
    secret = {"signingSecret": stored.secret} if stored.secret else {}
    return Reply(body={"endpoint": endpoint, "resumed": stored.resumed, **secret})


@api.put("/clients/<client>/label-source")
def put_label_source(call: Call) -> Reply:
    """Where the client's own system gives labels, set or replaced."""
    source = read_request(PutLabelSource, call.body).source()
    administration.put_label_source(api.core, call.path["client"], source)
    return Reply(body={"url": source.url})


@api.put("/clients/<client>/returns-prime")
def put_returns_prime(call: Call) -> Reply:
    """The client's connection to Returns Prime, set up or replaced."""
    connection = read_request(PutReturnsPrime, call.body).connection()
    returns_prime.put_returns_prime(api.core, call.path["client"], connection)
    return Reply(body={"options": dict(connection.options)})


@api.put("/clients/<client>/shopify-stores/<alias>")
def put_shopify_store(call: Call) -> Reply:
    """A Shopify store, set up or replaced; the answer says where its webhooks go."""
    client, store = call.path["client"], read_request(PutShopifyStore, call.body).store(call.path["alias"])
    stores.put_store(api.core, client, store)
    return Reply(body={"alias": store.alias, "webhookPath": f"/rms/in/api/shopify/notify/{client}/{store.alias}"})


@api.post("/clients/<client>/endpoints/<endpoint>/rotate")
def rotate_endpoint(call: Call) -> Reply:
    """A new signing secret; the old one signs beside it for a while."""
    endpoint, overlap = call.path["endpoint"], read(RotateSecret, call.body).overlap
    secret = endpoints.rotate_endpoint_secret(api.core, call.path["client"], endpoint, overlap)
    return Reply(body={"endpoint": endpoint, "signingSecret": secret})


def _issued(credential: credentials.IssuedCredential) -> Reply:
    headers = {
        "authDomainName": credential.domain,
        "authUsername": credential.username,
        "authPassword": credential.password,
    }
    return Reply(HTTPStatus.CREATED, headers)


handler = api.handler
