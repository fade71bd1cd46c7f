"""Makes RMS's first operator, whom no API call can make: whoever may write to the table may.

`python -m local.operator --table NAME` with the deployer's AWS credentials. Prints the three headers that an operator
sends, once: the password is stored nowhere. Everything else is then done over the API.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError

from local.steps import say
from rms.clients.credentials import OPERATORS, issue_credential, rotate_credential
from rms.core import Core
from rms.platform.dynamodb import open_table
from rms.platform.errors import CallerError
from rms.platform.kms import open_secrets
from rms.platform.outbound import Outbound
from rms.platform.s3 import open_files
from rms.platform.sqs import open_queues
from rms.platform.table import Table, TableUnavailableError

ANY_REGION: Final = "us-east-1"
"""A client cannot be opened without a region; the queues' is not used here."""


def make_operator(table: Table, username: str, *, rotate: bool = False) -> Mapping[str, str]:
    """The headers of a new operator, or of one that is there with a new password (`rotate`).

    Raises:
        BadDataError: the user name is not possible.
        ConflictError: it is taken.
        NotFoundError: there is none to rotate, or it is revoked.
        TableUnavailableError: no such table, no permission, or no answer.
    """
    core = Core.on(
        table,
        # A credential needs the table and the clock only.
        open_queues({}, region=ANY_REGION),
        open_secrets("none"),
        open_files("none"),
        Outbound(allow_loopback=False),
        clock=lambda: datetime.now(UTC),
        fences=lambda: secrets.token_hex(12),
    )
    issued = (
        rotate_credential(core, OPERATORS, username)
        if rotate
        else issue_credential(core, OPERATORS, username, ["operator"])
    )
    return {"authDomainName": issued.domain, "authUsername": issued.username, "authPassword": issued.password}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make it and print its headers as JSON; 1 when that was refused."""
    parser = argparse.ArgumentParser(prog="python -m local.operator", description="The first operator of a stack.")
    parser.add_argument("--table", required=True, help="name of RMS's table: output TableName of the stack")
    parser.add_argument("--endpoint-url", help="where DynamoDB is, when it is not AWS's own")
    parser.add_argument("--username", default="operator")
    parser.add_argument("--rotate", action="store_true", help="give one that is there a new password")
    given = parser.parse_args(arguments)
    try:
        table = open_table(given.table, endpoint_url=given.endpoint_url)
        headers = make_operator(table, given.username, rotate=given.rotate)
    except CallerError as refusal:
        print(f"{given.username}: {refusal.description}", file=sys.stderr)
        if not given.rotate:
            print(
                "If it is there already, --rotate gives it a new password; the old one stops working.", file=sys.stderr
            )
        return 1
    except (TableUnavailableError, BotoCoreError) as failure:
        print(f"The table {given.table} cannot be used: {failure}", file=sys.stderr)
        return 1
    say(json.dumps(headers, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
