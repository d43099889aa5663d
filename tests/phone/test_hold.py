"""Our hold, row by row."""

import itertools

import pytest

from applet.phone.hold import Hold, HoldInput, HoldState

ROWS = [
    (HoldState.ACTIVE, HoldInput.HOLD, HoldState.HOLDING),
    (HoldState.HOLDING, HoldInput.ACCEPTED, HoldState.HELD),
    (HoldState.HOLDING, HoldInput.REFUSED, HoldState.HELD),
    (HoldState.HOLDING, HoldInput.RESUME, HoldState.RESUMING),
    (HoldState.HELD, HoldInput.RESUME, HoldState.RESUMING),
    (HoldState.RESUMING, HoldInput.ACCEPTED, HoldState.ACTIVE),
    (HoldState.RESUMING, HoldInput.REFUSED, HoldState.HELD),
    (HoldState.RESUMING, HoldInput.HOLD, HoldState.HOLDING),
]
MISSING = [
    pair
    for pair in itertools.product(HoldState, HoldInput)
    if pair not in [row[:2] for row in ROWS]
]


@pytest.mark.parametrize(("before", "given", "after"), ROWS)
def test_each_row_of_the_table(before: HoldState, given: HoldInput, after: HoldState) -> None:
    hold = Hold()
    hold.state = before
    assert hold.feed(given)
    assert hold.state is after


@pytest.mark.parametrize(("before", "given"), MISSING)
def test_a_missing_pair_changes_nothing(before: HoldState, given: HoldInput) -> None:
    hold = Hold()
    hold.state = before
    assert not hold.feed(given)
    assert hold.state is before


def test_only_an_active_call_is_heard() -> None:
    hold = Hold()
    heard = {}
    for state in HoldState:
        hold.state = state
        heard[state] = not hold.silent
    assert [state for state, on in heard.items() if on] == [HoldState.ACTIVE]


def test_a_change_is_pending_until_the_other_side_agreed() -> None:
    hold = Hold()
    pending = []
    for given in (HoldInput.HOLD, HoldInput.ACCEPTED, HoldInput.RESUME, HoldInput.ACCEPTED):
        hold.feed(given)
        pending.append((hold.pending, hold.wanted))
    assert pending == [(True, True), (False, True), (True, False), (False, False)]
