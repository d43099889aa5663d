"""Whatever the other side says and the person presses, in whatever order: nothing raises, nothing
grows, every call ends once, and in the end all is quiet."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applet.address import Address
from applet.phone.config import PhoneConfig
from applet.phone.messages import (
    Answer,
    CallState,
    CallStateChanged,
    Command,
    Dial,
    HangUp,
    Hold,
    Mute,
    Quit,
    Register,
    Reinvite,
    Reject,
    RequestStatistics,
    Resume,
    SendDigits,
    Unregister,
    Update,
)
from applet.phone.service_messages import ConfirmTransfer, SendMessage, Transfer
from tests.support.jester import HOST, Ask, Jester, Repeat, answers, likely, repetitions, requests
from tests.support.jester import Answer as Reply
from tests.support.street import House, Street, bad_line

PHONE = "10.0.0.1"
Said = Reply | Ask | Repeat

calls = st.sampled_from([0, 0, 0, 0, 1, 2, 9])
on = st.booleans()
commands: st.SearchStrategy[Command] = st.one_of(
    st.just(Dial(f"sip:jester@{HOST}", confirmed=True)),
    st.builds(Answer, calls, st.sampled_from([180, 183, 200, 200, 200])),
    st.builds(Reject, calls, st.sampled_from([486, 603])),
    st.builds(HangUp, calls),
    st.builds(Hold, calls, on),
    st.builds(Resume, calls),
    st.builds(Reinvite, calls),
    st.builds(SendDigits, calls, st.sampled_from(["1", "#0"])),
    st.builds(Mute, calls, on),
    st.builds(RequestStatistics, calls),
    st.builds(Update, calls),
    st.builds(Transfer, calls, st.sampled_from(["", "sip:third@10.0.0.3"]), calls),
    st.builds(ConfirmTransfer, calls, on),
    st.just(SendMessage(f"sip:jester@{HOST}", "hello", confirmed=True)),
    st.sampled_from([Register(), Unregister()]),
)
waits = st.sampled_from([0.0, 0.0, 0.05, 0.6, 3.0, 33.0, 70.0, 200.0])
steps = st.one_of(likely, likely, likely, answers, requests, repetitions, commands, commands, waits)
configs = st.builds(
    PhoneConfig()._replace,
    answer=st.sampled_from([0, 180, 183, 200, 486]),
    max_calls=st.integers(1, 3),
    other_addresses=st.just(True),
    user=st.just("me"),
    password=st.sampled_from(["", "secret"]),
    registrar=st.sampled_from(["", f"sip:{HOST}"]),
    reliable=st.sampled_from(["off", "on", "on", "required"]),
    session_timer=st.sampled_from(["off", "on", "on", "required"]),
)

OPENINGS: list[list[Said | Command]] = [
    [],
    [Dial(f"sip:jester@{HOST}", confirmed=True)],
    [Dial(f"sip:jester@{HOST}", confirmed=True), Reply(0, 200, 0, "audio", ())],
    [
        Ask("INVITE", None, 1, "audio", "application/sdp", (), stranger=False),
        Answer(1, 200),
        Ask("ACK", 0, 0, "", "", (), stranger=False),
    ],
]
# Always the same stories here; the fuzzer tells ever new ones.
AT_ANY_SPEED = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@settings(AT_ANY_SPEED, max_examples=250)
@given(
    configs, st.sampled_from([0.0, 0.02]), st.sampled_from(OPENINGS), st.lists(steps, max_size=30)
)
def test_whatever_is_said_and_pressed_everything_ends_once_and_is_quiet(
    config: PhoneConfig,
    counting: float,
    opening: list[Said | Command],
    story: list[Said | Command | float],
) -> None:
    street = Street()
    house = House(street, PHONE, config, sound=False, counting=counting)
    house.names["nowhere.invalid"] = ()
    jester = Jester(street, house.sip)
    for step in [*opening, *story]:
        if isinstance(step, float):
            street.run(step)
        elif isinstance(step, Reply | Ask | Repeat):
            jester.say(step)
            street.run(0.03)
        else:
            house.do(step)
            street.run(0.03)
        assert len(house.phone._endpoint._core.timers) < 300
        assert house.phone._endpoint.transactions < 200
    finish(house)


def finish(house: House) -> None:
    """Nobody answers any more: what is open ends by itself."""
    street = house.street
    del street.residents[HOST]
    for event in house.seen(CallStateChanged):
        assert isinstance(event, CallStateChanged)
        house.do(HangUp(event.call))
    house.do(Unregister())
    street.run(700.0)
    house.do(Quit())
    street.run(5.0)
    assert house.stopped
    check_ends(house)
    core = house.phone._endpoint._core
    assert house.is_empty(), (house.rooms, house.phone._calls.all(), core.busy)
    assert len(core.transactions) == 0 and core.transactions.held == 0
    assert core.dialogs == {} and core.busy == set() and len(core.locator) == 0
    assert house.phone.next_timer() is None and len(core.timers) == 0


def check_ends(house: House) -> None:
    """Every call that was told of has ended, once, and nothing was told of it afterwards."""
    states = [event for _, event in house.events if isinstance(event, CallStateChanged)]
    ends = Counter(event.call for event in states if event.state is CallState.ENDED)
    assert set(ends.values()) <= {1} and set(ends) == {event.call for event in states}
    last = {event.call: event.state for event in states}
    assert set(last.values()) <= {CallState.ENDED}


presses = st.lists(st.tuples(st.integers(0, 1), commands, waits), max_size=20)


@settings(AT_ANY_SPEED, max_examples=100)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, 0.3]), presses)
def test_two_people_may_press_anything_on_a_bad_line(
    seed: int, loss: float, story: list[tuple[int, Command, float]]
) -> None:
    street = Street(delay=0.03, spoil=bad_line(seed, loss, loss, loss))
    one = House(street, PHONE, sound=False)
    two = House(street, HOST, PhoneConfig(answer=200, other_addresses=True), sound=False)
    one.do(Dial(f"sip:two@{HOST}", confirmed=True))
    street.run(1.0)
    for who, command, wait in story:
        (one, two)[who].do(command)
        street.run(min(wait, 70.0))
    for house in (one, two):
        for event in house.seen(CallStateChanged):
            assert isinstance(event, CallStateChanged)
            house.do(HangUp(event.call))
    street.run(200.0)
    for house in (one, two):
        check_ends(house)
        assert house.is_empty() and house.phone.next_timer() is None


def test_the_house_of_the_jester_is_where_the_phone_calls() -> None:
    """Without this, no story above would ever get an answer."""
    street = Street()
    house = House(street, PHONE, PhoneConfig(other_addresses=True), sound=False)
    jester = Jester(street, house.sip)
    house.do(Dial(f"sip:jester@{HOST}", confirmed=True))
    street.run(0.1)
    jester.say(Reply(0, 200, 0, "audio", ()))
    street.run(0.1)
    assert house.state() is CallState.CONNECTED
    jester.say(Ask("BYE", 0, 1, "", "", (), stranger=False))
    street.run(0.1)
    assert house.state() is CallState.ENDED
    assert house.sip == Address(PHONE, 5060)
