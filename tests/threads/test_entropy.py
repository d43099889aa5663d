"""Randomness by the system."""

import pytest

from applet.threads.entropy import SystemRandom


@pytest.mark.parametrize("bits", [1, 2, 7, 8, 9, 16, 63, 64, 128])
def test_a_number_has_these_bits_and_each_of_them_is_sometimes_set(bits: int) -> None:
    numbers = [SystemRandom().getrandbits(bits) for _ in range(200)]
    assert all(0 <= number < 1 << bits for number in numbers)
    ever = never = 0
    for number in numbers:
        ever |= number
        never |= ~number
    assert ever == (1 << bits) - 1 and never & ever == ever


def test_a_fraction_is_spread_evenly_from_0_up_to_1() -> None:
    fractions = sorted(SystemRandom().random() for _ in range(2000))
    assert fractions[0] >= 0 and fractions[-1] < 1
    assert all(abs(found - (n + 0.5) / 2000) < 0.06 for n, found in enumerate(fractions))
