"""The channel between two starts, as it is on Linux; `test_shells` has the one of Windows."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from applet.ui.view import Act, Request
from applet.visitor import RunningAlreadyError, only_one
from applet.windows import channel
from applet.windows.handover import CallDesk, Leave, OpenLink, Order, Show
from tests.support.descriptors import open_files

PRODUCT = "Ünser Phone"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    before = open_files()
    yield tmp_path
    assert open_files() == before


class Taken:
    def __init__(self) -> None:
        self.orders: SimpleQueue[Order] = SimpleQueue()

    def next(self) -> Order:
        return self.orders.get(timeout=5)


def test_what_a_second_start_wants_arrives_in_order(folder: Path) -> None:
    taken = Taken()
    held = channel.claim(PRODUCT, taken.orders.put)
    assert held is not None
    assert channel.claim(PRODUCT, taken.orders.put) is None
    orders: list[Order] = [Show(), OpenLink('sip:"a" -x@example.com'), CallDesk(), Leave()]
    assert all(channel.send(PRODUCT, order) for order in orders)
    assert [taken.next() for _ in orders] == orders
    held.close()
    assert not channel.send(PRODUCT, Show())
    assert not list(folder.glob("*.sock"))


def test_two_products_do_not_hear_each_other(folder: Path) -> None:
    taken = Taken()
    held = channel.claim(PRODUCT, taken.orders.put)
    other = channel.claim("Other", taken.orders.put)
    assert held is not None
    assert other is not None
    held.close()
    assert not channel.send(PRODUCT, Show())
    assert channel.send("Other", Show())
    other.close()


def test_after_a_crash_the_channel_is_free_again(folder: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / f"{PRODUCT}.sock"))
    left.close()
    assert not channel.send(PRODUCT, Show())
    held = channel.claim(PRODUCT, Taken().orders.put)
    assert held is not None
    assert channel.send(PRODUCT, Show())
    held.close()


@pytest.mark.parametrize("data", [b"", b"show", b"x" * 65536, b"\n\n", b"show\nleave\n", b"\xff\n"])
def test_whatever_else_is_sent_is_ignored(folder: Path, data: bytes) -> None:
    taken = Taken()
    held = channel.claim(PRODUCT, taken.orders.put)
    assert held is not None
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(folder / f"{PRODUCT}.sock"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it is too long
            stranger.sendall(data)
    assert channel.send(PRODUCT, CallDesk())
    assert taken.next() == CallDesk()
    held.close()
    with pytest.raises(Empty):
        taken.orders.get_nowait()


def test_nobody_else_can_open_it(folder: Path) -> None:
    held = channel.claim(PRODUCT, Taken().orders.put)
    assert held is not None
    assert stat.S_IMODE((folder / f"{PRODUCT}.lock").stat().st_mode) == 0o600
    assert (folder / f"{PRODUCT}.sock").stat().st_uid == os.getuid()
    held.close()


def test_the_first_start_is_asked_in_the_words_of_the_window(folder: Path) -> None:
    asked: SimpleQueue[Request] = SimpleQueue()
    orders: tuple[Order, ...] = (Show(), CallDesk(), OpenLink("tel:1"), Leave())
    with only_one(PRODUCT, Show(), asked.put):
        for order in orders:
            with pytest.raises(RunningAlreadyError) as running, only_one(PRODUCT, order, asked.put):
                raise AssertionError("two are running")
            assert running.value.answers
    acts = [asked.get(timeout=5) for _ in range(4)]
    assert acts == [
        Request(Act.SHOW),
        Request(Act.CALL),
        Request(Act.LINK, "tel:1"),
        Request(Act.QUIT),
    ]
    with only_one(PRODUCT, Show(), asked.put):
        pass


def test_without_a_run_time_folder_every_start_is_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    asked: SimpleQueue[Request] = SimpleQueue()
    with only_one(PRODUCT, Show(), asked.put), only_one(PRODUCT, Show(), asked.put):
        assert not channel.send(PRODUCT, Show())
