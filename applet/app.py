"""The composition root of the applet: brand, settings, phone, window and tray, and their order.

Started: the tray (by `start`), the desk (if the brand's is the embedded one), core and media, the
window. Stopped: the window first, then the phone hangs up and un-registers, then media, desk, tray.
"""

from __future__ import annotations

import threading

from applet import brand as brands
from applet import settings as kept
from applet.address import Address
from applet.audio.sound import Sound
from applet.built import is_test_build
from applet.desk.server import DeskServer
from applet.hints import TYPE_CHECKING
from applet.log import LogFile
from applet.nat.relay_uri import parse_relay
from applet.phone.config import NatConfig, PhoneConfig
from applet.phone.emergency import NUMBERS
from applet.phone.messages import Reason, Register, SelectDevices, SetVolume, Trouble
from applet.phone.phone import Phone
from applet.threads.core import BindError, CoreThread
from applet.threads.entropy import SystemRandom
from applet.threads.media import MediaThread
from applet.threads.sockets import local_ip_for
from applet.ui.dialer import run_dialer
from applet.ui.outside import Outside
from applet.ui.presenter import Presenter
from applet.ui.view import Act, Request
from applet.unexpected import Unexpected
from applet.visitor import request
from applet.windows import credentials, message
from applet.windows.handover import Show
from applet.windows.housekeeping import look_after
from applet.windows.maintenance import keep_program, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from applet.brand import Brand
    from applet.ui.tray import Tray
    from applet.windows.command_line import Run

_STUN_PORT = 3478


_BLOCKED = Trouble(0, Reason.FIREWALL_BLOCKS, "")


def run_or_explain(brand: Brand, start: Run, requests: SimpleQueue[Request], tray: Tray) -> int:
    """The phone until the person quits; whatever goes wrong is in the log and said in one
    sentence. Returns the exit code."""
    log = LogFile(kept.folder(brand.product) / "logs")
    unexpected = Unexpected(log, lambda trace: requests.put(Request(Act.FAILED, trace)))
    unexpected.watch()
    if not isinstance(start.order, Show):
        requests.put(request(start.order))
    desk = _embedded_desk(brand)
    try:
        uri = f"sip:desk@{desk.start()}" if desk else brand.support.uri
        outside = Outside(requests, unexpected.caught, _keeper(brand, requests))
        return _run(_with_own_account(brand, unexpected), uri, log, outside, tray, start.background)
    except BindError as error:
        message.tell(brand.product, f"{error}.")
        return 2
    except Exception as error:
        unexpected.caught("program", error)
        message.offer_log(brand.product, log.newest())
        return 1
    finally:
        if desk is not None:
            desk.stop()


def _run(
    brand: Brand, desk_uri: str, log: LogFile, outside: Outside, tray: Tray, background: bool
) -> int:
    folder = kept.folder(brand.product)
    settings, put_aside = kept.load(folder)
    sound = Sound(settings.microphone, settings.speaker)
    system = SystemRandom()
    bind = Address("0.0.0.0", brand.incoming.port if brand.incoming.enabled else 0)
    media = MediaThread(sound.device, system, bind_host=bind.host, levels=True, sound=sound)
    phone = Phone(phone_config(brand, desk_uri), system, local_ip_for(bind.host))
    can_be_called = brand.incoming.enabled or bool(brand.account.registrar)
    core = CoreThread(
        phone,
        media,
        bind,
        next_free_port=True,
        bind_late=not (can_be_called or _has_helpers(brand)),
        log=lambda event: log.write(event.line, event.detail, event.age),
    )
    core.start()
    try:
        core.submit(SelectDevices(settings.microphone, settings.speaker))
        core.submit(SetVolume(settings.microphone_db, settings.speaker_db))
        if brand.account.registrar:
            core.submit(Register())
        damaged = put_aside.name if put_aside else ""
        presenter = Presenter(brand, settings, damaged, is_test_build(), not background)
        look_after(
            brand,
            program(),
            can_be_kept=lambda: outside.requests.put(Request(Act.OFFER_KEEP)),
            is_blocked=lambda: core.events.put(_BLOCKED) if can_be_called else None,
            failed=outside.failed,
        )
        run_dialer(presenter, core.submit, core.events, folder, outside=outside, tray=tray)
    finally:
        core.stop()
    return 0


def _with_own_account(brand: Brand, unexpected: Unexpected) -> Brand:
    """The account that was entered on this machine, in place of the brand's."""
    try:
        own = credentials.load(brand.product)
    except OSError as error:
        unexpected.caught("credential store", error)
        return brand
    if own is None:
        return brand
    return brand._replace(account=brand.account._replace(user=own.user, password=own.password))


def _keeper(brand: Brand, requests: SimpleQueue[Request]) -> Callable[[bool], None]:
    """Copying the program takes a while: not on the window's thread."""

    def keep(autostart: bool) -> None:
        why = keep_program(brand, autostart)
        requests.put(Request(Act.NOT_KEPT, why) if why else Request(Act.KEPT))

    def start(autostart: bool) -> None:
        threading.Thread(target=keep, args=(autostart,), name="keep", daemon=True).start()

    return start


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
        auto_answer=brand.incoming.auto_answer,
        strangers_per_minute=6,
        other_addresses=brand.dialling.other_addresses,
        emergency_allowed=brand.dialling.emergency,
        emergency_numbers=NUMBERS + brand.dialling.emergency_numbers,
        nat=_nat(brand),
    )


def _has_helpers(brand: Brand) -> bool:
    """Servers that are asked about the network at the start, so that the first click finds the
    way known."""
    return bool(brand.network.stun or brand.network.turn or brand.network.credentials_url)


def _nat(brand: Brand) -> NatConfig:
    stun = tuple(_server(text) for text in brand.network.stun)
    relays = parse_relay(brand.network.turn) if brand.network.turn else ()
    return NatConfig("auto", stun, relays, True, brand.network.credentials_url)


def _embedded_desk(brand: Brand) -> DeskServer | None:
    if brand.support.uri != brands.EMBEDDED_DESK:
        return None
    return DeskServer(Address("127.0.0.1", 0), lambda text: None)


def _server(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or host.endswith(":"):
        return Address(text, _STUN_PORT)
    return Address(host.strip("[]"), int(port))
