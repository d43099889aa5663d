"""Command lines become values, and a link never becomes a switch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applet.windows.command_line import (
    Install,
    Run,
    SelfTest,
    SetPassword,
    Start,
    Uninstall,
    Wrong,
    parse,
)
from applet.windows.handover import LONGEST_ADDRESS, CallDesk, OpenLink, Show


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ([], Run(Show())),
        (["--call"], Run(CallDesk())),
        (["--background"], Run(background=True)),
        (["--brand", "a.toml"], Run(brand_file="a.toml")),
        (["--uri", "sip:desk@example.com"], Run(OpenLink("sip:desk@example.com"))),
        (["/install"], Install(quiet=False)),
        (["/INSTALL", "/Quiet"], Install(quiet=True)),
        (["/quiet", "/uninstall"], Uninstall(quiet=True)),
        (["/uninstall"], Uninstall(quiet=False)),
        (["--selftest", "--report", "r.json"], SelfTest("r.json")),
        (["--set-password", "guest"], SetPassword("guest")),
    ],
)
def test_every_switch_is_understood(words: list[str], start: Start) -> None:
    assert parse(words) == start
    assert type(parse(words)) is type(start)


@pytest.mark.parametrize(
    "words",
    [
        ["/quiet"],
        ["/install", "/uninstall"],
        ["/install", "x"],
        ["--call", "sip:x@y"],
        ["--brand"],
        ["--brand", ""],
        ["--selftest"],
        ["--selftest", "--report"],
        ["--set-password"],
        ["sip:x@y"],
        ["-psn_0_1"],
        [""],
    ],
)
def test_anything_else_is_refused_in_words(words: list[str]) -> None:
    wrong = parse(words)
    assert isinstance(wrong, Wrong)
    assert wrong.why.startswith("These switches are not known")
    assert len(wrong.why) < 300


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (['sip:a"b@example.com'], 'sip:a"b@example.com'),
        (["sip:a@example.com", "/uninstall", "/quiet"], "sip:a@example.com /uninstall /quiet"),
        (["sip:a b@example.com"], "sip:a b@example.com"),
        (["-x"], "-x"),
        (["--call"], "--call"),
        (["/install"], "/install"),
        (["--uri", "sip:x@y"], "--uri sip:x@y"),
        ([], ""),
        (["sip:" + "a" * 65536], ""),
        (["sip:a\nleave"], ""),
        (["sip:a\x00b"], ""),
        (["sip:" + "a" * (LONGEST_ADDRESS - 4)], "sip:" + "a" * (LONGEST_ADDRESS - 4)),
        (["sip:" + "a" * (LONGEST_ADDRESS - 3)], ""),
    ],
)
def test_everything_behind_uri_is_the_link(words: list[str], address: str) -> None:
    assert parse(["--uri", *words]) == Run(OpenLink(address))


@given(st.lists(st.text()))
def test_whatever_is_behind_uri_is_never_a_switch(words: list[str]) -> None:
    start = parse(["--uri", *words])
    assert isinstance(start, Run)
    assert isinstance(start.order, OpenLink)
    assert (start.background, start.brand_file) == (False, "")
