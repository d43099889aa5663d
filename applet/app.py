"""The composition root of the applet: brand, settings, phone, window and tray, and their order.

Started: desk (if the brand's is the embedded one), core and media, tray, window. Stopped: the
window first, then the phone hangs up and un-registers, then media, tray and desk.
"""

import random
import sys
from pathlib import Path

from applet import brand as brands
from applet import settings as kept
from applet.address import Address
from applet.audio.sound import Sound
from applet.brand import Brand, BrandError
from applet.built import is_test_build
from applet.desk.server import DeskServer
from applet.log import LogFile
from applet.phone.config import PhoneConfig
from applet.phone.emergency import NUMBERS
from applet.phone.messages import Register, SelectDevices, SetVolume
from applet.phone.phone import Phone
from applet.threads.core import BindError, CoreThread
from applet.threads.media import MediaThread
from applet.threads.sockets import local_ip_for
from applet.ui.dialer import run_dialer
from applet.ui.presenter import Presenter

_STUN_PORT = 3478


def run_app(brand_file: str = "") -> int:
    """The whole phone until the person quits; `brand_file` in place of the built-in brand.
    Returns the exit code."""
    try:
        brand = brands.load(Path(brand_file) if brand_file else brands.BRAND_FILE)
    except BrandError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    desk = _embedded_desk(brand)
    try:
        return _run(brand, f"sip:desk@{desk.start()}" if desk else brand.support.uri)
    except BindError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        if desk is not None:
            desk.stop()


def _run(brand: Brand, desk_uri: str) -> int:
    folder = kept.folder(brand.product)
    settings, put_aside = kept.load(folder)
    sound = Sound(settings.microphone, settings.speaker)
    system = random.SystemRandom()
    bind = Address("0.0.0.0", brand.incoming.port if brand.incoming.enabled else 0)
    media = MediaThread(sound.device, system, bind_host=bind.host, levels=True, sound=sound)
    phone = Phone(phone_config(brand, desk_uri), system, local_ip_for(bind.host))
    stun = tuple(_server(text) for text in brand.network.stun)
    log = LogFile(folder / "logs")
    core = CoreThread(
        phone,
        media,
        bind,
        next_free_port=True,
        bind_late=not (brand.incoming.enabled or brand.account.registrar or stun),
        stun_servers=stun,
        log=lambda event: log.write(event.line, event.detail),
    )
    core.start()
    try:
        core.submit(SelectDevices(settings.microphone, settings.speaker))
        core.submit(SetVolume(settings.microphone_db, settings.speaker_db))
        if brand.account.registrar:
            core.submit(Register())
        presenter = Presenter(brand, settings, put_aside.name if put_aside else "", is_test_build())
        run_dialer(presenter, core.submit, core.events, folder)
    finally:
        core.stop()
    return 0


def phone_config(brand: Brand, desk_uri: str) -> PhoneConfig:
    """What the brand file means for the phone; `desk_uri` is whom the button calls."""
    account = brand.account
    home = account.registrar or account.proxy
    host = home.partition(":")[2].partition(";")[0].rpartition("@")[2]
    return PhoneConfig(
        user_agent=f"{brand.product}/{brand.version}",
        display_name=brand.product,
        identity=f"sip:{account.user}@{host}" if account.user and host else "",
        user=account.user,
        password=account.password,
        sha256_only=account.sha256_only,
        registrar=account.registrar,
        proxy=account.proxy,
        desk=desk_uri,
        codecs=tuple(name.upper() for name in brand.codecs),
        incoming=brand.incoming.enabled or bool(account.registrar),
        strangers_per_minute=6,
        other_addresses=brand.dialling.other_addresses,
        emergency_allowed=brand.dialling.emergency,
        emergency_numbers=NUMBERS + brand.dialling.emergency_numbers,
    )


def _embedded_desk(brand: Brand) -> DeskServer | None:
    if brand.support.uri != brands.EMBEDDED_DESK:
        return None
    return DeskServer(Address("127.0.0.1", 0), lambda text: None)


def _server(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or host.endswith(":"):
        return Address(text, _STUN_PORT)
    return Address(host.strip("[]"), int(port))
