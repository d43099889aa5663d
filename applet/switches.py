"""The switches that do not start the phone."""

from __future__ import annotations

from applet import brand as brands
from applet.brand import BrandError
from applet.windows import maintenance, message
from applet.windows.command_line import Install, SelfTest, SetPassword, Uninstall


def obey(start: Install | Uninstall | SelfTest | SetPassword) -> int:
    """Returns the exit code."""
    try:
        brand = brands.load()
    except BrandError as error:
        message.tell("", str(error))
        return maintenance.WRONG
    match start:
        case Install(quiet):
            return maintenance.install(brand, quiet)
        case Uninstall(quiet):
            return maintenance.uninstall(brand, quiet)
        case SetPassword(user):
            return maintenance.set_password(brand, user)
        case SelfTest(report):
            from applet.selftest import self_test

            return self_test(brand, report)
