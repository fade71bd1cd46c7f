import io
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from rms.clients import account_rules, administration
from rms.clients.accounts import open_account
from rms.clients.configuration import AccountRule, configuration_of
from rms.clients.endpoints import MAX_ENDPOINTS, Settings, Stored, put_endpoint, rotate_endpoint_secret
from rms.core import REMEMBERED, Core
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.secrets import MAX_PLAIN_BYTES, SecretUnavailableError
from rms.platform.table import EXISTING, Key, TableUnavailableError, Update
from tests.builders import a_return_order_body
from tests.fakes.calls import Call, Fault, no_faults
from tests.fakes.http import answer
from tests.world import CLIENT, RECEIVER_HOST, WEBHOOK_KEY, HttpReply, World, a_clickpost_account, an_operator

SLUG_WORDS = "must be 1 to 40 lower-case letters, digits or hyphens"
HOOK = f"https://{RECEIVER_HOST}/hooks/shop"


def administer(world: World, method: str, path: str, body: object = None, roles: str = "operator") -> HttpReply:
    return world.call("administer_clients", method, path, body, client="rms", roles=roles)


def an_account_body(**changes: object) -> dict[str, object]:
    account = a_clickpost_account()
    body = {
        "aggregator": "clickpost",
        "secrets": dict(account.secrets),
        "options": dict(account.options),
        "webhookKey": "another-key-from-the-dashboard",
    }
    return body | changes


def put(core: Core, name: str = "shop", **changes: Any) -> Stored:
    """Set up or replace an endpoint."""
    return put_endpoint(core, CLIENT, name, lambda _: Settings(**({"url": HOOK, "headers": {}} | changes)))


def row(world: World, sk: str) -> Mapping[str, Any]:
    found = world.core.table.get(Key(f"C#{CLIENT}", sk))
    assert found is not None
    return found


# ── through the API ─────────────────────────────────────────────────────────────────


def test_an_operator_sets_up_a_client_over_the_api() -> None:
    world = World()

    made = administer(world, "POST", "/clients", {"client": "iris", "name": "Iris Shoes", "weightUnit": "KG"})
    credential = administer(world, "POST", "/clients/iris/credentials", {"username": "shop", "roles": ["client"]})
    body = an_account_body(requiredFields=["consigneeGstin"])
    account = administer(world, "PUT", "/clients/iris/accounts/west", body)
    endpoint = administer(
        world,
        "PUT",
        "/clients/iris/endpoints/erp",
        {"url": HOOK, "headers": {"Authorization": "Bearer iris"}, "droppedMetadataKeys": ["Remark"]},
    )
    read = administer(world, "GET", "/clients/iris")

    assert (made.status, made.body) == (201, {"client": "iris"})
    assert (credential.status, sorted(credential.body)) == (201, ["authDomainName", "authPassword", "authUsername"])
    assert (account.status, account.body) == (200, {"alias": "west", "aggregator": "CLICKPOST"})
    assert endpoint.body["signingSecret"].startswith("whsec_")
    assert read.body == {
        "client": "iris",
        "weightUnit": "KG",
        "pushOther": True,
        "accounts": [
            {
                "alias": "west",
                "aggregator": "CLICKPOST",
                "options": dict(a_clickpost_account().options),
                "requiredFields": ["consigneeGstin"],
                "booksReturns": True,
                "shipsForward": True,
            }
        ],
        "accountRules": [],
        "defaultAccounts": [],
        "endpoints": [
            {"endpoint": "erp", "url": HOOK, "sequence": True, "droppedMetadata": ["Remark"], "disabled": False}
        ],
        "labelSource": None,
        "returnsPrime": None,
        "shopifyStores": [],
    }


