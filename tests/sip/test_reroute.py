"""What comes next in a dialog may be sent another way."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from applet.address import Address
from applet.sip.dialog import Dialog
from applet.sip.headers import NameAddr
from applet.sip.hop import Hop, Transport
from applet.sip.invite_usage import InviteUsage
from applet.sip.transport import MAX_FLOWS
from applet.sip.uri import OtherUri, SipUri, Uri
from tests.support.wire import Agent, Wire

TARGET = SipUri.of("desk", "192.0.2.2", 5060)
PROXY = SipUri.of("", "192.0.2.3", 5060, lr=None)
US = NameAddr("", SipUri.of("us", "192.0.2.1"))


def _dialog(target: Uri, *route: SipUri) -> Dialog:
    return Dialog(
        "id", US, US, local_sequence=1, remote_sequence=None, remote_target=target,
        route_set=tuple(NameAddr("", uri) for uri in route), flow=7,
    )  # fmt: skip


def reroute(dialog: Dialog) -> Callable[[], None]:
    usage = cast(InviteUsage, SimpleNamespace(dialog=dialog))
    return InviteUsage.reroute(usage, lambda uri: uri._replace(port=443))


def rerouted(target: Uri, *route: SipUri) -> Dialog:
    dialog = _dialog(target, *route)
    reroute(dialog)
    return dialog


def test_the_target_itself_is_reached_elsewhere() -> None:
    dialog = rerouted(TARGET)
    assert dialog.remote_target == TARGET._replace(port=443)
    assert dialog.flow is None


def test_behind_a_proxy_it_is_the_proxy() -> None:
    dialog = rerouted(TARGET, PROXY, PROXY)
    assert dialog.remote_target == TARGET
    assert [route.uri for route in dialog.route_set] == [PROXY._replace(port=443), PROXY]


def test_who_is_reached_by_no_sip_address_stays() -> None:
    telephone = OtherUri("tel", "123")
    assert rerouted(telephone).remote_target == telephone


@pytest.mark.parametrize("route", [(), (PROXY,)])
def test_it_can_be_undone(route: tuple[SipUri, ...]) -> None:
    dialog = _dialog(TARGET, *route)
    reroute(dialog)()
    assert dialog.remote_target == TARGET
    assert tuple(there.uri for there in dialog.route_set) == route
    assert dialog.flow == 7


def test_what_the_other_side_has_told_meanwhile_stays() -> None:
    dialog = _dialog(TARGET)
    undo = reroute(dialog)
    dialog.remote_target, dialog.flow = PROXY, 8
    undo()
    assert (dialog.remote_target, dialog.flow) == (PROXY, 8)


def test_only_so_many_servers_views_of_us_are_remembered() -> None:
    agent = Agent(Wire(), "192.0.2.1")
    seen = Address("198.51.100.7", 40000)
    for port in range(1, MAX_FLOWS + 2):
        agent.endpoint.set_seen(Transport.UDP, Address("192.0.2.2", port), seen)
    last = Hop(Transport.UDP, Address("192.0.2.2", MAX_FLOWS + 1))
    assert agent.endpoint.local_address(last) == agent.address


def test_a_way_that_is_not_known_is_not_kept_open() -> None:
    usage = cast(InviteUsage, SimpleNamespace(core=None))  # asked for nothing
    InviteUsage.keep_way(usage, None, 0.0)
    with pytest.raises(AttributeError):
        InviteUsage.keep_way(usage, Hop(Transport.UDP, Address("192.0.2.1", 5060)), 0.0)
