"""Scanners do not ring the phone all day."""

from applet.phone.strangers import Strangers


def test_one_address_may_call_so_often_in_a_minute_and_again_in_the_next() -> None:
    strangers = Strangers(2)
    assert [strangers.admit("192.0.2.1", now) for now in (0, 1, 2, 59)] == [
        True,
        True,
        False,
        False,
    ]
    assert strangers.admit("192.0.2.1", 120)


def test_other_addresses_do_not_suffer() -> None:
    strangers = Strangers(1)
    assert strangers.admit("192.0.2.1", 0)
    assert not strangers.admit("192.0.2.1", 1)
    assert strangers.admit("192.0.2.2", 1)


def test_zero_lets_everybody_in() -> None:
    assert all(Strangers(0).admit("192.0.2.1", now) for now in range(100))