@pytest.mark.parametrize("roles", ["client", "warehouse", "client,warehouse", ""])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/clients"),
        ("GET", "/clients/lotus"),
        ("POST", "/clients/lotus/credentials"),
        ("POST", "/clients/lotus/credentials/shop/rotate"),
        ("DELETE", "/clients/lotus/credentials/shop"),
        ("PUT", "/clients/lotus/accounts/main"),
        ("PUT", "/clients/lotus/account-rules"),
        ("PUT", "/clients/lotus/endpoints/shop"),
        ("PUT", "/clients/lotus/label-source"),
        ("POST", "/clients/lotus/endpoints/shop/rotate"),
    ],
)
def test_only_operators_administer(method: str, path: str, roles: str) -> None:
    world = World()
    before = world.table.rows()

    reply = world.call("administer_clients", method, path, {}, roles=roles)

    assert (reply.status, reply.body["code"]) == (403, "UNAUTHORIZED")
    assert world.table.rows() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "description"),
    [
        (
            "POST",
            "/clients",
            {"client": "", "pushOther": "perhaps"},
            "[client: may not be null, name: may not be null, pushOther: must be true or false]",
        ),
        (
            "POST",
            "/clients",
            {"client": "Not A Slug", "name": "X", "weightUnit": "LB"},
            f"[client: {SLUG_WORDS}, and free, weightUnit: must be one of G, KG]",
        ),
        (
            "POST",
            "/clients",
            {"client": "rms", "name": "X"},
            f"[client: {SLUG_WORDS}, and free]",
        ),
        (
            "POST",
            "/clients/lotus/credentials",
            {"username": "a#", "roles": ["operator"]},
            (
                "[username: must be 3 to 64 letters, digits or . _ @ -, "
                "roles: must be one or more of client, warehouse, aggregator]"
            ),
        ),
        (
            "PUT",
            "/clients/lotus/endpoints/Shop",
            {"url": "http://hooks.lotus.test/", "headers": {"Host": "x"}, "credentialUrl": "https://10.0.0.8/"},
            (
                f"[endpoint: {SLUG_WORDS}, url: must use https, "
                "credentialUrl: must not lead to an address that is not public, headers: must not set host]"
            ),
        ),
        (
            "PUT",
            "/clients/lotus/endpoints/shop",
            {"url": 5, "headers": []},
            "[url: must be text, headers: must be an object]",
        ),
        (
            "PUT",
            "/clients/lotus/accounts/main",
            {"aggregator": "carrier pigeons", "secrets": {}, "webhookKey": "short"},
            (
                "[aggregator: must be one of CLICKPOST, SHIPROCKET, SHIPWAY, or 2 to 40 capital letters, digits or _ "
                "for a generic one, webhookKey: must have at least 16 characters]"
            ),
        ),
    ],
)
def test_everything_that_is_wrong_is_said_at_once(method: str, path: str, body: object, description: str) -> None:
    world = World()

    reply = administer(world, method, path, body)

    assert reply.status == 400
    assert reply.body == {"code": "BAD_DATA", "message": "Input validation failed", "description": description}


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"client":"a","client":"b"}', b'{"name":NaN}'])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    reply = administer(World(), "POST", "/clients", body)

    assert (reply.status, reply.body["code"]) == (400, "BAD_DATA")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/clients/nobody", None),
        ("POST", "/clients/nobody/credentials", {"username": "shop", "roles": ["client"]}),
        ("POST", "/clients/lotus/credentials/nobody/rotate", None),
        ("DELETE", "/clients/lotus/credentials/nobody", None),
        ("PUT", "/clients/nobody/accounts/main", an_account_body()),
        ("PUT", "/clients/nobody/endpoints/shop", {"url": HOOK}),
        ("POST", "/clients/lotus/endpoints/nobody/rotate", None),
    ],
)
def test_what_is_not_there_is_not_found(method: str, path: str, body: object) -> None:
    world = World()
    before = world.table.rows()

    assert administer(world, method, path, body).status == 404
    assert world.table.rows() == before


def test_a_rotated_credential_works_and_a_revoked_one_does_not() -> None:
    world = World()
    administer(world, "POST", f"/clients/{CLIENT}/credentials", {"username": "shop", "roles": ["client"]})
    rotated = administer(world, "POST", f"/clients/{CLIENT}/credentials/shop/rotate").body

    def allowed() -> str:
        event = {"methodArn": "arn/prod/GET/x", "headers": rotated, "requestContext": {}}
        return str(world.invoke("authorize", event)["policyDocument"]["Statement"][0]["Effect"])

    assert allowed() == "Allow"
    assert administer(world, "DELETE", f"/clients/{CLIENT}/credentials/shop").status == 200
    assert allowed() == "Deny"


