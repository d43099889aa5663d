"""Addresses, as every layer knows them."""

import pytest

from applet.address import Address, is_numeric


@pytest.mark.parametrize("host", ["192.0.2.1", "127.0.0.1", "::1", "2001:DB8::a.1", "999.0.0.1"])
def test_of_these_nobody_has_to_be_asked(host: str) -> None:
    assert is_numeric(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        "1.2.3.1000",
        "a.b.c.d",
        "12",
        "x:1",
        "١.٢.٣.٤",
    ],
)
def test_these_are_names_or_nothing(host: str) -> None:
    assert not is_numeric(host)


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Address("::1", 5060)) == "[::1]:5060"
    assert str(Address("192.0.2.1", 5060)) == "192.0.2.1:5060"
