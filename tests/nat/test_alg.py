"""A SIP ALG is told from what comes back of one request."""

import pytest

from applet.address import Address
from applet.nat.alg import Alg, Answered, judge
from tests.nat.facts import LOCAL, OUTSIDE, answer


def test_a_server_that_saw_our_private_address_behind_a_nat_proves_an_alg() -> None:
    verdict = judge(answer(LOCAL), LOCAL.host, OUTSIDE)
    assert verdict.alg is Alg.WORKS
    assert LOCAL.host in verdict.proof and OUTSIDE.host in verdict.proof


def test_a_server_that_saw_our_outer_address_proves_that_there_is_none() -> None:
    assert judge(answer(OUTSIDE), LOCAL.host, OUTSIDE).alg is Alg.ABSENT


def test_without_a_stun_server_nothing_is_certain() -> None:
    assert judge(answer(LOCAL), LOCAL.host, None).alg is Alg.UNKNOWN
    assert judge(answer(None), LOCAL.host, OUTSIDE).alg is Alg.UNKNOWN


def test_without_a_nat_our_own_address_proves_nothing() -> None:
    assert judge(answer(LOCAL), LOCAL.host, LOCAL).alg is Alg.ABSENT


def test_a_via_that_comes_back_as_another_one_is_a_broken_alg() -> None:
    verdict = judge(answer(OUTSIDE, via=OUTSIDE), LOCAL.host, OUTSIDE)
    assert verdict.alg is Alg.BROKEN
    assert "broken SIP ALG" in verdict.proof


@pytest.mark.parametrize(
    ("changed", "echoed", "alg"),
    [
        (("Via", "Contact"), "5.5.1.2", Alg.WORKS),
        (("Via", "Contact"), "10.0.0.7", Alg.BROKEN),
        (("Via",), "192.168.1.2", Alg.BROKEN),
        (("Contact",), "5.5.1.2", Alg.BROKEN),
    ],
)
def test_an_echo_shows_every_line(changed: tuple[str, ...], echoed: str, alg: Alg) -> None:
    answered = Answered(LOCAL, LOCAL, LOCAL.host, 5060, changed, echoed)
    assert judge(answered, LOCAL.host, OUTSIDE).alg is alg


def test_the_address_that_the_server_saw_may_be_said_in_parts() -> None:
    assert answer(None).seen is None
    assert Answered(LOCAL, LOCAL, None, 40000).seen == Address(LOCAL.host, 40000)
    assert Answered(LOCAL, LOCAL, "5.5.1.2", None).seen == Address("5.5.1.2", 5060)