# ── clients ─────────────────────────────────────────────────────────────────────────


def test_the_same_client_again_changes_nothing() -> None:
    world = World()
    before = world.table.rows()
    world.clock.advance(60)

    administration.create_client(world.core, CLIENT, "Lotus Clothing")

    assert world.table.rows() == before


def test_a_client_with_other_settings_is_a_conflict() -> None:
    world = World()

    with pytest.raises(ConflictError):
        administration.create_client(world.core, CLIENT, "Lotus Clothing", "KG")


# ── accounts ────────────────────────────────────────────────────────────────────────


def test_one_webhook_key_belongs_to_one_account() -> None:
    world = World()
    administration.create_client(world.core, "iris", "Iris Shoes")

    with pytest.raises(ConflictError, match="webhookKey"):
        administration.put_account(world.core, "iris", a_clickpost_account())
    with pytest.raises(ConflictError, match="webhookKey"):
        administration.put_account(world.core, CLIENT, a_clickpost_account(alias="second"))

    assert world.core.table.get(Key("C#iris", "ACCOUNT#main")) is None
    assert world.webhook(b"{}") == 200


def test_a_rotated_webhook_key_stops_working() -> None:
    world = World()
    new = "key-made-on-the-dashboard-02"

    administration.put_account(world.core, CLIENT, a_clickpost_account(webhook_key=new))
    world.clock.advance(REMEMBERED.total_seconds())

    assert world.webhook(b"{}", {"webhook_key": new}) == 200
    assert (
        world.webhook(b"{}", {"webhook_key": WEBHOOK_KEY}) == world.webhook(b"{}", {"webhook_key": "never-was"}) == 401
    )


def test_without_a_webhook_key_no_webhook_comes_in() -> None:
    world = World()

    administration.put_account(world.core, CLIENT, a_clickpost_account(webhook_key=None))
    world.clock.advance(REMEMBERED.total_seconds())

    assert world.webhook(b"{}") == 401
    assert world.webhook(b"{}", {"webhook_key": ""}) == 401
    assert not [each for each in world.table.rows() if str(each["PK"]).startswith("WEBHOOK#")]


def test_a_freed_webhook_key_can_be_used_again() -> None:
    world = World()
    administration.put_account(world.core, CLIENT, a_clickpost_account(webhook_key=None))

    administration.put_account(world.core, CLIENT, a_clickpost_account(alias="second"))

    assert world.webhook(b"{}") == 200


def test_the_secrets_of_an_account_open_under_their_own_context_only() -> None:
    world = World()
    configuration = configuration_of(world.core, CLIENT)
    account = configuration.accounts["main"]

    assert open_account(world.core, CLIENT, account).secrets == {"key": "sandbox-api-key"}
    with pytest.raises(SecretUnavailableError):
        open_account(world.core, "iris", account)
    with pytest.raises(SecretUnavailableError):
        world.core.secrets.unseal(account.sealed_secrets, {"client": CLIENT, "record": "ACCOUNT#other"})


def test_secrets_that_are_too_large_to_be_sealed_are_refused_and_not_a_fault() -> None:
    world = World()
    large = {f"key{number}": "v" * 1000 for number in range(5)}

    account = administer(
        world, "PUT", f"/clients/{CLIENT}/accounts/main", an_account_body(secrets={"key": "k", **large})
    )
    endpoint = administer(world, "PUT", f"/clients/{CLIENT}/endpoints/shop", {"url": HOOK, "headers": large})

    assert account.status == endpoint.status == 400
    assert f"secrets: must not have more than {MAX_PLAIN_BYTES} bytes in all" in account.body["description"]
    assert endpoint.body["description"] == f"[headers: must not have more than {MAX_PLAIN_BYTES} bytes in all]"


