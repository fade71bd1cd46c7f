"""A bucket in memory, and who may look into it."""

from rms.platform.files import MAX_LINK_SECONDS, FilesUnavailableError
from rms.platform.s3 import check_name
from tests.fakes.calls import Calls, raising


class FakeFiles:
    """The Files port; see `rms.platform.s3`. `kept` is what it holds: content and its type by name."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.kept: dict[str, tuple[bytes, str]] = {}
        self._links: dict[str, str] = {}

    def keep(self, name: str, content: bytes, content_type: str) -> None:
        check_name(name)

        def effect() -> None:
            self.kept[name] = content, content_type

        self.calls.run("files", "keep", (name,), effect, raising(FilesUnavailableError))

    def link(self, name: str, seconds: int) -> str:
        check_name(name)
        if not 0 < seconds <= MAX_LINK_SECONDS:
            raise ValueError(f"a link lives 1 to {MAX_LINK_SECONDS} seconds")

        def effect() -> str:
            link = f"https://files.test/{name}?seconds={seconds}&number={len(self._links)}"
            self._links[link] = name
            return link

        return self.calls.run("files", "link", (name,), effect, raising(FilesUnavailableError))

    def opened(self, link: str) -> tuple[int, bytes, str]:
        """Status, content and content type that somebody gets who has a link."""
        name = self._links.get(link)
        if name is None:
            return 403, b"", ""
        return (200, *self.kept[name]) if name in self.kept else (404, b"", "")
