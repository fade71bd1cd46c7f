"""An account at Clickpost, as it is checked when it is set up and read when it is used."""

import pytest

from rms.aggregators.clickpost.account import BASE_URL, Settings, check_account
from rms.aggregators.contract import Account, Direction

OPTIONS = {"username": "kaveri-test", "courier_partner": "25", "account_code": "kaveri-reverse"}
SECRETS = {"key": "test-api-key-31c7"}


def problems(**options: str) -> list[str]:
    return check_account(OPTIONS | options, SECRETS)


def settings(**options: str) -> Settings:
    return Settings.of(Account("kaveri", "main", "CLICKPOST", SECRETS, OPTIONS | options))


def test_the_least_account_is_a_username_a_key_a_reverse_courier_and_an_account_code() -> None:
    assert check_account(OPTIONS, SECRETS) == []
    assert settings().base_url == BASE_URL


def test_every_missing_field_is_named_at_once() -> None:
    assert check_account({}, {}) == [
        "options.username: may not be empty",
        "secrets.key: may not be empty",
        "options.account_code: may not be empty",
        "options.courier_partner: must be Clickpost's courier id, an integer above 0",
    ]


def test_the_username_may_stand_among_the_secrets() -> None:
    options = {name: value for name, value in OPTIONS.items() if name != "username"}
    account = Account("kaveri", "main", "CLICKPOST", SECRETS | {"username": "hidden"}, options)

    assert check_account(account.options, account.secrets) == []
    assert Settings.of(account).credentials == {"username": "hidden", "key": "test-api-key-31c7"}


@pytest.mark.parametrize("courier", ["", "Delhivery", "25.0", "-25", "0", "٢٥", "9" * 30, "2 5"])
def test_a_courier_id_that_is_no_integer_is_a_problem(courier: str) -> None:
    assert problems(courier_partner=courier) == [
        "options.courier_partner: must be Clickpost's courier id, an integer above 0"
    ]


def test_a_forward_courier_id_is_a_problem_that_names_the_reverse_id() -> None:
    assert problems(courier_partner="4") == [
        "options.courier_partner: 4 is Delhivery's forward id, which cannot collect returns; its reverse id is 25"
    ]


def test_a_courier_that_no_list_names_is_allowed_because_the_list_is_not_complete() -> None:
    assert problems(courier_partner="129") == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8093/api", "http://[::1]:8093/api", "http://localhost/api", "https://test.example/api/"]
)
def test_the_base_url_is_https_or_on_this_machine(url: str) -> None:
    assert problems(base_url=url) == []
    assert not settings(base_url=url).base_url.endswith("/")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://clickpost.example/api", "must be https, because the key travels in the query"),
        ("http://localhost.example/api", "must be https, because the key travels in the query"),
        *(
            (url, "must be an https URL without credentials, query or fragment")
            for url in (
                "ftp://clickpost.example",
                "clickpost.example/api",
                "https://",
                "https://[::1/api",
                "https://clickpost.example:port/api",
                "https://user@clickpost.example/api",
                "https://clickpost.example/api?key=1",
                "https://clickpost.example/api#top",
                "https://clickpost.example/a b",
                "HTTPS//clickpost.example",
            )
        ),
    ],
)
def test_another_base_url_is_a_problem(url: str, problem: str) -> None:
    assert problems(base_url=url) == [f"options.base_url: {problem}"]


def test_checks_at_the_door_are_known_ones_in_any_case() -> None:
    assert problems(qc_params="brand, COLOR,,images ") == []
    assert settings(qc_params="brand, COLOR,,images ").qc_params == ("BRAND", "COLOR", "IMAGES")
    assert problems(qc_params="BRAND,SMELL") == ["options.qc_params: SMELL is not a check that Clickpost knows"]


def test_the_key_is_not_shown_with_the_settings() -> None:
    assert "test-api-key-31c7" not in repr(settings())


def test_who_delivers_is_told_by_two_options_or_none() -> None:
    assert problems(forward_courier_partner="4", forward_account_code="kaveri-forward") == []
    assert problems(forward_courier_partner="4") == [
        "options.forward_account_code: may not be empty where forward_courier_partner is given"
    ]
    assert problems(forward_account_code="kaveri-forward", forward_courier_partner="") == [
        "options.forward_courier_partner: must be Clickpost's courier id, an integer above 0"
    ]
    assert settings().carrier(Direction.FORWARD) is None


def test_a_reverse_courier_id_cannot_deliver() -> None:
    (problem,) = problems(forward_courier_partner="25", forward_account_code="kaveri-forward")

    assert problem.startswith("options.forward_courier_partner: 25 is Delhivery's reverse id, which cannot deliver")
    assert problem.endswith("its forward id is 4")


def test_a_bad_tracking_url_is_a_problem_of_its_own() -> None:
    assert problems(tracking_base_url="ftp://clickpost.example") == [
        "options.tracking_base_url: must be an https URL without credentials, query or fragment"
    ]