# ── endpoints ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.lotus.test/",
        "ftp://hooks.lotus.test/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://10.1.2.3/",
        "https://localhost/",
        "https://rms.internal/",
        "https://hooks",
        "https://user:pass@hooks.lotus.test/",
        "https://hooks.lotus.test:22/",
        "https://hooks.lotus.test\\@10.0.0.1/",
        "https://hooks.lotus.test/#x",
        "https://hooks.lotus.test/ x",
        "//hooks.lotus.test/",
        "https://",
    ],
)
@pytest.mark.parametrize("field", ["url", "credentialUrl"])
def test_an_endpoint_that_leads_astray_is_refused_when_it_is_registered(url: str, field: str) -> None:
    world = World()
    before = world.table.rows()

    reply = administer(world, "PUT", f"/clients/{CLIENT}/endpoints/new", {"url": HOOK} | {field: url})

    assert reply.status == 400
    assert reply.body["description"].startswith(f"[{field}: must ")
    assert url not in reply.text
    assert world.table.rows() == before


@pytest.mark.parametrize("field", ["url", "credentialUrl"])
@pytest.mark.parametrize(
    "problem", ["address refused: the host leads to an address that is not public", "name does not resolve"]
)
def test_a_name_that_leads_nowhere_or_into_a_private_network_is_refused(problem: str, field: str) -> None:
    world = World()
    rebound = "https://inside.lotus.test/hook?tenant=1"
    world.http.problems[rebound] = problem

    reply = administer(world, "PUT", f"/clients/{CLIENT}/endpoints/new", {"url": HOOK} | {field: rebound})

    assert (reply.status, reply.body["description"]) == (400, f"[{field}: {problem}]")
    assert world.core.table.get(Key(f"C#{CLIENT}", "ENDPOINT#new")) is None


def test_registering_looks_up_and_calls_nobody() -> None:
    world = World()
    world.add_endpoint("new")

    assert world.http.requests == []


def test_the_signing_secret_is_shown_once() -> None:
    world = World()

    assert put(world.core, "new").secret is not None
    assert put(world.core, "new").secret is None


def test_replacing_an_endpoint_keeps_its_secret_and_its_beginning() -> None:
    world = World()
    before = row(world, "ENDPOINT#shop")
    world.clock.advance(hours=1)

    put(world.core, url=f"{HOOK}2")

    after = row(world, "ENDPOINT#shop")
    assert after["url"] == f"{HOOK}2"
    assert [after[name] for name in ("sealed_secrets", "created_at")] == [
        before[name] for name in ("sealed_secrets", "created_at")
    ]


def test_a_client_has_a_bounded_number_of_endpoints() -> None:
    world = World()
    for number in range(1, MAX_ENDPOINTS):
        put(world.core, f"e{number}")

    with pytest.raises(BadDataError, match="at most 20"):
        put(world.core, "one-more")
    put(world.core, "e1", url=f"{HOOK}1")


def test_rotating_an_endpoint_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        rotate_endpoint_secret(World().core, CLIENT, "nobody")


# ── two operators at once, replies that are lost ────────────────────────────────────


def _put_account(core: Core) -> None:
    administration.put_account(core, CLIENT, a_clickpost_account())


def _put_endpoint(core: Core) -> None:
    put(core)


def _put_label_source(core: Core) -> None:
    administration.put_label_source(core, CLIENT, administration.NewLabelSource(f"{HOOK}/labels", {"x-shop": "b"}))


def _rotate(core: Core) -> None:
    rotate_endpoint_secret(core, CLIENT, "shop")


@pytest.mark.parametrize(
    ("change", "sk"),
    [
        (_put_account, "ACCOUNT#main"),
        (_put_endpoint, "ENDPOINT#shop"),
        (_rotate, "ENDPOINT#shop"),
        (_put_label_source, "LABELSOURCE"),
    ],
)
def test_of_two_changes_at_once_one_is_a_conflict(change: Any, sk: str) -> None:
    world = World()
    _put_label_source(world.core)

    def another_comes_first(call: Call) -> None:
        if call.operation in {"transact", "write"}:
            world.calls.before = no_faults
            change(world.another_environment())

    version = row(world, sk)["version"]
    world.calls.before = another_comes_first

    with pytest.raises(ConflictError, match="version"):
        change(world.core)

    assert row(world, sk)["version"] == version + 1


