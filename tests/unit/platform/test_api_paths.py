"""What a path names, as API Gateway hands it over: the template's path beside the values it stands for."""

import json
from typing import Any

import pytest

from rms.platform.api import Call, Reply, client_api


def asked_for(code: str, path: str) -> Any:
    """What a function reads out of a call for a return of this code."""
    api = client_api(lambda: None, role="client")

    @api.get("/return/return-orders/<code>")
    def one(call: Call) -> Reply:
        return Reply(body={"code": call.path["code"]})

    event = {
        "resource": "/return/return-orders/{returnOrderCode}",
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "pathParameters": {"returnOrderCode": code},
        "requestContext": {"authorizer": {"client": "lotus", "username": "shop", "roles": "client"}},
    }
    answer = api.handler(event, None)
    return json.loads(answer["body"]) if answer["statusCode"] == 200 else answer["statusCode"]


@pytest.mark.parametrize("code", ["RET-1", "RÜCK #7 €+%41", 'a"b`c\\d', "{returnOrderCode}", "返品"])
def test_any_code_that_a_return_may_have_can_be_asked_for(code: str) -> None:
    assert asked_for(code, f"/return/return-orders/{code}") == {"code": code}


def test_a_code_is_not_decoded_twice() -> None:
    assert asked_for("%41", "/return/return-orders/%41") == {"code": "%41"}
