"""The Files port: documents that RMS keeps for clients, such as labels. Not in the table: they outgrow a row."""

from typing import Final, Protocol

MAX_LINK_SECONDS: Final = 12 * 3600
"""Longest life of a link: the credentials that sign it live no longer."""


class FilesUnavailableError(Exception):
    """The store did not answer, or refused. A file may or may not have been kept; keeping it again is safe."""


class Files(Protocol):
    """A private store of files by name. A name is `folder/…/file`, of letters, digits, `.`, `_` and `-`."""

    def keep(self, name: str, content: bytes, content_type: str) -> None:
        """Keep a file; one of that name before is replaced.

        Raises:
            FilesUnavailableError: see there.
        """

    def link(self, name: str, seconds: int) -> str:
        """A URL under which whoever has it can read the file for so long. Asks nobody: the file may be gone.

        Raises:
            FilesUnavailableError: there is nothing to sign it with.
        """