@pytest.mark.parametrize(
    ("change", "sk"),
    [(_put_endpoint, "ENDPOINT#shop"), (_rotate, "ENDPOINT#shop"), (_put_label_source, "LABELSOURCE")],
)
def test_a_change_whose_reply_was_lost_knows_itself_again(change: Any, sk: str) -> None:
    world = World()
    _put_label_source(world.core)
    version = row(world, sk)["version"]
    world.calls.plan = lambda call: Fault.REPEATED if call.operation in {"transact", "write"} else None

    change(world.core)

    assert row(world, sk)["version"] == version + 1


def test_a_conflict_is_told_as_409() -> None:
    world = World()
    administration.create_client(world.core, "iris", "Iris Shoes")

    reply = administer(world, "PUT", "/clients/iris/accounts/main", an_account_body(webhookKey=WEBHOOK_KEY))

    assert (reply.status, reply.body["code"]) == (409, "CONFLICT")


# ── what is remembered, what is shown ───────────────────────────────────────────────


def test_a_change_takes_hold_elsewhere_within_ten_seconds_and_here_at_once() -> None:
    world = World()
    elsewhere = world.another_environment()
    assert set(configuration_of(elsewhere, CLIENT).endpoints) == {"shop"}
    configuration_of(world.core, CLIENT)

    put(world.core, "new")

    assert set(configuration_of(world.core, CLIENT).endpoints) == {"new", "shop"}
    world.clock.advance(9.9)
    assert set(configuration_of(elsewhere, CLIENT).endpoints) == {"shop"}
    world.clock.advance(0.1)
    assert set(configuration_of(elsewhere, CLIENT).endpoints) == {"new", "shop"}


def test_reading_a_client_is_never_stale() -> None:
    world = World()
    configuration_of(world.core, CLIENT)
    world.core.table.write(Update(Key(f"C#{CLIENT}", "CLIENT"), EXISTING, set={"push_other": False}))

    assert administration.describe_client(world.core, CLIENT)["pushOther"] is False


