"""Commands from standard input, piece by piece."""

import os
from collections.abc import Iterator

import pytest

from applet.headless.stdin import CommandLines
from applet.phone.messages import Command, Dial, Hold, NotUnderstood, Quit


class Pipe:
    def __init__(self) -> None:
        self.told: list[NotUnderstood] = []
        self.end, self.begin = os.pipe()
        self.lines = CommandLines(self.end, self.told.append)

    def write(self, data: bytes) -> None:
        os.write(self.begin, data)

    def close(self) -> None:
        """Its writing end, once."""
        if self.begin != -1:
            os.close(self.begin)
        self.begin = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.end)
    pipe.close()


def test_a_line_is_a_command_once_it_is_whole(pipe: Pipe) -> None:
    pipe.write(b"call sip:a@b\nhol")
    assert pipe.lines.read() == [Dial("sip:a@b", confirmed=True)]
    pipe.write("d\n\n\r\nmessage sip:a@b é".encode()[:-1])
    assert pipe.lines.read() == [Hold(0)]
    pipe.write("é".encode()[1:] + b"\n")
    (message,) = pipe.lines.read()
    assert "é" in str(message)
    pipe.close()
    assert not pipe.lines.over and pipe.lines.read() == [Quit()]
    assert pipe.lines.over and pipe.told == []


def test_a_wrong_line_is_told_and_costs_no_other(pipe: Pipe) -> None:
    pipe.write(b"hold\nfly\n\xff\xfe\nhold 7\n")
    assert pipe.lines.read() == [Hold(0), Hold(7)]
    assert [told.text for told in pipe.told] == [
        "'fly' is no command",
        "'\ufffd\ufffd' is no command",
    ]
    pipe.close()


def test_the_last_line_needs_no_end(pipe: Pipe) -> None:
    pipe.write(b"hold")
    assert pipe.lines.read() == []
    pipe.close()
    assert pipe.lines.read() == [Hold(0), Quit()] and pipe.lines.over


def test_a_line_may_be_longer_than_what_is_read_at_once(pipe: Pipe) -> None:
    text = "é" * 20_000
    pipe.write(b"message sip:a@b ")
    read: list[Command] = []
    for part in (text, text, text, "\nhold\n"):
        pipe.write(part.encode())
        read += pipe.lines.read()
    message, hold = read
    assert str(message).count("é") == 60_000 and hold == Hold(0)


def test_a_pipe_that_does_not_wait_is_not_at_its_end(pipe: Pipe) -> None:
    os.set_blocking(pipe.end, False)
    assert pipe.lines.read() == [] and not pipe.lines.over
    pipe.write(b"hold\n")
    assert pipe.lines.read() == [Hold(0)]


def test_what_cannot_be_read_is_at_its_end() -> None:
    lines = CommandLines(-1, print)
    assert lines.read() == [Quit()] and lines.over
