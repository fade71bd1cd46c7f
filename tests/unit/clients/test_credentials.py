import hashlib
import io
from typing import Any

import pytest

from rms.clients import credentials
from rms.clients.credentials import Tenant, authenticate, issue_credential, revoke_credential, rotate_credential
from rms.platform.errors import BadDataError, ConflictError, NotFoundError
from rms.platform.table import Key
from tests.fakes.calls import Fault, no_faults
from tests.world import CLIENT, World, an_operator

METHOD = "arn:aws:execute-api:ap-south-1:111122223333:a1b2c3/prod/POST/return/return-orders"


def asks(world: World, **headers: str) -> dict[str, Any]:
    """What the authorizer answers to these headers."""
    event = {"methodArn": METHOD, "headers": headers, "requestContext": {"requestId": "r"}}
    answer = world.invoke("authorize", event)
    assert isinstance(answer, dict)
    return answer


def headers_of(issued: credentials.IssuedCredential) -> dict[str, str]:
    return {"authDomainName": issued.domain, "authUsername": issued.username, "authPassword": issued.password}


# ── issuing ─────────────────────────────────────────────────────────────────────────


def test_only_a_salted_hash_of_the_password_is_stored() -> None:
    world = World()
    first = issue_credential(world.core, CLIENT, "first", ["client"])
    second = issue_credential(world.core, CLIENT, "second", ["client"])

    rows = [row for row in world.table.rows() if str(row["PK"]).startswith("AUTH#")]

    assert len({bytes(row["salt"]) for row in rows}) == 2  # type: ignore[arg-type]  # binary attributes
    for password in (first.password, second.password):
        assert password not in str(rows)
        assert hashlib.sha256(password.encode()).digest() not in [row["hash"] for row in rows]
    assert first.password != second.password
    assert len(first.password) >= 40


def test_a_credential_opens_its_own_domain() -> None:
    world = World()
    issued = issue_credential(world.core, CLIENT, "wms@lotus", ["warehouse", "client"])

    assert authenticate(world.core, CLIENT, "wms@lotus", issued.password) == Tenant(
        CLIENT, "wms@lotus", ("client", "warehouse")
    )


def test_a_user_name_is_given_once() -> None:
    world = World()
    first = issue_credential(world.core, CLIENT, "shop", ["client"])

    with pytest.raises(ConflictError):
        issue_credential(world.core, CLIENT, "shop", ["warehouse"])

    assert authenticate(world.core, CLIENT, "shop", first.password) is not None


def test_a_credential_whose_reply_was_lost_is_made_usable_by_rotating_it() -> None:
    world = World()
    world.calls.plan = lambda _: Fault.REPEATED
    with pytest.raises(ConflictError, match="rotate"):
        issue_credential(world.core, CLIENT, "shop", ["client"])
    world.calls.plan = no_faults

    issued = rotate_credential(world.core, CLIENT, "shop")

    assert authenticate(world.core, CLIENT, "shop", issued.password) is not None


@pytest.mark.parametrize("username", ["", "ab", "a" * 65, "a#b#c", "a b c", "naïve", "line\nbreak"])
def test_a_user_name_that_could_name_another_row_is_refused(username: str) -> None:
    world = World()

    with pytest.raises(BadDataError, match="username"):
        issue_credential(world.core, CLIENT, username, ["client"])


@pytest.mark.parametrize("roles", [[], ["owner"], ["client", "operator"], ["operator"]])
def test_a_client_gets_no_role_but_its_own(roles: list[str]) -> None:
    world = World()

    with pytest.raises(BadDataError, match="roles"):
        issue_credential(world.core, CLIENT, "shop", roles)


def test_only_the_domain_of_rms_has_operators() -> None:
    world = World()

    issued = an_operator(world)

    tenant = authenticate(world.core, "rms", issued.username, issued.password)
    assert tenant == Tenant("rms", "operator", ("operator",))


# ── authenticating ──────────────────────────────────────────────────────────────────


