"""Which delay is best: transits that were measured, weighed with G.107."""

from applet.media.playout_delay import PlayoutDelay

MS = 8


def after(transits_ms: list[float]) -> PlayoutDelay:
    """Packets every 20 ms with these transits."""
    delay = PlayoutDelay(8000)
    delay.rebase(int(transits_ms[0] * MS))
    for i, transit in enumerate(transits_ms):
        delay.measure(int(transit * MS), i * 0.02)
    return delay


def test_nothing_is_known_and_nothing_should_change() -> None:
    assert PlayoutDelay(8000).change(0) == 0


def test_a_steady_network_wants_no_more_than_the_next_step() -> None:
    delay = after([50.0] * 100)
    assert delay.base == 50 * MS
    assert delay.change(60 * MS) == 0
    assert delay.change(95 * MS) == -40 * MS


def test_packets_in_the_bin_of_the_schedule_count_as_missed() -> None:
    assert after([50.0] * 100).change(51 * MS) == 20 * MS


def test_steady_jitter_wants_what_it_needs() -> None:
    delay = after([50.0 + 8 * (i % 10) for i in range(200)])
    schedule = 50 * MS + 10 * MS
    assert schedule + delay.change(schedule) == (50 + 90) * MS


def test_one_stray_packet_does_not_raise_the_delay() -> None:
    assert after([50.0] * 150 + [350.0] + [50.0] * 40).change(60 * MS) == 0


def test_a_change_must_be_worth_it() -> None:
    delay = after([50.0] * 100)
    assert delay.change(75 * MS, gain=0.3) == -20 * MS
    assert delay.change(75 * MS, gain=0.6) == 0


def test_growing_only_does_not_shrink() -> None:
    assert after([50.0] * 100).change(200 * MS, grow_only=True) == 0


def test_the_delay_has_an_end() -> None:
    delay = after([50.0, 2000.0] * 100)
    change = delay.change(60 * MS)
    assert 60 * MS + change - delay.base <= 400 * MS


def test_a_schedule_ahead_of_the_fastest_packet_can_only_grow() -> None:
    assert after([50.0] * 100).change(30 * MS) == 40 * MS


def test_the_base_falls_at_once_and_rises_after_seconds() -> None:
    delay = after([50.0] * 10)
    delay.measure(40 * MS, 0.2)
    assert delay.base == 40 * MS
    for i in range(250):
        delay.measure(70 * MS, 0.2 + i * 0.02)
    assert delay.base == 40 * MS
    for i in range(250):
        delay.measure(70 * MS, 5.2 + i * 0.02)
    assert delay.base == 70 * MS


def test_another_source_keeps_what_is_known_of_the_jitter() -> None:
    delay = after([50.0 + 8 * (i % 10) for i in range(200)])
    before = delay.change(60 * MS)
    delay.rebase(delay.base + 1000 * MS)
    assert delay.change(1060 * MS) == before
