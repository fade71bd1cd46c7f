"""The Files port on S3."""

import re
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from rms.platform.aws import open_client
from rms.platform.files import MAX_LINK_SECONDS, FilesUnavailableError

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_LONGEST: Final = 512


def open_files(bucket: str, *, region: str | None = None, endpoint_url: str | None = None) -> "S3Files":
    """Files whose client is opened by the first call: few functions keep a file or link to one."""
    return S3Files(lambda: open_client("s3", region=region, endpoint_url=endpoint_url), bucket)


def check_name(name: str) -> None:
    """Refuse a name that needs quoting in a URL, or that could be read as another.

    Raises:
        ValueError: it is no name of a file.
    """
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise ValueError("a file's name is folders and a name of letters, digits, dots, _ and -")


class S3Files:
    """One bucket; see `rms.platform.files.Files`. It encrypts by itself and forgets by its lifecycle.

    Args:
        open_client: answers a low-level S3 client; called once, when first needed.
        bucket: its name.
    """

    def __init__(self, open_client: Callable[[], Any], bucket: str) -> None:
        self._open_client = open_client
        self._bucket = bucket
        self._client: Any = None

    def keep(self, name: str, content: bytes, content_type: str) -> None:
        """Keep a file; one of that name before is replaced.

        Raises:
            FilesUnavailableError: S3 did not answer, or refused.
            ValueError: it is no name of a file.
        """
        check_name(name)
        try:
            self._s3().put_object(Bucket=self._bucket, Key=name, Body=content, ContentType=content_type)
        except (BotoCoreError, ClientError) as error:
            raise FilesUnavailableError(_reason(error)) from error

    def link(self, name: str, seconds: int) -> str:
        """A URL that S3 answers with the file until it is over, or until the credentials that signed it are.

        Raises:
            FilesUnavailableError: there are no credentials to sign it with.
            ValueError: it is no name of a file, or no time that a link may live.
        """
        check_name(name)
        if not 0 < seconds <= MAX_LINK_SECONDS:
            raise ValueError(f"a link lives 1 to {MAX_LINK_SECONDS} seconds")
        try:
            where = {"Bucket": self._bucket, "Key": name}
            return str(self._s3().generate_presigned_url("get_object", Params=where, ExpiresIn=seconds))
        except (BotoCoreError, ClientError) as error:
            raise FilesUnavailableError(_reason(error)) from error

    def _s3(self) -> Any:
        if self._client is None:
            self._client = self._open_client()
        return self._client


def _reason(error: Exception) -> str:
    """A fault's code or kind, never its words: they may quote the name."""
    if isinstance(error, ClientError):
        return f"S3 answered {error.response.get('Error', {}).get('Code')}"
    return type(error).__name__
