"""The jitter buffer: order, gaps, late packets, pauses, and senders that begin anew."""

from applet.media.jitter_buffer import JitterBuffer

FRAME = 160


class Stream:
    """A sender of 20 ms packets, and a listener that takes 20 ms at a time."""

    def __init__(self, first_sequence: int = 100, first_timestamp: int = 8000) -> None:
        self.buffer = JitterBuffer()
        self.sequence = first_sequence
        self.timestamp = first_timestamp

    def push(self, number: int, at: float, *, pause: bool = False) -> None:
        """Packet `number` (0 is the first) arrives `at` seconds."""
        timestamp = (self.timestamp + number * FRAME) % (1 << 32)
        self.buffer.push(
            self.sequence + number, timestamp, 0, bytes([number % 256]), at, pause=pause
        )

    def play(self, at: float) -> int | None:
        """The number of the packet that is played for the next 20 ms; None: something else."""
        packet = self.buffer.pop(at)
        if packet is None:
            self.buffer.advance(FRAME, heard=False)
            return None
        self.buffer.advance(FRAME - packet.skip, heard=True)
        return packet.sequence - self.sequence

    def run(self, count: int, start: float = 0.0, phase: float = 0.01) -> list[int | None]:
        """`count` packets arrive in time, each is played `phase` later."""
        played = []
        for i in range(count):
            at = start + i * 0.02
            self.push(i, at)
            played.append(self.play(at + phase))
        return played


def test_packets_come_out_in_order_at_their_turn() -> None:
    assert Stream().run(5) == [0, 1, 2, 3, 4]


def test_an_empty_buffer_has_nothing() -> None:
    buffer = JitterBuffer()
    assert buffer.pop(1.0) is None
    assert buffer.delay == 0
    assert buffer.review() == 0
    assert buffer.in_pause


def test_reordered_packets_are_put_in_order_and_counted() -> None:
    stream = Stream()
    stream.run(3)
    for number in (4, 3):
        stream.push(number, 0.085)
    assert [stream.play(0.09), stream.play(0.11)] == [3, 4]
    assert stream.buffer.reordered == 1
    assert stream.buffer.late == 0


def test_fault_11_duplicates_are_played_once() -> None:
    stream = Stream()
    for number in (0, 0, 1, 1, 0):
        stream.push(number, 0.0)
    assert [stream.play(0.01), stream.play(0.03), stream.play(0.05)] == [0, 1, None]
    assert stream.buffer.duplicates == 3


def test_a_duplicate_from_long_ago_is_late_and_not_played() -> None:
    stream = Stream()
    stream.run(100)
    stream.push(3, 2.0)
    assert stream.buffer.late == 1
    assert stream.play(2.01) is None


def test_a_lost_packet_is_a_gap_and_the_next_is_in_time() -> None:
    stream = Stream()
    stream.run(3)
    assert stream.play(0.07) is None
    stream.push(4, 0.08)
    assert stream.play(0.09) == 4
    assert stream.buffer.late == 0


def test_the_next_packet_tells_how_long_the_gap_is() -> None:
    stream = Stream()
    stream.run(3)
    stream.push(4, 0.065)
    assert stream.buffer.pop(0.07) is None
    assert stream.buffer.ahead == FRAME


def test_a_late_packet_is_played_when_nothing_else_is_there_and_the_delay_grows() -> None:
    stream = Stream()
    stream.run(3)
    before = stream.buffer.delay
    assert stream.play(0.07) is None
    stream.push(3, 0.075)
    assert stream.play(0.09) == 3
    assert stream.buffer.delay == before + FRAME


def test_a_late_packet_is_better_than_concealment_even_where_waiting_never_pays() -> None:
    buffer = JitterBuffer()
    for i in range(1500):
        buffer.push(i, 80 * i, 0, b"", i * 0.01)
        assert buffer.pop(i * 0.01 + 0.008)
        buffer.advance(80, heard=True)
    for i in range(4):
        assert buffer.pop(15.008 + i * 0.01) is None
        buffer.advance(80, heard=False)
    buffer.push(1500, 80 * 1500, 0, b"", 15.045)
    packet = buffer.pop(15.048)
    assert packet is not None and packet.sequence == 1500


