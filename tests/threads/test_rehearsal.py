"""A call to nobody, for practice."""

import random

from applet.sip.parser import parse
from applet.threads import call_parts
from applet.threads.rehearsal import call_nobody


def test_it_goes_as_far_as_the_invite_and_no_further() -> None:
    (invite,) = call_nobody(random.Random(1))
    message = parse(invite.data)
    assert message.start_line() == "INVITE sip:nobody@127.0.0.1:5062 SIP/2.0"
    assert b"m=audio 4000 " in message.body
    assert invite.hop.address.host == "127.0.0.1"


def test_it_can_be_repeated() -> None:
    call_parts.rehearse(random.Random(1))
