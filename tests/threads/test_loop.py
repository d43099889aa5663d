"""The loop under the core and the media thread."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from applet.threads.loop import NO_EPOLL, Loop, clock


class Owner:
    """A loop and what it was told."""

    def __init__(self) -> None:
        self.posted: list[object] = []
        self.mistakes: list[Exception] = []
        self.loop = Loop(self.took, lambda error, now: self.mistakes.append(error))

    def took(self, value: object, now: float) -> None:
        if isinstance(value, Exception):
            raise value
        self.posted.append(value)


@pytest.fixture
def owner() -> Iterator[Owner]:
    owner = Owner()
    yield owner
    owner.loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    yield left, right
    left.close()
    right.close()


def test_what_another_thread_posts_wakes_the_loop_and_keeps_its_order(owner: Owner) -> None:
    def post() -> None:
        for number in range(1000):
            owner.loop.post(number)

    threading.Thread(target=post).start()
    limit = clock() + 10
    while len(owner.posted) < 1000 and clock() < limit:
        owner.loop.wait(limit)
    assert owner.posted == list(range(1000))


@pytest.mark.skipif(sys.platform != "linux", reason="needs epoll")
def test_what_is_posted_comes_before_the_input(owner: Owner) -> None:
    end, begin = os.pipe()
    os.write(begin, b"line")
    assert owner.loop.watch_input(end, lambda now: owner.posted.append(os.read(end, 4)))
    owner.loop.post("posted")
    owner.loop.wait(clock() + 5)
    assert owner.posted == ["posted", b"line"]
    os.close(begin)
    os.close(end)


def test_posts_of_many_threads_all_arrive(owner: Owner) -> None:
    def post(start: int) -> None:
        for number in range(start, start + 500):
            owner.loop.post(number)

    for start in range(0, 4000, 500):
        threading.Thread(target=post, args=(start,)).start()
    limit = clock() + 10
    while len(owner.posted) < 4000 and clock() < limit:
        owner.loop.wait(limit)
    assert sorted(map(int, map(str, owner.posted))) == list(range(4000))


def test_a_deadline_is_met_within_a_millisecond(
    owner: Owner, alone: Callable[[], AbstractContextManager[None]]
) -> None:
    owner.loop.paced = True
    late = []
    with alone():
        for _ in range(15):
            deadline = clock() + 0.0203
            while (now := owner.loop.wait(deadline)) < deadline:
                pass
            late.append(now - deadline)
    assert min(late) >= 0
    assert sorted(late)[7] < 0.001


def test_a_deadline_in_the_past_does_not_wait(owner: Owner) -> None:
    begin = clock()
    owner.loop.wait(begin - 1)
    assert clock() - begin < 0.5


def test_sockets_are_served_until_they_are_forgotten(
    owner: Owner, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    read: list[bytes] = []
    owner.loop.watch(left, lambda now: read.append(left.recv(100)))
    right.send(b"one")
    owner.loop.wait(clock() + 5)
    assert read == [b"one"]
    written: list[float] = []
    owner.loop.watch(left, lambda now: read.append(left.recv(100)), written.append)
    right.send(b"two")
    now = owner.loop.wait(clock() + 5)
    assert read == [b"one", b"two"]
    assert written == [now]
    owner.loop.forget(left)
    owner.loop.forget(left)
    right.send(b"three")
    owner.loop.wait(clock() + 0.01)
    assert read == [b"one", b"two"]


def test_forgetting_a_closed_socket_is_fine(owner: Owner) -> None:
    sock = socket.socket()
    sock.close()
    owner.loop.forget(sock)


def test_a_mistake_in_one_callback_costs_the_others_nothing(
    owner: Owner, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    mistake = ZeroDivisionError("ours")

    def fail(now: float) -> None:
        left.recv(100)
        raise mistake

    owner.loop.watch(left, fail)
    right.send(b"x")
    owner.loop.post("before")
    owner.loop.post(mistake)
    owner.loop.post("after")
    owner.loop.wait(clock() + 5)
    assert owner.posted == ["before", "after"]
    assert owner.mistakes == [mistake, mistake]


def test_posting_after_the_end_does_nothing() -> None:
    owner = Owner()
    owner.loop.close()
    owner.loop.post("late")
    owner.loop.post("later")
    assert owner.posted == []


def test_what_is_posted_while_posts_are_served_comes_next(owner: Owner) -> None:
    def again(value: object, now: float) -> None:
        owner.posted.append(value)
        if value == "first":
            owner.loop.post("second")

    loop = Loop(again, lambda error, now: None)
    owner.loop.close()
    owner.loop = loop
    loop.post("first")
    loop.wait(clock() + 5)
    loop.wait(clock() + 5)
    assert owner.posted == ["first", "second"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the wake is left to select()")
def test_one_wait_is_one_wake_even_for_many_ready_sockets(owner: Owner) -> None:
    pairs = [socket.socketpair() for _ in range(20)]
    served: list[int] = []
    try:
        for number, (left, right) in enumerate(pairs):
            left.setblocking(False)

            def serve(now: float, left: socket.socket = left, number: int = number) -> None:
                left.recv(10)
                served.append(number)

            owner.loop.watch(left, serve)
            right.send(b"x")
        owner.loop.wait(clock() + 5)
        assert sorted(served) == list(range(20))
    finally:
        for left, right in pairs:
            owner.loop.forget(left)
            left.close()
            right.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe is no socket there")
def test_a_pipe_is_read_until_it_is_forgotten(owner: Owner) -> None:
    end, begin = os.pipe()
    read: list[bytes] = []

    def readable(now: float) -> None:
        read.append(os.read(end, 100))
        if read[-1] == b"wrong":
            raise ValueError("wrong")

    assert owner.loop.watch_input(end, readable)
    owner.loop.wait(clock() + 0.01)
    assert read == []
    for word in (b"wrong", b"right"):
        os.write(begin, word)
        owner.loop.wait(clock() + 5)
    assert read == [b"wrong", b"right"] and [str(one) for one in owner.mistakes] == ["wrong"]
    owner.loop.forget_input()
    os.write(begin, b"more")
    owner.loop.wait(clock() + 0.01)
    assert len(read) == 2
    os.close(begin)
    os.close(end)


def test_where_a_pipe_is_no_socket_it_is_not_tried(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner.loop, "_epoll", NO_EPOLL)
    assert not owner.loop.watch_input(0, print)