def test_no_secret_is_shown_stored_or_logged(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """Onboarding over the API, and a return from its order to its last notification, with every kind of secret."""
    world = World()
    operator = an_operator(world)
    shop = administer(world, "POST", f"/clients/{CLIENT}/credentials", {"username": "shop", "roles": ["client"]}).body
    administer(
        world,
        "PUT",
        f"/clients/{CLIENT}/accounts/main",
        an_account_body(webhookKey=WEBHOOK_KEY),
    )
    mine = {"url": HOOK, "headers": {"Authorization": "Bearer typed-in-by-the-client"}}
    administer(world, "PUT", f"/clients/{CLIENT}/endpoints/shop", mine)
    credential_url = f"https://{RECEIVER_HOST}/credentials/erp"
    erp = {
        "url": f"https://{RECEIVER_HOST}/hooks/erp",
        "headers": {"X-Key": "first-key"},
        "credentialUrl": credential_url,
    }
    made = administer(world, "PUT", f"/clients/{CLIENT}/endpoints/erp", erp).body
    rotated = administer(world, "POST", f"/clients/{CLIENT}/endpoints/erp/rotate").body
    world.receiver.set_endpoint("erp", expected_headers={"X-Key": "fetched-key"})
    event = {"methodArn": "arn/prod/GET/x", "headers": shop, "requestContext": {}}
    world.invoke("authorize", event)
    world.create_return(a_return_order_body(returnOrderCode="RET-1"))
    world.clickpost.run_due()
    world.settle()
    refused = answer(500)
    world.http.on(HOOK, lambda _: refused)
    world.replay("RET-1")
    world.settle()
    shown = administer(world, "GET", f"/clients/{CLIENT}").text + world.read_return("RET-1").text

    secrets = {
        "operator's password": operator.password,
        "client's password": shop["authPassword"],
        "webhook key": WEBHOOK_KEY,
        "aggregator's key": "sandbox-api-key",
        "typed header": "typed-in-by-the-client",
        "first header": "first-key",
        "fetched header": "fetched-key",
        "signing secret": made["signingSecret"].removeprefix("whsec_"),
        "rotated signing secret": rotated["signingSecret"].removeprefix("whsec_"),
        "first signing secret": world.receiver._endpoints["shop"].secrets[0].removeprefix("whsec_"),
    }
    stored = json.dumps(world.table.rows(), default=repr)
    logged = log.getvalue() + capsys.readouterr().out  # the second are the metrics
    assert world.receiver.state()["endpoints"]["erp"]["credential_calls"] == 1
    assert '"message":"endpoint stalled"' in logged
    assert {
        name: place for name, secret in secrets.items() for place in (stored, logged, shown) if secret in place
    } == {}


def test_an_aggregator_of_the_generic_contract_needs_nothing_but_an_account() -> None:
    world = World()
    account = {
        "aggregator": "BANYAN",
        "secrets": {"x-api-key": "given-by-banyan"},
        "options": {
            "generate_return_awb_url": "https://banyan.example/returns",
            "get_return_awb_url": "https://banyan.example/returns/awb",
            "answers_repeats": "yes",
        },
    }

    assert administer(world, "PUT", f"/clients/{CLIENT}/accounts/banyan", account).status < 300
    refused = administer(world, "PUT", f"/clients/{CLIENT}/accounts/banyan", account | {"options": {}})
    assert refused.status == 400
    assert "options.answers_repeats" in refused.body["description"]


# ── which account books what ────────────────────────────────────────────────────────

RULES_PATH = f"/clients/{CLIENT}/account-rules"
A_RULE: dict[str, object] = {
    "when": {
        "direction": "RETURN",
        "pinCodes": ["4110*", "560001"],
        "paymentType": "COD",
        "categories": ["Footwear"],
    },
    "accounts": ["west", "main"],
}


@pytest.fixture
def two_accounts() -> World:
    world = World()
    administration.put_account(world.core, CLIENT, a_clickpost_account(alias="west", webhook_key=None))
    return world


def test_an_operator_says_which_account_books_what(two_accounts: World) -> None:
    body = {"rules": [A_RULE, {"accounts": ["west"]}], "defaultAccounts": ["main", "west"]}

    answer = administer(two_accounts, "PUT", RULES_PATH, body)

    told = {"accountRules": [A_RULE, {"when": {}, "accounts": ["west"]}], "defaultAccounts": ["main", "west"]}
    assert (answer.status, answer.body) == (200, told)
    read = administer(two_accounts, "GET", f"/clients/{CLIENT}").body
    assert {name: read[name] for name in told} == told


def test_rules_are_replaced_whole(two_accounts: World) -> None:
    administer(two_accounts, "PUT", RULES_PATH, {"rules": [A_RULE], "defaultAccounts": ["west"]})

    administer(two_accounts, "PUT", RULES_PATH, {"rules": []})

    read = administer(two_accounts, "GET", f"/clients/{CLIENT}").body
    assert (read["accountRules"], read["defaultAccounts"]) == ([], [])


def test_a_rule_takes_hold_for_the_next_return(two_accounts: World) -> None:
    administer(two_accounts, "PUT", RULES_PATH, {"rules": [{"when": {"pinCodes": ["4110*"]}, "accounts": ["west"]}]})

    assert two_accounts.create_return(a_return_order_body()).status == 200

    assert two_accounts.read_return("RET-70031-1").body["booking"]["logisticAccountAlias"] == "west"


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({}, "[rules: may not be null]"),
        ({"rules": [{"accounts": []}]}, "[rules[0].accounts: List should have at least 1 item"),
        ({"rules": [{"accounts": ["north"]}]}, "[rules[0].accounts[0]: is no account of this client]"),
        ({"rules": [{"accounts": ["main", "main"]}]}, "[rules[0].accounts[1]: stands in this list before]"),
        ({"rules": [], "defaultAccounts": ["north"]}, "[defaultAccounts[0]: is no account of this client]"),
        (
            {"rules": [{"when": {"pincodes": ["4110*"]}, "accounts": ["main"]}]},
            "[rules[0].when.pincodes: is not known here]",
        ),
        (
            {"rules": [{"when": {"pinCodes": ["41*10"]}, "accounts": ["main"]}]},
            "[rules[0].when.pinCodes[0]: must be a pin code, or the beginning of some and *]",
        ),
        (
            {"rules": [{"when": {"direction": "BACK"}, "accounts": ["main"]}]},
            "[rules[0].when.direction: must be 'FORWARD' or 'RETURN']",
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(two_accounts: World, body: object, description: str) -> None:
    answer = administer(two_accounts, "PUT", RULES_PATH, body)

    assert answer.status == 400
    assert answer.body["description"].startswith(description)
    assert two_accounts.core.table.get(Key(f"C#{CLIENT}", "RULES")) is None


@pytest.mark.parametrize(
    ("change", "direction", "words"),
    [
        ({"booksReturns": False}, "RETURN", "does not book returns"),
        ({"shipsForward": False}, "FORWARD", "does not ship forward"),
    ],
)
def test_a_rule_of_one_direction_names_accounts_of_that_direction(
    two_accounts: World, change: dict[str, object], direction: str, words: str
) -> None:
    administer(two_accounts, "PUT", f"/clients/{CLIENT}/accounts/west", an_account_body(**change))
    rule = {"when": {"direction": direction}, "accounts": ["main", "west"]}

    answer = administer(two_accounts, "PUT", RULES_PATH, {"rules": [rule]})

    assert (answer.status, answer.body["description"]) == (400, f"[rules[0].accounts[1]: {words}]")
    assert administer(two_accounts, "PUT", RULES_PATH, {"rules": [{"accounts": ["west"]}]}).status == 200


def test_rules_of_a_client_that_is_not_there_are_not_found(two_accounts: World) -> None:
    assert administer(two_accounts, "PUT", "/clients/poppy/account-rules", {"rules": []}).status == 404


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.REPEATED])
def test_rules_whose_reply_was_lost_are_there(two_accounts: World, fault: Fault) -> None:
    calls = two_accounts.calls
    calls.plan = lambda call: fault if call.operation == "transact" else None

    with suppress(TableUnavailableError):
        account_rules.put_account_rules(two_accounts.core, CLIENT, [AccountRule(("west",))], [])

    calls.plan = no_faults
    assert configuration_of(two_accounts.core, CLIENT).account_rules == (AccountRule(("west",)),)


