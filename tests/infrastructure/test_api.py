"""The API as deployed: who gets in, and what a caller hears from the gateway itself."""

import json
from typing import Any, Final

import pytest

from tests.infrastructure.stack import FUNCTIONS, folder_of, of_type, routes, transformed
from tests.template import template

WITHOUT_AUTHORIZER: Final = {
    ("/rms/in/api/clickpost/notify", "post"): "authenticated by the account's webhook key",
    ("/rms/in/api/st/notify", "post"): "authenticated by the account's webhook key",
    ("/rms/in/api/shipway/notify/{secret}", "post"): "authenticated by the account's webhook key, which is in the path",
    ("/rms/in/api/returns-prime/notify/{secret}", "post"): "authenticated by the client's webhook key, in the path",
    ("/rms/in/api/shopify/notify/{client}/{alias}", "post"): "authenticated by the signature over its body",
}


def _api() -> Any:
    [api] = of_type("AWS::ApiGateway::RestApi").values()
    return api


def _gateway_responses() -> dict[str, Any]:
    responses = _api()["Body"]["x-amazon-apigateway-gateway-responses"]
    assert isinstance(responses, dict)
    return responses


@pytest.mark.parametrize("route", sorted(routes()), ids=" ".join)
def test_every_route_but_the_named_ones_is_behind_the_authorizer(route: tuple[str, str]) -> None:
    expected = "NONE" if route in WITHOUT_AUTHORIZER else "Credentials"

    assert routes()[route]["security"] == [{expected: []}]


def test_the_list_of_open_routes_names_only_routes_that_exist() -> None:
    assert set(WITHOUT_AUTHORIZER) <= set(routes())


def test_the_authorizer_is_asked_by_all_three_headers_and_its_answer_kept_for_a_minute() -> None:
    [scheme] = _api()["Body"]["components"]["securitySchemes"].values()
    authorizer = scheme["x-amazon-apigateway-authorizer"]

    assert authorizer["type"] == "request"
    assert set(authorizer["identitySource"].split(", ")) == {
        f"method.request.header.{name}" for name in ("authUsername", "authPassword", "authDomainName")
    }
    assert authorizer["authorizerResultTtlInSeconds"] == "60"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("UNAUTHORIZED", "403"),
        ("ACCESS_DENIED", "403"),
        ("MISSING_AUTHENTICATION_TOKEN", "404"),
        ("REQUEST_TOO_LARGE", "413"),
        ("THROTTLED", "429"),
        ("DEFAULT_4XX", None),
        ("DEFAULT_5XX", None),
    ],
)
def test_what_the_gateway_says_itself_is_our_envelope(kind: str, status: str | None) -> None:
    response = _gateway_responses()[kind]
    # The gateway puts its own text, quotes included, in place of the variable.
    body = response["responseTemplates"]["application/json"].replace("$context.error.messageString", '"text"')

    assert response.get("statusCode") == status
    assert set(json.loads(body)) == {"code", "message", "description"}


def test_missing_and_wrong_credentials_sound_the_same() -> None:
    responses = _gateway_responses()

    assert responses["UNAUTHORIZED"]["responseTemplates"] == responses["ACCESS_DENIED"]["responseTemplates"]


def test_bodies_reach_the_functions_byte_for_byte() -> None:
    assert _api()["BinaryMediaTypes"] == ["*/*"]


def test_the_stage_is_traced_throttled_and_logged_without_credentials_or_queries() -> None:
    [stage] = of_type("AWS::ApiGateway::Stage").values()
    [settings] = stage["MethodSettings"]
    said = set(json.loads(stage["AccessLogSetting"]["Format"]).values())

    assert stage["TracingEnabled"] is True
    assert settings["ThrottlingRateLimit"] > 0
    assert settings["ThrottlingBurstLimit"] > 0
    assert not settings.get("DataTraceEnabled")
    assert said == {
        "$context.requestId",
        "$context.identity.sourceIp",
        "$context.resourcePath",
        "$context.httpMethod",
        "$context.status",
        "$context.responseLatency",
    }


def test_every_route_of_a_handler_is_a_route_of_the_api() -> None:
    """And the other way round: a path that only one of the two knows is a 404 or a 403 for everybody."""
    in_template: set[tuple[str, str]] = set()
    in_code: set[tuple[str, str]] = set()
    for logical_id, resource in template()["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function" or logical_id.endswith("Webhook"):
            continue
        code = (FUNCTIONS / folder_of(logical_id) / "app.py").read_text()
        for event in resource["Properties"].get("Events", {}).values():
            if event["Type"] == "Api":
                in_template.add((event["Properties"]["Method"], _anonymous(event["Properties"]["Path"])))
        for line in code.splitlines():
            if line.startswith("@api."):
                method, _, rest = line.removeprefix("@api.").partition('("')
                in_code.add((method, _anonymous(rest.removesuffix('")').replace("<", "{").replace(">", "}"))))

    assert in_template
    assert in_template == in_code


def test_only_this_api_and_this_schedule_may_call_functions() -> None:
    principals = {
        resource["Properties"]["Principal"]
        for resource in transformed().values()
        if resource["Type"] == "AWS::Lambda::Permission"
    }
    unbound = [
        logical_id
        for logical_id, resource in transformed().items()
        if resource["Type"] == "AWS::Lambda::Permission" and "SourceArn" not in resource["Properties"]
    ]

    assert principals == {"apigateway.amazonaws.com", "events.amazonaws.com"}
    assert unbound == []


def _anonymous(path: str) -> str:
    """A path whose parameters have no names."""
    return "/".join("{}" if step.startswith("{") else step for step in path.split("/"))
