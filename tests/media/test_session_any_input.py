"""Whatever comes, in whatever order: nothing raises, nothing grows."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from applet.address import Address
from applet.media.parameters import MediaParameters
from applet.media.rtp import RtpPacket
from applet.media.session import MediaSession

PEER = Address("192.0.2.9", 6000)
AGREED = MediaParameters(
    PEER, PEER, "PCMU", 0, ((0, "PCMU"), (8, "PCMA")), 101, 101, 13, "sendrecv"
)

sources = st.sampled_from([PEER, Address("192.0.2.9", 7), Address("198.51.100.1", 6000)])
near = st.integers(0, 400) | st.integers(0, 65_535)
packets = st.builds(
    RtpPacket,
    st.sampled_from([0, 0, 0, 8, 13, 101, 99]),
    near,
    st.integers(0, 40_000) | st.integers(0, (1 << 32) - 1),
    st.sampled_from([1, 1, 1, 2]),
    st.booleans(),
    st.binary(max_size=4) | st.just(bytes(160)) | st.just(bytes(2000)),
)
steps = st.one_of(
    st.tuples(st.just("rtp"), packets.map(RtpPacket.encode) | st.binary(max_size=40), sources),
    st.tuples(st.just("rtcp"), st.binary(max_size=60), sources),
    st.tuples(st.just("play"), st.floats(0, 0.1) | st.floats(0, 20), st.none()),
    st.tuples(st.just("hold"), st.booleans(), st.none()),
    st.tuples(
        st.just("direction"), st.sampled_from(["sendrecv", "inactive", "recvonly"]), st.none()
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=120))
def test_any_datagrams_in_any_order(story: list[tuple[str, object, Address | None]]) -> None:
    session = MediaSession(random.Random(1), "x")
    session.update(AGREED, 0.0)
    session.open_microphone()
    now = 0.0
    for what, value, source in story:
        match what, value, source:
            case "rtp", bytes(), Address():
                session.receive_datagram(value, source, now)
            case "rtcp", bytes(), Address():
                session.receive_control(value, source, now)
            case "play", float(), _:
                now += value
                assert len(session.playout(now)) == 320
                session.capture(bytes(320), now)
                session.handle_timers(now)
                session.datagrams_to_send()
            case "hold", bool(), _:
                session.hold_locally(value)
            case "direction", str(), _:
                session.update(AGREED._replace(direction=value), now)
    buffer = session._playout.buffer
    assert len(buffer._store) <= buffer.MAX_PACKETS
    assert len(session._playout._pcm) <= 8000
    numbers = session.statistics(now)
    assert 1.0 <= numbers.mos <= 4.5


def test_a_flood_of_wild_timestamps_keeps_the_memory_as_it_is() -> None:
    chance = random.Random(5)
    session = MediaSession(chance, "x")
    session.update(AGREED, 0.0)
    for i in range(50_000):
        packet = RtpPacket(
            chance.choice((0, 8, 13, 101)), i % 65_536, chance.getrandbits(32), 1, False, bytes(160)
        )
        session.receive_datagram(packet.encode(), PEER, i * 0.001)
        if i % 20 == 0:
            assert len(session.playout(i * 0.001)) == 320
    buffer = session._playout.buffer
    assert len(buffer._store) <= buffer.MAX_PACKETS
    delay = buffer._delay
    assert len(delay._now) + len(delay._older) <= 2000
