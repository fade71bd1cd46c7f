"""Reads the requests of client administration: body in, values out, or all that is wrong with it at once."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from rms.clients.administration import NewAccount, NewLabelSource
from rms.clients.configuration import AccountRule
from rms.clients.returns_prime import NewConnection
from rms.clients.stores import NewStore
from rms.platform.errors import BadDataError
from rms.platform.json import parse_object
from rms.returns.rules import COURIER_FIELDS

type Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
type PinCodes = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{0,14}\*?$")]
type Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]

_TEXTS: Final = {
    "missing": "may not be null",
    "string_type": "must be text",
    "string_too_short": "may not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "extra_forbidden": "is not known here",
    "string_pattern_mismatch": "must be a pin code, or the beginning of some and *",
}


class _Request(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, hide_input_in_errors=True, frozen=True, defer_build=True, extra="ignore"
    )


class CreateClient(_Request):
    """POST /clients."""

    client: Short
    name: Short
    weight_unit: Short = "G"
    push_other: bool = True


class CreateCredential(_Request):
    """POST /clients/{client}/credentials."""

    username: Short
    roles: Annotated[list[Short], Field(min_length=1, max_length=5)]


class PutAccount(_Request):
    """PUT /clients/{client}/accounts/{alias}."""

    aggregator: Short
    secrets: dict[Short, Long]
    options: dict[Short, Long] = {}
    required_fields: Annotated[list[Short], Field(max_length=20)] = []
    webhook_key: Long | None = None
    books_returns: bool = True
    ships_forward: bool = True

    def account(self, alias: str) -> NewAccount:
        """The account of that alias."""
        return NewAccount(
            alias=alias,
            aggregator=self.aggregator.upper(),
            secrets=self.secrets,
            options=self.options,
            required_fields=tuple(self.required_fields),
            webhook_key=self.webhook_key,
            books_returns=self.books_returns,
            ships_forward=self.ships_forward,
        )


class RuleConditions(_Request):
    """What a parcel must be for a rule. One that nobody knows is an error: without it the rule would fit too much."""

    model_config = ConfigDict(extra="forbid")

    direction: Literal["FORWARD", "RETURN"] | None = None
    pin_codes: Annotated[list[PinCodes], Field(max_length=200)] = []
    payment_type: Literal["COD", "PREPAID"] | None = None
    categories: Annotated[list[Short], Field(max_length=50)] = []


class PutRule(_Request):
    """One of `rules`."""

    when: RuleConditions = RuleConditions()
    accounts: Annotated[list[Short], Field(min_length=1, max_length=10)]

    def rule(self) -> AccountRule:
        """The rule as RMS keeps it."""
        return AccountRule(
            accounts=tuple(self.accounts),
            direction=self.when.direction,
            pins=tuple(self.when.pin_codes),
            payment=self.when.payment_type,
            categories=tuple(self.when.categories),
        )


class PutAccountRules(_Request):
    """PUT /clients/{client}/account-rules."""

    rules: Annotated[list[PutRule], Field(max_length=50)]
    default_accounts: Annotated[list[Short], Field(max_length=10)] = []


class PutShopifyStore(_Request):
    """PUT /clients/{client}/shopify-stores/{alias}. What nobody knows is an error: a setting may say who is shipped."""

    model_config = ConfigDict(extra="forbid")

    options: dict[Short, Long]
    secrets: dict[Short, Long]
    settings: dict[Short, Long] = {}

    def store(self, alias: str) -> NewStore:
        """The store of that alias."""
        return NewStore(alias, self.options, self.settings, self.secrets)


class PutLabelSource(_Request):
    """PUT /clients/{client}/label-source."""

    url: Long
    headers: dict[Short, Long] = {}
    credential_url: Long | None = None

    def source(self) -> NewLabelSource:
        """The source."""
        return NewLabelSource(url=self.url, headers=self.headers, credential_url=self.credential_url)


class PutReturnsPrime(_Request):
    """PUT /clients/{client}/returns-prime."""

    secrets: dict[Short, Long]
    options: dict[Short, Long]
    webhook_key: Long | None = None

    def connection(self) -> NewConnection:
        """The connection."""
        return NewConnection(secrets=self.secrets, options=self.options, webhook_key=self.webhook_key)


def read_request[Shape: _Request](shape: type[Shape], body: bytes) -> Shape:
    """The request in a body.

    Raises:
        BadDataError: all that is wrong with it. An empty body counts as an empty object.
    """
    raw: dict[str, Any] = parse_object(body) if body else {}
    # The empty string counts as missing, as everywhere in the API. Source: RMS API contract, section 1.6.
    given = {name: value for name, value in raw.items() if value is not None and value != ""}
    try:
        request = shape.model_validate(given)
    except ValidationError as error:
        problems = [f"{_path(each['loc'])}: {_text(each)}" for each in error.errors(include_url=False)]
        raise BadDataError(f"[{', '.join(problems)}]") from None
    if isinstance(request, PutAccount) and not set(request.required_fields) <= set(COURIER_FIELDS):
        raise BadDataError(f"[requiredFields: must be some of {', '.join(COURIER_FIELDS)}]")
    return request


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _text(error: Any) -> str:
    known = _TEXTS.get(error["type"])
    return known or str(error["msg"]).removeprefix("Input should").strip().replace("be ", "must be ", 1)