# ── where the client's own system gives labels ──────────────────────────────────────


def test_an_operator_says_where_the_client_gives_labels_and_sees_no_header_again() -> None:
    world = World()
    body = {"url": f"{HOOK}/labels?shop=7", "headers": {"x-shop": "open-sesame"}, "credentialUrl": f"{HOOK}/headers"}

    reply = administer(world, "PUT", "/clients/lotus/label-source", body)

    shown = administer(world, "GET", "/clients/lotus")
    assert (reply.status, reply.body) == (200, {"url": body["url"]})
    assert shown.body["labelSource"] == {"url": body["url"], "credentialUrl": body["credentialUrl"]}
    assert "open-sesame" not in str([shown.text, world.table.rows()])


def test_all_that_is_wrong_with_it_is_said_at_once() -> None:
    body = {"url": "http://shop.example/labels", "headers": {"webhook-id": "x"}, "credentialUrl": "https://10.0.0.1/"}

    reply = administer(World(), "PUT", "/clients/lotus/label-source", body)

    assert reply.status == 400
    assert [problem.partition(":")[0] for problem in reply.body["description"].strip("[]").split(", ")] == [
        "url",
        "credentialUrl",
        "headers",
    ]


def test_of_a_client_that_is_not_there_it_is_not_found() -> None:
    assert administer(World(), "PUT", "/clients/nobody/label-source", {"url": HOOK}).status == 404
