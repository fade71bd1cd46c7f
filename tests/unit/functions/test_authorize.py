"""The authorizer: an API Gateway policy out of the three auth headers."""

from typing import Any

import pytest

from rms.clients import authenticate, credentials
from tests.logs import rms_log
from tests.world import CLIENT, World, an_operator

ARN = "arn:aws:execute-api:ap-south-1:000000000000:api1/live/POST/return/create"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def issued(world: World) -> credentials.IssuedCredential:
    return credentials.issue_credential(world.core, CLIENT, "shop-system", ["client", "warehouse"])


def test_the_right_three_headers_allow_the_stage_and_say_who_calls(
    world: World, issued: credentials.IssuedCredential
) -> None:
    assert authorize(world, headers_of(issued)) == {
        "principalId": "lotus/shop-system",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:ap-south-1:000000000000:api1/live/*",
                }
            ],
        },
        "context": {"client": "lotus", "username": "shop-system", "roles": "client,warehouse"},
    }


def test_the_headers_names_are_read_in_any_case(world: World, issued: credentials.IssuedCredential) -> None:
    shouting = {name.upper(): value for name, value in headers_of(issued).items()}

    assert allowed(authorize(world, shouting))


@pytest.mark.parametrize("name", ["authDomainName", "authUsername", "authPassword"])
@pytest.mark.parametrize("value", [None, "", " ", "wrong", "rms", "x" * 10_000, "lotus#shop", "\ud800", "नमस्ते"])
def test_any_header_that_is_missing_or_wrong_denies_without_a_word_on_which(
    world: World, issued: credentials.IssuedCredential, name: str, value: str | None
) -> None:
    headers = headers_of(issued) | {name: value}

    answer = authorize(world, {name: value for name, value in headers.items() if value is not None})

    assert answer == authorize(world, {})
    assert not allowed(answer)
    assert "context" not in answer


def test_another_tenants_credential_is_not_this_ones(world: World, issued: credentials.IssuedCredential) -> None:
    theirs = credentials.issue_credential(world.core, "poppy", "shop-system", ["client"])

    assert not allowed(authorize(world, headers_of(issued) | {"authPassword": theirs.password}))
    assert authorize(world, headers_of(theirs))["context"]["client"] == "poppy"


def test_after_a_rotation_the_new_password_works_and_the_old_one_does_not(
    world: World, issued: credentials.IssuedCredential
) -> None:
    fresh = credentials.rotate_credential(world.core, CLIENT, "shop-system")

    assert allowed(authorize(world, headers_of(fresh)))
    assert not allowed(authorize(world, headers_of(issued)))


def test_a_revoked_credential_is_denied(world: World, issued: credentials.IssuedCredential) -> None:
    credentials.revoke_credential(world.core, CLIENT, "shop-system")

    assert not allowed(authorize(world, headers_of(issued)))
    assert authenticate(world.core, *headers_of(issued).values()) is None


def test_an_operator_is_known_by_the_role(world: World) -> None:
    operator = an_operator(world)

    assert authorize(world, headers_of(operator))["context"]["roles"] == "operator"


def test_the_log_says_whether_and_never_with_what(world: World, issued: credentials.IssuedCredential) -> None:
    with rms_log() as log:
        authorize(world, headers_of(issued))
        authorize(world, headers_of(issued) | {"authPassword": "guess-123456"})

    assert [(line["message"], line["allowed"]) for line in log.lines] == [
        ("authorization", True),
        ("authorization", False),
    ]
    assert issued.password not in log.text
    assert "guess-123456" not in log.text


def headers_of(issued: credentials.IssuedCredential) -> dict[str, str]:
    return {
        "authDomainName": issued.domain,
        "authUsername": issued.username,
        "authPassword": issued.password,
    }


def authorize(world: World, headers: dict[str, Any]) -> dict[str, Any]:
    event = {"type": "REQUEST", "methodArn": ARN, "headers": headers, "requestContext": {"requestId": "r-1"}}
    answer: dict[str, Any] = world.invoke("authorize", event)
    return answer


def allowed(answer: dict[str, Any]) -> bool:
    return bool(answer["policyDocument"]["Statement"][0]["Effect"] == "Allow")
