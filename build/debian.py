"""Which Debian packages are needed, and installing the missing ones when that is allowed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

# Debian splits its own Python; any other Python brings these parts along.
PYTHON = ("python3-venv", "python3-tk", "python3-dev")
# PyAudio is compiled when it is installed: there is no wheel for Linux.
SOUND = ("build-essential", "portaudio19-dev")
TRAY = ("python3-gi", "gir1.2-gtk-3.0", "gir1.2-ayatanaappindicator3-0.1")
# For building the Windows program here, and for running it.
WINDOWS = ("wine", "wine64", "gcc-mingw-w64-x86-64", "tcl8.6", "tk8.6")
TESTS = (
    *("xvfb", "openbox", "tint2", "xdotool", "wmctrl", "imagemagick", "xauth"),
    *("x11-utils", "x11-xserver-utils", "fonts-dejavu-core", "dbus", "dbus-x11"),
    *("pulseaudio", "pulseaudio-utils", "libasound2-plugins", "alsa-utils", "sox", "espeak-ng"),
    *("baresip-core", "baresip", "sip-tester", "linphone-cli", "kamailio", "kamailio-tls-modules"),
    *("iproute2", "nftables", "iptables", "conntrack", "ethtool", "tcpdump"),
    *("coturn", "miniupnpd", "miniupnpd-nftables"),
    *WINDOWS,
    *("osslsigncode", "openssl", "faketime"),
)

# Servers among the packages (PulseAudio, D-Bus) must not start by themselves: while policy-rc.d
# says 101, no package starts a service. One that was there before is left alone.
INSTALL = """
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\\nexit 101\\n' > $policy
    chmod 755 $policy
fi
install() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=500 \\
        install -y --no-install-recommends "$@" </dev/null
}
install "$@" >/dev/null 2>&1 || { apt-get -qq update && install "$@"; }
"""


def needed(*, tests: bool) -> tuple[str, ...]:
    """The packages for running (and for testing) with the interpreter that runs this."""
    python = PYTHON if sys.base_prefix == "/usr" else ()
    has_screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return python + SOUND + (TRAY if tests or has_screen else ()) + (TESTS if tests else ())


def missing(packages: Iterable[str]) -> list[str]:
    """Those of `packages` that dpkg does not know as installed; none where there is no dpkg."""
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        return []
    wanted = list(packages)
    known = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *wanted],
        capture_output=True,
        text=True,
        check=False,  # it fails when it has never heard of one of them
    ).stdout
    installed = {line.split()[0] for line in known.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in installed]


def root_prefix() -> list[str] | None:
    """What to put before a command so that it runs as root; None when we may not."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if (
        shutil.which("sudo")
        and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0
    ):
        return sudo
    return None


def provide(packages: Iterable[str]) -> list[str]:
    """Install what is missing, or say how; return what is still missing."""
    absent = missing(packages)
    if not absent:
        return []
    by_hand = f"sudo apt-get install -y --no-install-recommends {' '.join(absent)}"
    prefix = root_prefix()
    if prefix is None:
        print(f"Debian packages are missing; install them with:\n  {by_hand}", flush=True)
        return absent
    print(f"Installing Debian packages: {' '.join(absent)}", flush=True)
    done = subprocess.run(
        [*prefix, "sh", "-c", INSTALL, "install", *absent],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-20:]), file=sys.stderr)
        print(f"apt could not install them. Try it by hand:\n  {by_hand}", file=sys.stderr)
    return missing(absent)
