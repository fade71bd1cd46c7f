"""What the Files port promises, as examples for every implementation and every engine behind it."""

from typing import ClassVar, Protocol

import pytest

from rms.platform.files import Files

PDF = b"%PDF-1.7\n\x00\xff\n%%EOF\n"


class FilesUnderTest(Protocol):
    """An implementation, and whoever has a link of it."""

    @property
    def files(self) -> Files:
        """The port."""

    def opened(self, link: str) -> tuple[int, bytes, str]:
        """Status, content and content type that somebody without credentials gets under a link."""


class FilesSuite:
    """Subclasses name their `engine` and provide the fixture `under_test`."""

    engine: ClassVar[str]

    def test_whoever_has_the_link_reads_the_file_as_it_was_kept(self, under_test: FilesUnderTest) -> None:
        under_test.files.keep("lotus/0a1b.pdf", PDF, "application/pdf")

        assert under_test.opened(under_test.files.link("lotus/0a1b.pdf", 60)) == (200, PDF, "application/pdf")

    def test_a_file_that_is_kept_again_takes_the_place_of_the_first(self, under_test: FilesUnderTest) -> None:
        for content in (b"first", PDF):
            under_test.files.keep("lotus/again.pdf", content, "application/pdf")

        assert under_test.opened(under_test.files.link("lotus/again.pdf", 60))[1] == PDF

    def test_a_large_file_is_kept_whole(self, under_test: FilesUnderTest) -> None:
        content = bytes(range(256)) * 16_384

        under_test.files.keep("lotus/large.pdf", content, "application/pdf")

        assert under_test.opened(under_test.files.link("lotus/large.pdf", 60))[1] == content

    def test_a_link_is_given_to_what_is_not_there_and_leads_nowhere(self, under_test: FilesUnderTest) -> None:
        assert under_test.opened(under_test.files.link("lotus/never-kept.pdf", 60))[0] == 404

    def test_a_link_opens_no_other_file(self, under_test: FilesUnderTest) -> None:
        for name in ("lotus/mine.pdf", "iris/theirs.pdf"):
            under_test.files.keep(name, PDF, "application/pdf")
        link = under_test.files.link("lotus/mine.pdf", 60)

        assert under_test.opened(link.replace("lotus/mine", "iris/theirs"))[0] == 403

    @pytest.mark.parametrize("seconds", [0, -1, 12 * 3600 + 1])
    def test_a_link_lives_as_long_as_credentials_do_at_most(self, under_test: FilesUnderTest, seconds: int) -> None:
        with pytest.raises(ValueError, match="a link lives"):
            under_test.files.link("lotus/0a1b.pdf", seconds)

    @pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a/../b", ".a", "a b", "é", "a?b", "a#b", "x" * 513])
    def test_a_name_that_could_be_read_as_another_is_refused(self, under_test: FilesUnderTest, name: str) -> None:
        with pytest.raises(ValueError, match="name"):
            under_test.files.keep(name, PDF, "application/pdf")
        with pytest.raises(ValueError, match="name"):
            under_test.files.link(name, 60)
