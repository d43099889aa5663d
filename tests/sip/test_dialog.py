"""Dialogs: who they are, their numbers, and their routes (RFC 3261 section 12)."""

import pytest

from applet.sip.dialog import Dialog, DialogState
from applet.sip.headers import NameAddr
from applet.sip.message import Request, Response
from applet.sip.routing import routing
from applet.sip.uri import OtherUri, parse_uri


def an_invite(*headers: tuple[str, str], contact: str = "<sip:a@192.0.2.1>") -> Request:
    lines = [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        ("From", "<sip:a@example.com>;tag=a"),
        ("To", "<sip:b@example.com>"),
        ("Call-ID", "id"),
        ("CSeq", "7 INVITE"),
        ("Contact", contact),
        *headers,
    ]
    return Request("INVITE", parse_uri("sip:b@example.com"), lines)


def a_response(status: int, *headers: tuple[str, str]) -> Response:
    return an_invite().reply(status, to_tag="b", headers=headers)


def routes(*uris: str) -> tuple[NameAddr, ...]:
    return tuple(NameAddr.parse(f"<{uri}>") for uri in uris)


LOOSE = ("Record-Route", "<sip:p1;lr>, <sip:p2;lr>")
CONTACT = ("Contact", "<sip:b@192.0.2.2;x=y?Subject=z>")


def test_the_caller_reverses_the_routes_and_the_called_side_does_not() -> None:
    ours = Dialog.of_uac(an_invite(), a_response(200, LOOSE, CONTACT))
    theirs = Dialog.of_uas(an_invite(LOOSE), "b", 100)
    assert ours.route_set == routes("sip:p2;lr", "sip:p1;lr")
    assert theirs.route_set == routes("sip:p1;lr", "sip:p2;lr")


def test_each_side_has_its_own_view_of_one_dialog() -> None:
    ours = Dialog.of_uac(an_invite(), a_response(180, CONTACT))
    theirs = Dialog.of_uas(an_invite(), "b", 100)
    assert ours.id == ("id", "a", "b") and theirs.id == ("id", "b", "a")
    assert (ours.local_sequence, ours.remote_sequence) == (7, None)
    assert theirs.remote_sequence == 7 and theirs.next_sequence() == 100
    assert ours.state is DialogState.EARLY and theirs.state is DialogState.EARLY


def test_a_2xx_confirms_a_dialog_and_brings_its_own_routes_and_target() -> None:
    dialog = Dialog.of_uac(an_invite(), a_response(183, LOOSE, ("Contact", "<sip:early@h>")))
    dialog.confirm(a_response(200, CONTACT))
    assert dialog.state is DialogState.CONFIRMED and dialog.route_set == ()
    assert str(dialog.remote_target) == "sip:b@192.0.2.2;x=y"
    assert Dialog.of_uac(an_invite(), a_response(200)).state is DialogState.CONFIRMED


def test_without_a_contact_the_uris_of_the_invite_do() -> None:
    assert str(Dialog.of_uac(an_invite(), a_response(200)).remote_target) == "sip:b@example.com"
    invite = an_invite().without("Contact")
    assert str(Dialog.of_uas(invite, "b", 1).remote_target) == "sip:a@example.com"


@pytest.mark.parametrize("contact", ["*", "<tel:+4930>", "<urn:x:y>, <tel:1>"])
def test_a_contact_that_leads_nowhere_is_none(contact: str) -> None:
    there = ("Contact", contact)
    ours = Dialog.of_uac(an_invite(), a_response(200, there))
    assert str(ours.remote_target) == "sip:b@example.com"
    assert str(Dialog.of_uas(an_invite(contact=contact), "b", 1).remote_target) == (
        "sip:a@example.com"
    )
    ours.refresh_target(a_response(200, CONTACT))
    ours.refresh_target(an_invite(contact=contact))
    assert str(ours.remote_target) == "sip:b@192.0.2.2;x=y"


