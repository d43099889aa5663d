"""A tray for one icon that has its place and size before it is taken in, and never moves.

    python -m tests.support.still_tray

Wine believes the last event about an icon, whatever it speaks of: panels that arrange what they
have taken in make it look for clicks where the icon is not. The protocols are System Tray and
XEMBED of freedesktop.org.
"""

from Xlib import X, Xatom, display
from Xlib.protocol import event
from Xlib.xobject.drawable import Window

SIDE = 24  # pixels of the tray, and of the icon
_REQUEST_DOCK = 0
_EMBEDDED_NOTIFY, _XEMBED_VERSION = 0, 0


def main() -> None:
    screen = display.Display()
    root = screen.screen().root
    selection = screen.intern_atom(f"_NET_SYSTEM_TRAY_S{screen.get_default_screen()}")
    opcode = screen.intern_atom("_NET_SYSTEM_TRAY_OPCODE")
    corner = root.get_geometry()
    tray = root.create_window(
        corner.width - SIDE,
        corner.height - SIDE,
        SIDE,
        SIDE,
        0,
        X.CopyFromParent,
        background_pixel=screen.screen().black_pixel,
        override_redirect=True,
    )
    tray.change_property(Xatom.WM_NAME, Xatom.STRING, 8, b"still tray")
    tray.map()
    tray.set_selection_owner(selection, X.CurrentTime)
    manager = screen.intern_atom("MANAGER")
    _tell(root, root, manager, (X.CurrentTime, selection, tray.id), X.StructureNotifyMask)
    screen.flush()
    while True:
        came = screen.next_event()
        if came.type == X.ClientMessage and came.client_type == opcode:
            what, icon = came.data[1][1:3]
            if what == _REQUEST_DOCK:
                _take_in(screen, screen.create_resource_object("window", icon), tray)


def _take_in(screen: display.Display, icon: Window, tray: Window) -> None:
    icon.configure(width=SIDE, height=SIDE)
    icon.reparent(tray, 0, 0)
    icon.map()
    embedded = (X.CurrentTime, _EMBEDDED_NOTIFY, 0, tray.id, _XEMBED_VERSION)
    _tell(icon, icon, screen.intern_atom("_XEMBED"), embedded, X.NoEventMask)
    screen.flush()


def _tell(to: Window, about: Window, kind: int, numbers: tuple[int, ...], mask: int) -> None:
    data = (32, [*numbers, *[0] * (5 - len(numbers))])
    to.send_event(event.ClientMessage(window=about, client_type=kind, data=data), event_mask=mask)


if __name__ == "__main__":
    main()
