"""Tests of several workers: most beside each other, some parts alone."""

import threading
from queue import Empty, SimpleQueue
from uuid import uuid4

import pytest

from tests.support.process import wait_until
from tests.support.turns import Turns


def test_tests_run_beside_each_other_but_for_the_part_that_is_alone() -> None:
    run = uuid4().hex
    ours, theirs = Turns(run), Turns(run)
    begun: SimpleQueue[str] = SimpleQueue()

    def another() -> None:
        with theirs.beside_others():
            begun.put("another")

    def start() -> threading.Thread:
        thread = threading.Thread(target=another)
        thread.start()
        return thread

    with ours.beside_others():
        start().join(10)
        assert begun.get(timeout=10) == "another"
        with ours.alone():
            waiting = start()
            with pytest.raises(Empty):
                begun.get(timeout=0.1)
        assert begun.get(timeout=10) == "another"
        waiting.join(10)


def test_whoever_is_to_be_alone_waits_for_those_inside_and_goes_before_those_outside() -> None:
    run = uuid4().hex
    inside, lonely, outside = Turns(run), Turns(run), Turns(run)
    order: SimpleQueue[str] = SimpleQueue()

    def be_alone() -> None:
        with lonely.beside_others(), lonely.alone():
            order.put("alone")

    def come_later() -> None:
        with outside.beside_others():
            order.put("later")

    first, second = threading.Thread(target=be_alone), threading.Thread(target=come_later)
    with inside.beside_others():
        first.start()
        wait_until(lambda: not outside.open_door(), 10, "somebody at the door")
        second.start()
        with pytest.raises(Empty):
            order.get(timeout=0.1)
    first.join(10)
    second.join(10)
    assert (order.get(timeout=1), order.get(timeout=1)) == ("alone", "later")
