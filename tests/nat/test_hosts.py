"""What an IP tells of itself."""

import pytest

from applet.nat.hosts import is_near, is_public


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "192.168.0.9", "fe80::1%eth0", "fd00::1"]
)
def test_these_are_in_our_own_network(host: str) -> None:
    assert is_near(host)
    assert not is_public(host)


@pytest.mark.parametrize("host", ["5.5.4.10", "2a00:1450::1"])
def test_these_are_out_in_the_world(host: str) -> None:
    assert not is_near(host)
    assert is_public(host)


@pytest.mark.parametrize("host", ["100.64.1.1", "example.com", ""])
def test_of_these_nothing_is_known(host: str) -> None:
    assert not is_near(host)
    assert not is_public(host)
