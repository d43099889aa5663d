"""Rules of the Windows Firewall as they stand in the registry: does one block this program?"""

import pytest

from applet.windows.firewall import blocks

PROGRAM = r"C:\Users\me\Downloads\Acme Help.exe"
# As the firewall's prompt writes it when the person presses Cancel (one for UDP, one for TCP).
BLOCK = (
    "v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=17|Profile=Private|Profile=Public|"
    r"App=C:\users\me\downloads\acme help.exe|Name=Acme Help|Desc=Acme Help|Defer=User|"
)


def expand(path: str) -> str:
    return path.replace("%USERPROFILE%", r"C:\Users\me")


def test_a_block_rule_for_the_program_is_found_among_others() -> None:
    other = BLOCK.replace("acme help.exe", "other.exe")
    assert blocks([other, "", "v2.31", BLOCK], PROGRAM, expand)
    assert not blocks([other, "", "v2.31"], PROGRAM, expand)
    assert not blocks([], PROGRAM, expand)


@pytest.mark.parametrize(
    ("before", "after", "blocked"),
    [
        (r"C:\users\me\downloads", r"%USERPROFILE%\Downloads", True),
        (r"C:\users\me\downloads", r"C:/Users/me/./Downloads", True),
        ("Action=Block", "action=BLOCK", True),
        ("Protocol=17|", "", True),
        ("Action=Block", "Action=Allow", False),
        ("Active=TRUE", "Active=FALSE", False),
        ("Dir=In", "Dir=Out", False),
        ("Dir=In|", "", False),
        (r"App=C:\users\me\downloads\acme help.exe|", "", False),
        ("App=", "App==", False),
        ("|", "", False),
    ],
)
def test_only_a_rule_in_force_for_what_comes_in_blocks(
    before: str, after: str, blocked: bool
) -> None:
    rule = BLOCK.replace(before, after)
    assert rule != BLOCK
    assert blocks([rule], PROGRAM, expand) is blocked