def test_unknown_wrong_revoked_rotated_and_other_tenants_are_all_the_same() -> None:
    world = World()
    shop = issue_credential(world.core, CLIENT, "shop", ["client"])
    revoked = issue_credential(world.core, CLIENT, "revoked", ["client"])
    revoke_credential(world.core, CLIENT, "revoked")
    old = issue_credential(world.core, CLIENT, "rotated", ["client"])
    rotate_credential(world.core, CLIENT, "rotated")
    issue_credential(world.core, "other", "shop", ["client"])
    tries = [
        {},
        headers_of(shop) | {"authUsername": "nobody"},
        headers_of(shop) | {"authDomainName": "nowhere"},
        headers_of(shop) | {"authDomainName": "other"},
        headers_of(shop) | {"authPassword": shop.password + "x"},
        headers_of(shop) | {"authPassword": ""},
        headers_of(shop) | {"authDomainName": f"{CLIENT}#shop", "authUsername": "shop"},
        headers_of(shop) | {"authUsername": "#"},
        headers_of(shop) | {"authPassword": "\udc80" * 10},
        headers_of(revoked),
        headers_of(old),
    ]

    answers = [asks(world, **headers) for headers in tries]

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert answers[0]["principalId"] == "nobody"
    assert "context" not in answers[0]


def test_a_hash_in_a_name_reaches_no_other_row() -> None:
    world = World()
    issued = issue_credential(world.core, CLIENT, "shop", ["client"])
    made = len(world.calls.made)

    assert authenticate(world.core, f"{CLIENT}#shop", "x", issued.password) is None
    assert authenticate(world.core, CLIENT, "shop#x", issued.password) is None

    assert len(world.calls.made) == made


def test_every_answer_costs_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    issued = issue_credential(world.core, CLIENT, "shop", ["client"])
    issue_credential(world.core, CLIENT, "gone", ["client"])
    revoke_credential(world.core, CLIENT, "gone")
    hashed: list[str] = []
    scrypt = credentials._hash

    def counted(password: str, salt: bytes) -> bytes:
        hashed.append(password)
        return scrypt(password, salt)

    monkeypatch.setattr(credentials, "_hash", counted)
    for domain, username in ((CLIENT, "shop"), (CLIENT, "nobody"), (CLIENT, "gone"), ("a#b", "x")):
        authenticate(world.core, domain, username, issued.password)

    assert len(hashed) == 4


def test_a_row_of_another_domain_opens_nothing() -> None:
    """Belt and braces: the row itself says whose it is."""
    world = World()
    issued = issue_credential(world.core, CLIENT, "shop", ["client"])
    world.table._store(
        Key("AUTH#other#shop", "CREDENTIAL"),
        dict(world.table._partitions[f"AUTH#{CLIENT}#shop"]["CREDENTIAL"]),
    )

    assert authenticate(world.core, "other", "shop", issued.password) is None


def test_revoking_is_for_good_and_again_is_a_no_op() -> None:
    world = World()
    issue_credential(world.core, CLIENT, "shop", ["client"])

    revoke_credential(world.core, CLIENT, "shop")
    revoke_credential(world.core, CLIENT, "shop")

    with pytest.raises(NotFoundError):
        rotate_credential(world.core, CLIENT, "shop")
    with pytest.raises(NotFoundError):
        revoke_credential(world.core, CLIENT, "nobody")


# ── the authorizer ──────────────────────────────────────────────────────────────────


def test_the_authorizer_lets_a_tenant_into_this_stage_and_says_who_it_is() -> None:
    world = World()
    issued = issue_credential(world.core, CLIENT, "shop", ["client", "warehouse"])

    assert asks(world, **headers_of(issued)) == {
        "principalId": "lotus/shop",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:ap-south-1:111122223333:a1b2c3/prod/*",
                }
            ],
        },
        "context": {"client": "lotus", "username": "shop", "roles": "client,warehouse"},
    }


def test_the_authorizer_reads_headers_in_any_case() -> None:
    world = World()
    issued = issue_credential(world.core, CLIENT, "shop", ["client"])

    answer = asks(world, **{name.upper(): value for name, value in headers_of(issued).items()})

    assert answer["principalId"] == "lotus/shop"


def test_the_authorizer_logs_neither_password_nor_user(log: io.StringIO) -> None:
    world = World()
    issued = issue_credential(world.core, CLIENT, "shop-login", ["client"])

    asks(world, **headers_of(issued))
    asks(world, **headers_of(issued) | {"authPassword": "a-wrong-guess"})

    logged = log.getvalue()
    assert '"allowed":true' in logged
    assert not [word for word in (issued.password, "a-wrong-guess", "shop-login") if word in logged]
