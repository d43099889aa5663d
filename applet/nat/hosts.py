"""What an IP tells of itself."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


def is_near(host: str) -> bool:
    """Loopback, private or link-local; False for a name."""
    if host.startswith("127.") or host == "::1":
        return True
    address = _ip(host)
    return address is not None and (address.is_private or address.is_link_local)


def is_public(host: str) -> bool:
    """An IP that can be reached from the Internet. Carrier-grade NAT's 100.64/10 is not."""
    address = _ip(host)
    return address is not None and address.is_global


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address  # 3 ms that a call on loopback does not need

    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