def test_a_late_packet_is_left_out_when_its_successor_is_there() -> None:
    stream = Stream()
    stream.run(400)
    assert stream.play(8.01) is None
    stream.push(401, 8.02)
    stream.push(400, 8.025)
    assert stream.play(8.03) == 401
    assert stream.buffer.late == 1


def test_late_packets_are_left_out_and_the_gap_goes_on_to_the_next() -> None:
    stream = Stream()
    stream.run(400)
    assert [stream.play(8.01), stream.play(8.03)] == [None, None]
    stream.push(400, 8.04)
    stream.push(403, 8.045)
    assert stream.play(8.05) is None
    assert stream.buffer.ahead == FRAME
    assert stream.buffer.late == 1


def test_growing_for_a_late_packet_pays_when_many_are_late() -> None:
    stream = Stream()
    stream.run(10)
    assert stream.play(0.21) is None
    stream.push(11, 0.22)
    stream.push(10, 0.225)
    assert [stream.play(0.23), stream.play(0.25)] == [10, 11]


def test_of_a_long_packet_that_comes_late_the_rest_is_played() -> None:
    buffer = JitterBuffer()
    for i in range(300):
        buffer.push(i, 480 * i, 0, b"", i * 0.06)
        assert buffer.pop(i * 0.06 + 0.01)
        buffer.advance(480, heard=True)
    assert buffer.pop(18.01) is None
    buffer.advance(FRAME, heard=False)
    buffer.push(300, 480 * 300, 0, b"", 18.02)
    buffer.push(301, 480 * 301, 0, b"", 18.025)
    packet = buffer.pop(18.03)
    assert packet is not None
    assert (packet.sequence, packet.skip) == (300, FRAME)


def test_what_was_played_already_is_not_played_again() -> None:
    stream = Stream()
    stream.run(3)
    stream.play(0.07)
    stream.push(4, 0.08)
    stream.play(0.09)
    stream.push(3, 0.1)
    assert stream.buffer.late == 1
    assert stream.play(0.11) is None


def test_sequence_and_timestamp_wrap() -> None:
    assert Stream(65_530, (1 << 32) - 5 * FRAME).run(20) == list(range(20))


def test_a_packet_that_arrives_just_before_its_turn_waits_for_the_next() -> None:
    stream = Stream()
    stream.push(0, 0.0)
    assert stream.play(0.001) is None
    stream.push(1, 0.02)
    assert stream.play(0.021) == 0


def test_a_review_asks_to_shrink_what_is_too_long() -> None:
    stream = Stream()
    for number in range(3):
        stream.push(number, 0.0 + number * 0.02)
    for number in range(200):
        stream.push(number + 3, 0.06 + number * 0.02)
        assert stream.play(0.07 + number * 0.02) is not None
    stream.buffer.review()
    assert stream.buffer.delay >= FRAME // 2


def test_after_a_stall_not_all_of_it_is_played() -> None:
    stream = Stream()
    stream.run(300)
    assert [stream.play(6.01 + i * 0.02) for i in range(20)] == [None] * 20
    for number in range(300, 320):
        stream.push(number, 6.395)
    first = stream.play(6.41)
    assert first is not None and 305 <= first <= 316
    assert stream.buffer.late == first - 300


def test_silence_without_a_word_is_no_loss_when_numbers_go_on() -> None:
    """Discontinuous transmission: the timestamps leap, the sequence numbers do not."""
    stream = Stream()
    stream.run(3)
    buffer = stream.buffer
    stream.play(0.07)
    buffer.push(103, 8000 + 10 * FRAME, 0, b"", 0.2)
    assert stream.play(0.21) == 3
    assert buffer.delay == 80


def test_comfort_noise_begins_a_pause_and_sound_ends_it() -> None:
    stream = Stream()
    stream.run(3)
    stream.push(3, 0.06, pause=True)
    packet = stream.buffer.pop(0.07)
    assert packet is not None and packet.pause
    assert stream.buffer.in_pause
    assert [stream.play(0.07), stream.play(0.09)] == [None, None]
    stream.buffer.push(104, 8000 + 10 * FRAME, 0, b"", 0.2)
    assert stream.play(0.21) == 4
    assert not stream.buffer.in_pause


