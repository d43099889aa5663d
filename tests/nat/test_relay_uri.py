"""Relays as they are written."""

import pytest

from applet.nat.relay_uri import RelayUriError, parse_relay


def ways(text: str) -> list[tuple[str, int]]:
    return [(server.transport, server.address.port) for server in parse_relay(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turn:u:p@h.example", [("udp", 3478), ("tcp", 3478), ("tls", 443), ("tcp", 443)]),
        ("turn:u:p@h:3479", [("udp", 3479), ("tcp", 3479)]),
        ("turn:u:p@h?transport=tcp", [("tcp", 3478)]),
        ("turn:u:p@h:80?transport=udp", [("udp", 80)]),
        ("turns:u:p@h", [("tls", 5349), ("tls", 443)]),
        ("turns:u:p@[2a00::1]:443", [("tls", 443)]),
    ],
)
def test_a_relay_is_reached_in_these_ways(text: str, expected: list[tuple[str, int]]) -> None:
    assert ways(text) == expected


def test_name_and_password_may_be_escaped_or_come_from_elsewhere() -> None:
    server = parse_relay("turn:a%3Ab:p%40s@[2a00::1]")[0]
    assert (server.user, server.password, server.address.host) == ("a:b", "p@s", "2a00::1")
    server = parse_relay("turn:h", "name", "secret")[0]
    assert (server.user, server.password) == ("name", "secret")


@pytest.mark.parametrize(
    "text", ["", "turn:", "http://u:secret@h", "turn:u:p@h:99999", "turn:u:p@"]
)
def test_what_is_no_relay_is_refused_in_one_line_without_the_password(text: str) -> None:
    with pytest.raises(RelayUriError) as caught:
        parse_relay(text)
    assert "secret" not in str(caught.value)
