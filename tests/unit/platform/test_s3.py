from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError

from rms.platform.aws import open_client
from rms.platform.files import FilesUnavailableError
from rms.platform.s3 import S3Files, open_files


class FailingS3:
    """Fails; counts how often it is opened."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault
        self.opened = 0

    def open(self) -> Any:
        self.opened += 1
        return self

    def put_object(self, **_: Any) -> None:
        raise self.fault

    def generate_presigned_url(self, *_: Any, **__: Any) -> str:
        raise self.fault


@pytest.mark.parametrize("region", ["ap-south-1", "us-east-1", "eu-west-1"])
def test_a_link_is_signed_for_one_file_of_one_bucket_and_a_time(region: str) -> None:
    files = open_files("labels-of-rms", region=region)

    link, other = urlsplit(files.link("lotus/a.pdf", 900)), urlsplit(files.link("lotus/b.pdf", 900))

    signed = parse_qs(link.query)
    assert (link.scheme, link.path) == ("https", "/lotus/a.pdf")
    assert (link.hostname or "").startswith("labels-of-rms.s3.")
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Expires"] == ["900"]
    assert signed["X-Amz-Signature"] != parse_qs(other.query)["X-Amz-Signature"]


def test_the_client_is_opened_by_the_first_call_and_once() -> None:
    opened = []

    def opening() -> Any:
        opened.append(1)
        return open_client("s3")

    files = S3Files(opening, "labels")
    assert opened == []

    files.link("lotus/a.pdf", 60)
    files.link("lotus/b.pdf", 60)

    assert opened == [1]


@pytest.mark.parametrize(
    "fault",
    [
        ConnectTimeoutError(endpoint_url="https://labels.s3/lotus"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "lotus/a.pdf"}}, "PutObject"),
        NoCredentialsError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_names_its_code_and_never_the_file(fault: Exception) -> None:
    files = S3Files(FailingS3(fault).open, "labels")

    with pytest.raises(FilesUnavailableError) as kept:
        files.keep("lotus/a.pdf", b"%PDF", "application/pdf")
    with pytest.raises(FilesUnavailableError) as linked:
        files.link("lotus/a.pdf", 60)

    assert "lotus" not in f"{kept.value}{linked.value}"
