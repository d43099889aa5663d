"""What talks to Windows itself, really run under Wine: the channel, the registry, the Start menu,
the credential store, the user's folders."""

import pytest

import wine
import wine_python
from tests.support.process import ROOT

pytestmark = [pytest.mark.wine, pytest.mark.timeout(240)]


def run(script: str) -> list[str]:
    """The lines that `script` prints on Windows; it fails the test if it fails there."""
    python = wine_python.provide() / "python.exe"
    more = {"PYTHONPATH": wine.windows_path(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = wine.run(python, "-c", script, more=more)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


CHANNEL = """
import ctypes, threading, time
from queue import SimpleQueue
from applet.windows import channel, channel_win32 as win
from applet.windows.handover import CallDesk, Leave, OpenLink, Show
taken = SimpleQueue()
name = "Ünser Phone"
held = channel.claim(name, taken.put)
assert held is not None and channel.claim(name, taken.put) is None
assert not channel.send("Another", Show())
orders = [Show(), OpenLink('sip:"a b" -x@example.com'), CallDesk()]
for order in orders:
    assert channel.send(name, order)
    assert taken.get(timeout=5) == order
pipe = win._name(name)
win._write(pipe, b"x" * 65536)
win._write(pipe, b"nonsense")
win._write(pipe, b"show\\nleave\\n")
silent = win._open(pipe)                      # somebody who never says anything
assert channel.send(name, Leave())
assert taken.get(timeout=5) == Leave()
size = ctypes.c_ulong()
advapi = win._advapi
advapi.GetKernelObjectSecurity.argtypes = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p,
                                           ctypes.c_ulong, ctypes.c_void_p)
advapi.GetKernelObjectSecurity(held._pipe, 4, None, 0, ctypes.byref(size))
descriptor = ctypes.create_string_buffer(size.value)
assert advapi.GetKernelObjectSecurity(held._pipe, 4, descriptor, size, ctypes.byref(size))
text = ctypes.c_wchar_p()
assert advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
    descriptor, 1, 4, ctypes.byref(text), None)
print(text.value, win._sid(2))
silent = win._open(pipe)
began = time.monotonic()
held.close()
assert time.monotonic() - began < 1.5
assert taken.empty()
win._kernel.CloseHandle(silent)
assert not channel.send(name, Show())
again = channel.claim(name, taken.put)
assert again is not None
again.close()
assert not [t for t in threading.enumerate() if t.name == "channel"]
print("good")
"""


GONE_AT_ONCE = """
from queue import SimpleQueue
from applet.windows import channel_win32 as win
from applet.windows.handover import CallDesk, Show, line
taken = SimpleQueue()
name = win._name("Hasty")
pipe = win._create(name)
assert win._write(name, line(CallDesk()))   # it has left before anybody waits for it
held = win.PipeChannel(name, pipe, taken.put)
assert taken.get(timeout=5) == CallDesk()
assert win._write(name, line(Show()))
assert taken.get(timeout=5) == Show()
held.close()
pipe = win._create(name)
win._kernel.CloseHandle(win._open(name))    # it says nothing either
held = win.PipeChannel(name, pipe, taken.put)
assert win._write(name, line(Show()))
assert taken.get(timeout=5) == Show()
held.close()
print("good")
"""


def test_a_second_start_that_is_over_before_the_first_listens_is_heard_all_the_same() -> None:
    assert run(GONE_AT_ONCE)[-1] == "good"


def test_the_channel_takes_orders_of_this_log_on_alone() -> None:
    *_, rights, good = run(CHANNEL)
    descriptor, log_on = rights.split()
    assert log_on.startswith("S-1-5-5-")
    assert descriptor.count("(") == 1
    assert descriptor.endswith(f";;;{log_on})")
    assert good == "good"


KEPT = """
import shutil, sys, time
from pathlib import Path
from applet import brand as brands
from applet.windows import folders, installation, installer, registry
brand = brands.load()
brand = brand._replace(product="Täst & 100 (x) ^!",
                       dialling=brand.dialling._replace(links=True))
download = Path("C:/users/Public/download.exe")
shutil.copyfile(sys.executable, download)
other = installation.Value("Software\\\\Classes\\\\tel\\\\shell\\\\open\\\\command", "", "other")
registry.write(other)
assert not installer.is_kept(brand, download)
target = installer.install(brand, download, autostart=True)
plan = installation.plan(brand, folders.places())
assert target.read_bytes() == download.read_bytes() and Path(plan.shortcut).exists()
assert installer.is_kept(brand, download) and installer.is_kept(brand, target)
assert not installer.is_kept(brand._replace(version="9.9"), download)
for value in plan.values[:7]:
    assert registry.read(value.key, value.name) == value.data, value
assert registry.read(*plan.autostart[:2]) == plan.autostart.data
sip, tel = plan.claims
assert registry.read(*sip.command[:2]) == sip.command.data
assert registry.read(*tel.command[:2]) == "other"        # it is left to whom it belongs
installer.install(brand, download)
assert registry.read(*plan.autostart[:2]) == plan.autostart.data
installer.uninstall(brand, download)
assert registry.read(*tel.command[:2]) == "other"
assert registry.read(sip.key, "") is None
assert not any(registry.read(value.key, value.name) for value in plan.values)
assert registry.read(*plan.autostart[:2]) is None
assert not target.parent.exists() and not Path(plan.shortcut).exists()
registry._delete_tree("Software\\\\Classes\\\\tel")
download.unlink()
target.parent.mkdir(parents=True)
target.write_bytes(b"x")
in_use = target.open("rb")
installer.remove_when_ended(target)
time.sleep(2)  # time for attempts in vain
assert target.exists()
print("good")
"""
GONE = """
import time
from pathlib import Path
from applet.windows import folders
folder = Path(folders.places().programs) / "Täst & 100 (x) ^!"
for _ in range(100):
    if not folder.exists():
        print("good")
        break
    time.sleep(0.2)
"""


def test_a_kept_program_is_entered_everywhere_and_removed_from_everywhere() -> None:
    assert run(KEPT)[-1] == "good"
    assert run(GONE)[-1] == "good"


OTHERS_LINKS = """
import winreg
from applet import brand as brands
from applet.windows import folders, installation, registry
brand = brands.load()
plan = installation.plan(brand._replace(dialling=brand.dialling._replace(links=True)),
                         folders.places())
sip, tel = plan.claims
machine = winreg.HKEY_LOCAL_MACHINE
levels = ("\\shell\\open\\command", "\\shell\\open", "\\shell", "")
with winreg.CreateKey(machine, sip.command.key) as key:   # a phone for all users of the machine
    winreg.SetValueEx(key, "DelegateExecute", 0, winreg.REG_SZ, "{1}")
try:
    registry.apply(plan, None)
    assert registry.read(*sip.command[:2]) is None and registry.read(sip.key, "") is None
    assert registry.read(*tel.command[:2]) == tel.command.data
finally:
    for level in levels:
        winreg.DeleteKey(machine, sip.key + level)
registry.apply(plan, None)
assert registry.read(*sip.command[:2]) == sip.command.data
theirs = [installation.Value(sip.key, "Theirs", 1),
          installation.Value(sip.key + "\\shell\\dial\\command", "", "other"),
          installation.Value(tel.key + "\\DefaultIcon", "", "other")]
for value in theirs:
    registry.write(value)
registry.remove(plan)
for value in theirs:
    assert registry.read(value.key, value.name) == value.data, value
for claim in (sip, tel):
    assert registry.read(*claim.command[:2]) is None
    assert registry.read(claim.key, "URL Protocol") is None
with winreg.OpenKey(winreg.HKEY_CURRENT_USER, tel.key) as key:
    assert winreg.QueryInfoKey(key)[:2] == (1, 0)     # DefaultIcon alone
with winreg.OpenKey(winreg.HKEY_CURRENT_USER, sip.key + "\\shell") as key:
    assert winreg.QueryInfoKey(key)[:2] == (1, 0)     # dial alone
for key in (sip.key, tel.key):
    registry._delete_tree(key)
print("good")
"""


def test_links_stay_with_whoever_has_them_and_so_does_what_others_added() -> None:
    assert run(OTHERS_LINKS)[-1] == "good"


SECRETS = """
from applet.windows import credentials as c
product = "Test product"
assert c.load(product) is None
c.forget(product)
for password in ("x", "päss wörd 𝄞", "p" * c.LONGEST_PASSWORD):
    c.save(product, c.Credential("gäst", password))
    assert c.load(product) == ("gäst", password)
assert "ppp" not in repr(c.load(product))
assert not c.fits("") and not c.fits("p" * 1281) and not c.fits("𝄞" * 641)
c.forget(product)
assert c.load(product) is None
print("good")
"""


def test_a_password_is_kept_by_windows() -> None:
    assert run(SECRETS)[-1] == "good"


LEFT_OVER = """
import tempfile
from pathlib import Path
from applet.windows import firewall, leftovers
base = Path(tempfile.mkdtemp())
folders = [base / name for name in ("_MEI1", "_MEI2", "_MEI3")]
for folder in folders:
    (folder / "applet").mkdir(parents=True)
    (folder / "applet/brand.toml").write_text('product = "Acme"')
running = [leftovers.mark_running(folder) for folder in folders]
running[2].close()
assert leftovers.clear(folders[0], folders[0] / "applet/brand.toml", "Acme") == 1
assert [folder.exists() for folder in folders] == [True, True, False]
assert firewall.is_blocked("C:\\\\x.exe") is False
print("good")
"""


def test_a_folder_in_use_is_not_left_over() -> None:
    assert run(LEFT_OVER)[-1] == "good"