def test_of_several_contacts_the_first_that_can_be_reached_counts() -> None:
    two = an_invite(contact="<tel:1>, <sip:c@192.0.2.3>")
    assert str(Dialog.of_uas(two, "b", 1).remote_target) == "sip:c@192.0.2.3"
    by_route = an_invite(LOOSE, contact="<tel:1>, <sip:c@192.0.2.3>")
    assert str(Dialog.of_uas(by_route, "b", 1).remote_target) == "tel:1"
    nobody = an_invite(LOOSE, contact="*")
    assert str(Dialog.of_uas(nobody, "b", 1).remote_target) == "sip:a@example.com"


def test_the_target_moves_only_where_a_contact_says_so() -> None:
    dialog = Dialog.of_uac(an_invite(), a_response(200, CONTACT))
    dialog.refresh_target(a_response(200))
    assert str(dialog.remote_target) == "sip:b@192.0.2.2;x=y"
    dialog.refresh_target(a_response(200, ("Contact", "<sip:b@192.0.2.9>")))
    assert str(dialog.remote_target) == "sip:b@192.0.2.9"
    behind = Dialog.of_uac(an_invite(), a_response(200, LOOSE, CONTACT))
    behind.refresh_target(a_response(200, ("Contact", "<tel:+49301234>")))
    assert isinstance(behind.remote_target, OtherUri)


@pytest.mark.parametrize(
    ("numbers", "accepted"),
    [([8, 9], [True, True]), ([7], [False]), ([6], [False]), ([20, 19, 21], [True, False, True])],
)
def test_a_request_that_is_not_newer_than_the_last_is_out_of_order(
    numbers: list[int], accepted: list[bool]
) -> None:
    dialog = Dialog.of_uas(an_invite(), "b", 1)
    assert [dialog.accept_sequence(number) for number in numbers] == accepted


def test_any_first_number_of_theirs_is_accepted() -> None:
    dialog = Dialog.of_uac(an_invite(), a_response(200))
    assert dialog.accept_sequence(0) and not dialog.accept_sequence(0)


def test_a_loose_router_leaves_the_target_in_the_request_uri() -> None:
    dialog = Dialog.of_uac(an_invite(), a_response(200, LOOSE, CONTACT))
    bye = dialog.request("BYE", 8)
    assert str(bye.uri) == "sip:b@192.0.2.2;x=y"
    assert bye.lines("Route") == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert str(dialog.next_hop) == "sip:p2;lr"


def test_a_strict_router_finds_itself_in_the_request_uri_and_the_target_comes_last() -> None:
    strict = ("Record-Route", "<sip:p1;lr>, <sip:p2;method=INVITE>")
    dialog = Dialog.of_uac(an_invite(), a_response(200, strict, CONTACT))
    bye = dialog.request("BYE", 8)
    assert str(bye.uri) == "sip:p2"
    assert bye.lines("Route") == ["<sip:p1;lr>", "<sip:b@192.0.2.2;x=y>"]
    assert str(dialog.next_hop) == "sip:p2;method=INVITE"


def test_without_routes_the_target_is_the_next_hop() -> None:
    dialog = Dialog.of_uac(an_invite(), a_response(200, CONTACT))
    bye = dialog.request("BYE", 8)
    assert bye.lines("Route") == [] and dialog.next_hop == bye.uri


def test_a_route_of_another_scheme_is_passed_on_as_it_is() -> None:
    target = parse_uri("sip:b@h")
    other = (NameAddr("", OtherUri("tel", "1")),)
    assert routing(target, other) == (target, other)


def test_a_request_inside_the_dialog_says_who_speaks_to_whom() -> None:
    dialog = Dialog.of_uas(an_invite(), "b", 100)
    info = dialog.request("OPTIONS", dialog.next_sequence(), (("X-Test", "y"),), b"body")
    assert info.from_.tag == "b" and info.to.tag == "a" and info.call_id == "id"
    assert str(info.cseq) == "100 OPTIONS" and info.max_forwards == 70
    assert info.header("X-Test") == "y" and info.body == b"body"


def test_a_peer_without_a_tag_has_a_dialog_too() -> None:
    invite = an_invite().with_header("From", "<sip:old@example.com>")
    dialog = Dialog.of_uas(invite, "b", 1)
    assert dialog.id == ("id", "b", "")
    assert dialog.request("BYE", 1).header("To") == "<sip:old@example.com>"
    dialog.terminate()
    assert dialog.state is DialogState.TERMINATED
