"""Emergency numbers are recognised however they are dialled, and nothing else is."""

import pytest

from applet.phone.emergency import NUMBERS, is_emergency


@pytest.mark.parametrize(
    "dialled",
    [
        "112", "911", "999", "110", "1 1 2", "9-1-1", "(112)", "9.9.9",
        "0112", "9911", "00112", "+49112", "+44999", "0049110", "*31#112", "#31#112",
        "*31#0112", "112;phone-context=example.com",
    ],
)  # fmt: skip
def test_an_emergency_number_is_known_with_any_prefix(dialled: str) -> None:
    assert is_emergency(dialled, NUMBERS)


@pytest.mark.parametrize(
    "dialled", ["", "11", "2112", "support", "1120", "5551110", "+442079460112", "911x", "x112"]
)
def test_other_numbers_and_names_are_not_emergencies(dialled: str) -> None:
    assert not is_emergency(dialled, NUMBERS)


def test_the_brand_may_add_numbers() -> None:
    assert not is_emergency("15", NUMBERS)
    assert is_emergency("15", (*NUMBERS, "15"))
