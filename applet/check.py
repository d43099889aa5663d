"""`python -m applet check [URI] [options]`: looks at the network, tries the sound out, and tells
what was found, what it means and which way a call would go. Nobody is called."""

from __future__ import annotations

import json
import sys
import time
from queue import Empty

from applet import brand as brands
from applet.address import Address
from applet.app import phone_config
from applet.audio.file import NullDevice
from applet.audio.sound import Sound
from applet.headless.options import parse_options
from applet.hints import TYPE_CHECKING
from applet.phone.messages import (
    CheckNetwork,
    DevicesListed,
    Event,
    ListDevices,
    NetworkChecked,
    Quit,
    SoundTried,
    TrySound,
)
from applet.phone.phone import Phone
from applet.threads.core import BindError, CoreThread
from applet.threads.entropy import SystemRandom
from applet.threads.helpers import Helpers
from applet.threads.media import MediaThread
from applet.threads.sockets import local_ip_for
from applet.threads.tls_files import NO_FILES, TlsFiles
from applet.ui.sound_report import Row, heard_and_played, sound_rows
from applet.ui.strings import Speaker
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.brand import Brand
    from applet.phone.config import PhoneConfig

PATIENCE = 7.0
"""Seconds until the report is given with what is known by then; UPnP alone may take four."""
ASK_EVERY = 0.5


def run_check(arguments: list[str]) -> int:
    """The exit code: 0 when the report could be made, 2 for a wrong option. Without options those
    of the brand file count, else they are those of `headless`; `--json` prints one JSON object."""
    as_json = "--json" in arguments
    rest = [word for word in arguments if word != "--json"]
    uri = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    try:
        brand = brands.load(brands.BRAND_FILE)
        seen = _look(_subject(brand, rest, uri))
    except (ValueError, BindError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    word = Speaker(brand).word
    sound = sound_rows(word, seen.devices, *heard_and_played(word, seen.sound))
    rows = (*seen.network.findings, *sound)
    sys.stdout.write(_as_json(rows, seen.network.complete) if as_json else _as_text(rows))
    return 0


class _Subject(NamedTuple):
    """What is looked at, and how."""

    phone: PhoneConfig
    bind: Address = Address("0.0.0.0", 0)
    name_server: Address | None = None
    tls_files: TlsFiles = NO_FILES


class _Seen(NamedTuple):
    network: NetworkChecked = NetworkChecked(False, ())
    devices: DevicesListed = DevicesListed((), (), "", "")
    sound: SoundTried = SoundTried(None, False)


def _subject(brand: Brand, arguments: list[str], uri: str) -> _Subject:
    """Raises ValueError (OptionError is one)."""
    if arguments:
        options = parse_options(arguments)
        phone = options.phone._replace(desk=options.phone.desk or uri)
        return _Subject(phone, options.bind, options.name_server, options.tls_files)
    home = "" if brand.support.uri == brands.EMBEDDED_DESK else brand.support.uri
    return _Subject(phone_config(brand, uri or home))


def _look(options: _Subject) -> _Seen:
    system = SystemRandom()
    media = MediaThread(
        lambda call: NullDevice(),
        system,
        bind_host=options.bind.host,
        sound=Sound("", ""),
        helpers=Helpers(options.tls_files.ca),
    )
    phone = Phone(options.phone, system, local_ip_for(options.bind.host))
    core = CoreThread(
        phone,
        media,
        options.bind,
        name_server=options.name_server,
        tls_files=options.tls_files,
    )
    core.start()
    try:
        core.submit(ListDevices())
        core.submit(TrySound())
        return _wait(core)
    finally:
        core.submit(Quit())
        core.stop()


def _wait(core: CoreThread) -> _Seen:
    seen = _Seen()
    tried = False
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not (tried and seen.network.complete):
        core.submit(CheckNetwork())
        for event in _events(core, ASK_EVERY):
            match event:
                case NetworkChecked():
                    seen = seen._replace(network=event)
                case DevicesListed():
                    seen = seen._replace(devices=event)
                case SoundTried():
                    seen, tried = seen._replace(sound=event), True
    return seen


def _events(core: CoreThread, seconds: float) -> list[Event]:
    """What is told within so many seconds."""
    events: list[Event] = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            events.append(core.events.get(timeout=left))
        except Empty:
            break
    return events


def _as_text(rows: tuple[Row, ...]) -> str:
    width = max(len(name) for name, _, _ in rows)
    lines = []
    for name, what, meaning in rows:
        lines.append(f"{name:{width}}  {what}")
        if meaning:
            lines.append(f"{'':{width}}  {meaning}")
    return "\n".join(lines) + "\n"


def _as_json(rows: tuple[Row, ...], complete: bool) -> str:
    report = [dict(zip(("name", "found", "meaning"), row, strict=True)) for row in rows]
    return json.dumps({"complete": complete, "report": report}, ensure_ascii=False) + "\n"
