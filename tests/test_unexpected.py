"""Mistakes that nobody expected are kept, without secrets, and told."""

import sys
import threading
from pathlib import Path

import pytest

from applet.log import LogFile
from applet.unexpected import Unexpected


class Story:
    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.log = LogFile(folder)
        self.unexpected = Unexpected(self.log, self.told.append)

    def written(self) -> str:
        return self.log.newest().read_text("utf-8")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def raised(words: str) -> Exception:
    try:
        raise RuntimeError(words)
    except RuntimeError as error:
        return error


def test_it_is_written_down_with_its_place_and_told(story: Story) -> None:
    story.unexpected.caught("window", raised("no more"))
    assert "! unexpected RuntimeError in the window" in story.written()
    assert "test_unexpected.py" in story.written()
    assert "no more" in story.written()
    assert len(story.told) == 1
    assert story.told[0].startswith("Traceback")


@pytest.mark.parametrize(
    "words",
    [
        "Account(user='u', password='hush hush')",
        'password="hush hush"',
        "sip:hush@example.com",
        r"C:\Users\hush\AppData\x.toml",
        "/home/hush/.config",
        "Digest response=hush",
    ],
)
def test_secrets_and_names_are_not(story: Story, words: str) -> None:
    story.unexpected.caught("window", raised(words))
    for text in (story.written(), story.told[0]):
        assert "hush" not in text
        assert "***" in text


def test_threads_and_the_program_itself_are_watched(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    story.unexpected.watch()

    def fail() -> None:
        raise ZeroDivisionError("here")

    thread = threading.Thread(target=fail, name="clumsy")
    thread.start()
    thread.join()
    assert "! unexpected ZeroDivisionError in the clumsy thread" in story.written()
    error = raised("there")
    sys.excepthook(type(error), error, error.__traceback__)
    assert "! unexpected RuntimeError in the main thread" in story.written()
    assert len(story.told) == 2
