"""The switches of the program, as values.

`"program" --uri "%1"` is what the registry runs for a followed link, and Windows puts the link in
as it is, quotes and all: so everything behind `--uri` is the link, and none of it is a switch.
"""

from __future__ import annotations

from applet.value import NamedTuple
from applet.windows.handover import CallDesk, Order, Show, link


class Run(NamedTuple):
    """`order`: what to do first, in the running program if there is one. `background`: without
    the window. `brand_file`: in place of the built-in one, empty for that."""

    order: Order = Show()
    background: bool = False
    brand_file: str = ""


class Install(NamedTuple):
    quiet: bool


class Uninstall(NamedTuple):
    quiet: bool


class SelfTest(NamedTuple):
    report: str


class SetPassword(NamedTuple):
    """The password comes on standard input: a command line can be read by others."""

    user: str


class Wrong(NamedTuple):
    """`why`: one plain sentence."""

    why: str


Start = Run | Install | Uninstall | SelfTest | SetPassword | Wrong

USAGE = """\
(nothing)                     the phone: its window and its icon
--background                  the phone without its window
--call                        call the support desk, in the running phone if there is one
--uri ADDRESS                 open a sip: or tel: link; everything behind --uri is the link
--brand FILE                  another brand file than the built-in one
--set-password USER           keep an account; its password is read from standard input
--selftest --report FILE      try everything out and write down what works, as JSON
/install, /uninstall          keep the program on this computer, or remove it (Windows);
                              /quiet asks and shows nothing, the exit code tells: 0 done,
                              1 failed, 2 wrong switches, 3 the running program does not end
"""


def parse(arguments: list[str]) -> Start:
    """Never raises: what cannot be understood is `Wrong`."""
    match arguments:
        case []:
            return Run()
        case ["--uri", *rest]:
            return Run(link(" ".join(rest)))
        case ["--call"]:
            return Run(CallDesk())
        case ["--background"]:
            return Run(background=True)
        case ["--brand", file] if file:
            return Run(brand_file=file)
        case ["--selftest", "--report", file] if file:
            return SelfTest(file)
        case ["--set-password", user] if user:
            return SetPassword(user)
    words = [word.lower() for word in arguments]
    quiet = "/quiet" in words
    match [word for word in words if word != "/quiet"]:
        case ["/install"]:
            return Install(quiet)
        case ["/uninstall"]:
            return Uninstall(quiet)
    return Wrong(f"These switches are not known: {' '.join(arguments)[:200]}")
