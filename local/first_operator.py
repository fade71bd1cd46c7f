"""Makes the first operator's credential, which no API call can: whoever may write to the table may make it.

`python -m local.first_operator --stack rms --username asha` on an AWS account, with credentials that may describe the
stack and write to its table. Everything else is then done over the API.
"""

import argparse
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from local.steps import say
from rms.clients.credentials import OPERATORS, issue_credential
from rms.core import Core
from rms.platform.dynamodb import DynamoTable
from rms.platform.errors import BadDataError, ConflictError
from rms.platform.kms import open_secrets
from rms.platform.outbound import Outbound
from rms.platform.sqs import open_queues


def first_operator(dynamodb: Any, table_name: str, username: str) -> Mapping[str, str]:
    """The three headers that an operator sends; the password is nowhere else.

    Args:
        dynamodb: a boto3 client that may write to the table.
        table_name: RMS's table.
        username: who it is.

    Raises:
        BadDataError: the user name is not possible.
        ConflictError: it is taken.
    """
    core = Core.on(
        table=DynamoTable(dynamodb, table_name),
        # A credential needs the table only.
        queues=open_queues({}, region=dynamodb.meta.region_name),
        secrets=open_secrets("none"),
        http=Outbound(allow_loopback=False),
        clock=lambda: datetime.now(UTC),
        fences=lambda: secrets.token_hex(12),
    )
    issued = issue_credential(core, OPERATORS, username, ["operator"])
    return {"authDomainName": issued.domain, "authUsername": issued.username, "authPassword": issued.password}


def main() -> int:
    """Make it and print its headers, once."""
    parser = argparse.ArgumentParser(
        prog="python -m local.first_operator", description="The first operator of a stack."
    )
    parser.add_argument("--stack", default="rms", help="name of the CloudFormation stack")
    parser.add_argument("--username", required=True)
    given = parser.parse_args()
    [stack] = boto3.client("cloudformation").describe_stacks(StackName=given.stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    try:
        headers = first_operator(boto3.client("dynamodb"), outputs["TableName"], given.username)
    except (BadDataError, ConflictError) as refusal:
        say(str(refusal))
        return 1
    for name, value in headers.items():
        say(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
