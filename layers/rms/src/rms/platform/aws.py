"""How RMS opens an AWS client: one shared session, short time-outs, few retries. Nothing opens at import time."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

SERVICES = ("dynamodb", "sqs", "kms", "s3")
CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0
ATTEMPTS = 3
"""A call that never gets an answer ends after about ATTEMPTS x (CONNECT_SECONDS + READ_SECONDS) plus back-off: 14 s."""

_opening = Lock()


@overload
def open_client(
    service: Literal["dynamodb"], *, region: str | None = None, endpoint_url: str | None = None
) -> "DynamoDBClient": ...
@overload
def open_client(
    service: Literal["sqs"], *, region: str | None = None, endpoint_url: str | None = None
) -> "SQSClient": ...
@overload
def open_client(
    service: Literal["kms"], *, region: str | None = None, endpoint_url: str | None = None
) -> "KMSClient": ...
@overload
def open_client(service: Literal["s3"], *, region: str | None = None, endpoint_url: str | None = None) -> Any: ...
def open_client(service: str, *, region: str | None = None, endpoint_url: str | None = None) -> Any:
    """A low-level client, the very object that `boto3.client` would answer. Threads may share it.

    Made by botocore's session itself: boto3's own import (resources, waiters, transfer) costs every cold start
    about 25 ms and RMS uses none of it. Parameters are not validated on the way out: the ports build every
    request themselves and the service validates again, so that check would be paid for on every call.

    Args:
        service: which one.
        region: None for the environment's.
        endpoint_url: None for the environment's (`AWS_ENDPOINT_URL`), else AWS's own.
    """
    from botocore.config import Config  # noqa: PLC0415 - importing this module must not load botocore's client code

    with _opening:  # clients may be shared by threads, the session that makes them may not
        return _session().create_client(
            service,
            region_name=region,
            endpoint_url=endpoint_url,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                tcp_keepalive=True,
                parameter_validation=False,
                # Without it a link to a file is signed the old way in some regions, for all buckets at once.
                signature_version="s3v4" if service == "s3" else None,
            ),
        )


@cache
def _session() -> "Session":
    """One session for the environment: the second client finds the service models' loader warm."""
    from botocore.loaders import Loader  # noqa: PLC0415 - as above
    from botocore.session import get_session  # noqa: PLC0415 - as above

    class OurServices(Loader):
        """Knows by name what RMS opens; botocore's own looks through the folders of all 400 services first."""

        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
            return list(SERVICES)

    session = get_session()
    session.register_component("data_loader", OurServices())
    return session
