"""What is remembered of the servers' ways to hold."""

import pytest

from applet.phone.hold import HoldMemory, HoldStyle


def test_an_unknown_server_is_held_by_inactive() -> None:
    assert HoldMemory().style("pbx.example") is HoldStyle.INACTIVE


def test_only_the_64_servers_that_were_used_last_are_remembered() -> None:
    memory = HoldMemory()
    memory.worked("first", HoldStyle.SENDONLY)
    memory.worked("second", HoldStyle.SENDONLY)
    for number in range(62):
        memory.worked(f"server {number}", HoldStyle.ZERO_ADDRESS)
    memory.worked("first", HoldStyle.SENDONLY)
    memory.worked("one more", HoldStyle.ZERO_ADDRESS)
    assert memory.style("first") is HoldStyle.SENDONLY
    assert memory.style("second") is HoldStyle.INACTIVE


@pytest.mark.parametrize(
    ("ipv6", "styles"),
    [
        (False, [HoldStyle.INACTIVE, HoldStyle.SENDONLY, HoldStyle.ZERO_ADDRESS]),
        (True, [HoldStyle.INACTIVE, HoldStyle.SENDONLY]),
    ],
)
def test_the_zero_address_is_for_ipv4_only(ipv6: bool, styles: list[HoldStyle]) -> None:
    tried: list[HoldStyle] = []
    while (style := HoldStyle.after(tried, ipv6)) is not None:
        tried.append(style)
    assert tried == styles


def test_a_remembered_way_that_is_refused_is_followed_by_the_others() -> None:
    tried = [HoldStyle.SENDONLY]
    assert HoldStyle.after(tried, ipv6=False) is HoldStyle.INACTIVE
    assert HoldStyle.after([*tried, HoldStyle.INACTIVE], ipv6=False) is HoldStyle.ZERO_ADDRESS