def test_the_packets_of_one_digit_are_one_pause() -> None:
    stream = Stream()
    stream.run(3)
    for repeat in range(6):
        at = 0.06 + repeat * 0.02
        stream.buffer.push(103 + repeat, 8000 + 3 * FRAME, 101, b"", at, pause=True)
        packet = stream.buffer.pop(at + 0.01)
        assert (packet is not None) == (repeat == 0)
        stream.buffer.advance(FRAME, heard=False)
    assert stream.buffer.late == stream.buffer.duplicates == 0
    stream.buffer.push(109, 8000 + 9 * FRAME, 0, b"", 0.18)
    assert stream.play(0.19) == 9


def test_a_pause_that_is_told_late_begins_now() -> None:
    stream = Stream()
    stream.run(3)
    assert stream.play(0.07) is None
    stream.push(3, 0.08, pause=True)
    packet = stream.buffer.pop(0.09)
    assert packet is not None and packet.pause
    assert stream.buffer.late == 0


def test_a_pause_at_the_place_of_a_packet_does_not_replace_it() -> None:
    stream = Stream()
    stream.push(0, 0.0)
    stream.buffer.push(101, 8000, 101, b"", 0.0, pause=True)
    assert stream.play(0.01) == 0


def test_a_stream_may_begin_with_a_pause() -> None:
    stream = Stream()
    stream.push(0, 0.0, pause=True)
    stream.push(1, 0.02)
    assert [stream.play(0.03), stream.play(0.05)] == [1, None]


def test_a_pause_with_a_timestamp_from_nowhere_is_ignored() -> None:
    stream = Stream()
    stream.run(3)
    stream.buffer.push(103, 9_000_000, 101, b"", 0.06, pause=True)
    stream.push(4, 0.06)
    assert not stream.buffer.in_pause
    assert stream.play(0.07) is None


def test_one_timestamp_far_off_is_an_accident() -> None:
    stream = Stream()
    stream.run(3)
    stream.buffer.push(103, 9_000_000, 0, b"", 0.06)
    stream.play(0.07)
    stream.push(4, 0.08)
    assert stream.play(0.09) == 4
    assert stream.buffer.late == 1


def test_two_accidents_that_do_not_agree_are_two_accidents() -> None:
    stream = Stream()
    stream.run(3)
    stream.buffer.push(103, 9_000_000, 0, b"", 0.06)
    stream.buffer.push(104, 50_000_000, 0, b"", 0.08)
    stream.push(5, 0.1)
    assert stream.buffer.late == 2
    assert stream.buffer.pop(0.11) is None


def test_a_sender_that_sets_its_timestamps_anew_is_followed() -> None:
    stream = Stream()
    stream.run(3)
    stream.timestamp = 9_000_000
    stream.push(3, 0.06)
    stream.push(4, 0.08)
    assert stream.play(0.09) == 4
    stream.push(5, 0.1)
    assert stream.play(0.11) == 5


def test_after_a_long_silence_everything_begins_anew() -> None:
    stream = Stream()
    stream.run(3)
    for i in range(500):
        assert stream.play(0.07 + i * 0.02) is None
    stream.timestamp = 77
    stream.push(3, 10.2)
    assert stream.play(10.21) == 3


def test_timestamps_that_run_ahead_are_followed() -> None:
    stream = Stream()
    stream.run(3)
    stream.buffer.push(103, 8000 + 40 * FRAME, 0, b"", 0.06)
    assert stream.play(0.07) == 3


def test_nobody_plays_and_the_buffer_stays_small() -> None:
    stream = Stream()
    for number in range(1000):
        stream.push(number, number * 0.02)
    held = stream.buffer
    assert held.late >= 1000 - 26
    assert stream.play(1000 * 0.02) is not None
    assert held.delay <= 0.05 * 8000


def test_many_tiny_packets_stay_few() -> None:
    buffer = JitterBuffer()
    for number in range(1000):
        buffer.push(number, number, 0, b"", number / 8000)
    assert buffer.late == 1000 - buffer.MAX_PACKETS


def test_a_restart_forgets_what_waits() -> None:
    stream = Stream()
    stream.push(0, 0.0)
    stream.buffer.restart()
    assert stream.buffer.pop(0.1) is None
