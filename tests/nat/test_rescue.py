"""When another way is tried, and when it is given up."""

import pytest

from applet.nat.rescue import (
    BUSY_PAUSE,
    OFFER_PAUSE,
    Rescue,
    RescueInput,
    RescueState,
    Step,
)
from applet.nat.strategy import Kind, Way

RELAY = Step(Way(Kind.RELAY))
LAST = Step(None)
ROWS = {
    (RescueState.FINE, RescueInput.MISSING): RescueState.MISSING,
    (RescueState.MISSING, RescueInput.BACK): RescueState.FINE,
    (RescueState.MISSING, RescueInput.STEP): RescueState.TRYING,
    (RescueState.MISSING, RescueInput.NO_STEP): RescueState.GIVEN_UP,
    (RescueState.TRYING, RescueInput.BACK): RescueState.FINE,
    (RescueState.TRYING, RescueInput.ANSWERED): RescueState.HOPING,
    (RescueState.TRYING, RescueInput.REFUSED): RescueState.MISSING,
    (RescueState.HOPING, RescueInput.MISSING): RescueState.MISSING,
    (RescueState.HOPING, RescueInput.BACK): RescueState.FINE,
    (RescueState.GIVEN_UP, RescueInput.BACK): RescueState.FINE,
}


@pytest.mark.parametrize("state", RescueState)
@pytest.mark.parametrize("given", RescueInput)
def test_every_row_of_the_table_and_no_other(state: RescueState, given: RescueInput) -> None:
    rescue = Rescue()
    rescue.state = state
    assert rescue.feed(given, 0.0) is ((state, given) in ROWS)
    assert rescue.state is ROWS.get((state, given), state)


def missing(*steps: Step) -> Rescue:
    rescue = Rescue()
    rescue.feed(RescueInput.MISSING, 10.0)
    rescue.begin(steps)
    return rescue


def test_each_way_is_tried_once_and_then_it_is_given_up() -> None:
    rescue = missing(RELAY, LAST)
    assert rescue.due == 10.0
    assert rescue.next_step(True, 10.0) == RELAY
    assert rescue.due is None
    assert rescue.at_last
    rescue.feed(RescueInput.REFUSED, 11.0)
    assert rescue.next_step(True, 11.0) == LAST
    rescue.feed(RescueInput.REFUSED, 12.0)
    assert rescue.next_step(True, 12.0) is None
    assert rescue.state is RescueState.GIVEN_UP


def test_two_offers_lie_five_seconds_apart() -> None:
    rescue = missing(RELAY, LAST)
    rescue.next_step(True, 10.0)
    rescue.offered(10.0)
    rescue.feed(RescueInput.ANSWERED, 10.1)
    rescue.feed(RescueInput.MISSING, 13.1)
    assert rescue.due == 10.0 + OFFER_PAUSE


def test_nothing_is_tried_while_another_offer_is_open() -> None:
    rescue = missing(RELAY)
    assert rescue.next_step(False, 10.0) is None
    assert rescue.due == 10.0 + BUSY_PAUSE
    assert rescue.state is RescueState.MISSING


def test_after_the_sound_came_back_the_next_trouble_may_try_everything_again() -> None:
    rescue = missing(RELAY)
    assert rescue.began
    rescue.feed(RescueInput.BACK, 12.0)
    assert not rescue.began
    assert rescue.due is None
