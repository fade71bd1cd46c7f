"""Who may call: the three auth headers, all of them right, and nothing beyond their role."""

from collections.abc import Mapping

import pytest
import requests

from tests.e2e.installation import ANSWER_SECONDS, Shop, code_of

pytestmark = pytest.mark.e2e

REFUSED = (403, "UNAUTHORIZED")
NAMES = ("authUsername", "authPassword", "authDomainName")


def asked_as(shop: Shop, headers: Mapping[str, str], path: str = "/return/return-orders") -> requests.Response:
    return requests.get(f"{shop.stack.api_url}{path}", headers=dict(headers), timeout=ANSWER_SECONDS)


def new_credential(shop: Shop, username: str) -> dict[str, str]:
    wanted = {"username": username, "roles": ["client"]}
    issued: dict[str, str] = shop.operator.expect(201, "POST", f"/clients/{shop.name}/credentials", wanted)
    return issued


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, "", "wrong", "x" * 5_000, "rms#kaveri"], ids=lambda value: str(value)[:12])
def test_one_header_that_is_absent_or_wrong_lets_nobody_in(name: str, value: str | None, shop: Shop) -> None:
    headers = {**shop.client.headers, name: value}
    answer = asked_as(shop, {key: text for key, text in headers.items() if text is not None})
    assert code_of(answer) == REFUSED


def test_no_header_at_all_lets_nobody_in(shop: Shop) -> None:
    assert code_of(asked_as(shop, {})) == REFUSED


@pytest.mark.parametrize("name", ["authPassword", "authDomainName"])
def test_a_mixture_of_two_clients_credentials_lets_nobody_in(name: str, shop: Shop, stranger: Shop) -> None:
    # Both call their user `shop`, so that only the domain tells them apart.
    assert shop.client.headers["authUsername"] == stranger.client.headers["authUsername"]
    assert code_of(asked_as(shop, {**shop.client.headers, name: stranger.client.headers[name]})) == REFUSED


def test_header_names_are_read_in_any_case(shop: Shop) -> None:
    assert asked_as(shop, {name.upper(): text for name, text in shop.client.headers.items()}).status_code == 200


def test_a_rotated_password_works_and_the_old_one_does_not(shop: Shop) -> None:
    old = new_credential(shop, "rotated")
    new = shop.operator.expect(201, "POST", f"/clients/{shop.name}/credentials/rotated/rotate")
    assert code_of(asked_as(shop, old)) == REFUSED
    assert asked_as(shop, new).status_code == 200


def test_a_revoked_credential_lets_nobody_in_and_cannot_be_rotated_back(shop: Shop) -> None:
    gone = new_credential(shop, "revoked")
    shop.operator.expect(200, "DELETE", f"/clients/{shop.name}/credentials/revoked")
    assert code_of(asked_as(shop, gone)) == REFUSED
    again = shop.operator.call("POST", f"/clients/{shop.name}/credentials/revoked/rotate")
    assert code_of(again) == (404, "NOT_FOUND")


def test_a_client_is_no_operator_and_an_operator_is_no_client(shop: Shop) -> None:
    assert code_of(asked_as(shop, shop.client.headers, f"/clients/{shop.name}")) == REFUSED
    assert code_of(asked_as(shop, shop.client.operator)) == REFUSED


def test_the_role_of_an_operator_cannot_be_given_to_a_client(shop: Shop) -> None:
    wanted = {"username": "climber", "roles": ["client", "operator"]}
    answer = shop.operator.call("POST", f"/clients/{shop.name}/credentials", wanted)
    assert code_of(answer) == (400, "BAD_DATA")


def test_a_configuration_is_shown_without_its_secrets(shop: Shop) -> None:
    answer = asked_as(shop, shop.client.operator, f"/clients/{shop.name}")
    assert answer.status_code == 200
    for secret in (shop.client.webhook_key, shop.client.headers["authPassword"], "sandbox-api-key", "whsec_"):
        assert secret not in answer.text
