"""The E-model against the values of its own recommendation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.media.quality import QualityStatistics, mean_opinion, r_factor


@pytest.mark.parametrize(
    ("r", "mos"), [(0, 1.0), (50, 2.58), (60, 3.10), (70, 3.60), (80, 4.03), (90, 4.34), (100, 4.5)]
)
def test_ratings_become_the_opinions_of_g_107_annex_b(r: float, mos: float) -> None:
    assert mean_opinion(r) == pytest.approx(mos, abs=0.01)


def test_a_call_without_fault_is_as_good_as_g_711_can_be() -> None:
    assert r_factor(0) == 93.2
    assert mean_opinion(r_factor(0)) == pytest.approx(4.41, abs=0.01)


def test_loss_costs_what_g_113_says_for_g_711_with_concealment() -> None:
    assert r_factor(0.01) == pytest.approx(93.2 - 95 / 26.1)
    assert r_factor(0.05) == pytest.approx(93.2 - 95 * 5 / 30.1)
    assert r_factor(1.0) == pytest.approx(93.2 - 95 * 100 / 125.1)


def test_loss_in_bursts_costs_more() -> None:
    assert r_factor(0.05, burst_ratio=2) < r_factor(0.05)


def test_another_codec_has_its_own_values() -> None:
    assert r_factor(0.0, equipment=11, robustness=19) == pytest.approx(82.2)


def test_delay_costs_nothing_up_to_100_ms_and_much_beyond_a_quarter_second() -> None:
    assert r_factor(0, delay_ms=100) == 93.2
    assert 93.2 - r_factor(0, delay_ms=150) == pytest.approx(0, abs=1)
    assert 93.2 - r_factor(0, delay_ms=200) == pytest.approx(3, abs=1)
    assert 93.2 - r_factor(0, delay_ms=400) == pytest.approx(24, abs=2)


def test_before_the_first_frame_nothing_is_missing() -> None:
    quality = QualityStatistics()
    assert (quality.loss, quality.burst_ratio) == (0.0, 1.0)
    assert quality.mean_opinion(20) == pytest.approx(4.41, abs=0.01)


def test_a_frame_that_was_not_there_is_lost_whatever_the_reason() -> None:
    quality = QualityStatistics()
    for i in range(100):
        quality.frame(heard=i % 20 != 0)
    assert (quality.due, quality.missed, quality.loss) == (100, 5, 0.05)
    assert quality.burst_ratio == 1.0
    assert quality.mean_opinion(20) == pytest.approx(3.92, abs=0.01)


def test_gaps_together_make_a_burst() -> None:
    quality, scattered = QualityStatistics(), QualityStatistics()
    for i in range(100):
        quality.frame(heard=i >= 10)
        scattered.frame(heard=i % 10 != 0)
    assert quality.loss == scattered.loss
    assert quality.burst_ratio == pytest.approx(10 * 0.9)
    assert quality.mean_opinion(20) < scattered.mean_opinion(20)


@given(st.floats(0, 1), st.floats(1, 100), st.floats(0, 5000), st.floats(0, 95), st.floats(1, 100))
def test_every_call_has_an_opinion_from_1_to_4_5(
    loss: float, burst: float, delay: float, equipment: float, robustness: float
) -> None:
    assert 1.0 <= mean_opinion(r_factor(loss, burst, delay, equipment, robustness)) <= 4.5


@given(st.lists(st.booleans(), max_size=100))
def test_any_pattern_of_gaps_has_a_ratio_and_an_opinion(heard: list[bool]) -> None:
    quality = QualityStatistics()
    for here in heard:
        quality.frame(heard=here)
    assert quality.burst_ratio >= 1
    assert 1.0 <= quality.mean_opinion(60) <= 4.5
