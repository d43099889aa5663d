"""Network namespaces that end with the run, and a thread's visits to them.

A socket or a program belongs for ever to the namespace in which it was opened. So the far end and
its tones run inside the test itself: only the opening happens `inside`.
"""

import ctypes
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMED = Path("/run/netns")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_PREFIX = re.compile(r"t(\d+)[a-z]+-")


class NoNamespacesError(RuntimeError):
    """This machine does not let us make network namespaces; `str()` says why."""


def must_be_possible() -> None:
    """Raises NoNamespacesError with a plain sentence."""
    if os.geteuid() != 0:
        raise NoNamespacesError("network namespaces need root; run the tests as root or with sudo")
    name = f"t{os.getpid()}probe-x"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        raise NoNamespacesError(f"network namespaces are impossible here: {made.stderr.strip()}")
    subprocess.run(["ip", "netns", "del", name], check=True)


def remove_orphans() -> None:
    """Namespaces of runs that were killed."""
    for path in NAMED.glob("t*-*") if NAMED.exists() else ():
        of_run = _PREFIX.match(path.name)
        if of_run and not Path("/proc", of_run[1]).exists():
            subprocess.run(["ip", "netns", "del", path.name], capture_output=True)


def add(name: str) -> None:
    """A namespace without IPv6 in which nothing checks where a packet comes from."""
    run("ip", "netns", "add", name)
    with inside(name):
        run("ip", "link", "set", "lo", "up")
        for key in ("all/disable_ipv6", "default/disable_ipv6"):
            Path("/proc/sys/net/ipv6/conf", key).write_text("1")
        for key in ("all/rp_filter", "default/rp_filter"):
            Path("/proc/sys/net/ipv4/conf", key).write_text("0")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def delete(name: str) -> None:
    subprocess.run(["ip", "netns", "del", name], capture_output=True)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """This thread, and what it starts, stand in the namespace."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(NAMED / name, os.O_RDONLY)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(here)
    finally:
        os.close(here)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns failed")


def run(*command: str, text: str = "") -> str:
    """What `command` said; its standard input is `text`. Raises RuntimeError with its errors."""
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}\n{text}")
    return done.stdout


def run_in(name: str, *command: str, text: str = "") -> str:
    with inside(name):
        return run(*command, text=text)


def opened(name: str, kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    """A socket of that namespace, bound."""
    with inside(name):
        sock = socket.socket(socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock
