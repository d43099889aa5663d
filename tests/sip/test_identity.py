"""Whom a certificate names (RFC 5922 section 7), read from DER."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.sip.identity import MOST_NAMES, Names, proves, subject_names
from tests.sip.playbook import ANY_MACHINE

DNS, URI, IP, EMAIL = 0x82, 0x86, 0x87, 0x81
SUBJECT_ALT_NAME = b"\x55\x1d\x11"


def der(tag: int, *parts: bytes) -> bytes:
    """One element, with its length in as many octets as it needs."""
    value = b"".join(parts)
    if len(value) < 0x80:
        return bytes((tag, len(value))) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def extension(
    names: bytes, *, critical: bool = False, identifier: bytes = SUBJECT_ALT_NAME
) -> bytes:
    flag = der(0x01, b"\xff") if critical else b""
    return der(0x30, der(0x06, identifier), flag, der(0x04, names))


def certificate(*extensions: bytes, subject: bytes = b"") -> bytes:
    serial, issuer = der(0x02, b"\x01"), der(0x30)
    signed = der(0x30, der(0xA0, der(0x02, b"\x02")), serial, issuer, der(0x30, subject),
                 der(0xA3, der(0x30, *extensions)))  # fmt: skip
    return der(0x30, signed, der(0x30), der(0x03, b"\x00signature"))


def named(*names: tuple[int, bytes], critical: bool = False) -> bytes:
    listed = der(0x30, *(der(tag, value) for tag, value in names))
    key_usage = extension(b"\x03\x02\x05\xa0", identifier=b"\x55\x1d\x0f", critical=True)
    return certificate(key_usage, extension(listed, critical=critical))


@pytest.mark.parametrize("critical", [False, True])
def test_names_addresses_and_sip_uris_are_read(critical: bool) -> None:
    names = subject_names(
        named(
            (DNS, b"PBX.example"),
            (EMAIL, b"somebody@mail.example"),
            (URI, b"sip:Example.com"),
            (URI, b"SIP:b.example;transport=tls"),
            (URI, b"sip:person@c.example"),
            (URI, b"https://d.example"),
            (IP, b"\xc0\x00\x02\x01"),
            critical=critical,
        )
    )
    assert names == Names(("pbx.example",), ("example.com", "b.example"), (b"\xc0\x00\x02\x01",))


def test_a_long_list_of_names_is_read_whole_and_an_endless_one_is_not() -> None:
    many = [(DNS, f"host{number}.example".encode()) for number in range(300)]
    assert len(subject_names(named(*many)).dns) == 300
    endless = [(DNS, b"x")] * (MOST_NAMES + 10)
    assert len(subject_names(named(*endless)).dns) == MOST_NAMES


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x30",
        b"no certificate at all",
        certificate(),
        certificate(extension(b"")),
        certificate(extension(b"\x30\x7f\x82\x01x")),
        named((DNS, b"a.example"))[:60],
    ],
)
def test_a_certificate_without_names_or_damaged_names_nobody(damaged: bytes) -> None:
    assert subject_names(damaged) == Names()


def test_what_looks_like_names_elsewhere_in_the_certificate_is_not_read() -> None:
    forged = extension(der(0x30, der(DNS, b"bank.example")))
    assert subject_names(certificate(subject=forged)) == Names()


@ANY_MACHINE
@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 255))
def test_any_bytes_are_read_without_a_mistake(noise: bytes, at: int, octet: int) -> None:
    subject_names(noise)
    good = bytearray(named((DNS, b"a.example"), (IP, b"\x7f\x00\x00\x01")))
    good[at % len(good)] = octet
    subject_names(bytes(good))


NAMES = Names(("pbx.example", "*.hosted.example", "*.org"), ("sip.example",), (b"\x7f\0\0\x01",))


@pytest.mark.parametrize(
    ("identity", "ip", "proved"),
    [
        ("pbx.example", None, True),
        ("sip.example", None, True),
        ("customer.hosted.example", None, True),
        ("a.customer.hosted.example", None, False),
        ("hosted.example", None, False),
        ("any.org", None, False),  # a star for a whole top-level domain
        ("example", None, False),
        ("other.example", None, False),
        ("127.0.0.1", b"\x7f\0\0\x01", True),
        ("127.0.0.2", b"\x7f\0\0\x02", False),
        ("", None, False),
    ],
)
def test_only_whom_the_certificate_names_is_proved(
    identity: str, ip: bytes | None, proved: bool
) -> None:
    assert proves(NAMES, identity, ip) is proved
