"""Colours, fonts and sizes of the window, for this screen and this person's system settings."""

from __future__ import annotations

import sys
import tkinter as tk
from tkinter import font, ttk

from applet.hints import TYPE_CHECKING
from applet.ui.view import Tone
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.brand import Brand


class Palette(NamedTuple):
    """Tk colour names. `track` is the empty part of a meter, `resting` a button not pressed in,
    `off` one that cannot be used now."""

    ground: str
    ink: str
    faint: str
    track: str
    resting: str
    off: str
    off_ink: str
    accent: str
    call: str
    hang_up: str
    good: str
    waiting: str
    bad: str
    note_ground: str
    on_colour: str = "white"


LIGHT = Palette(
    ground="#fafafa", ink="#1b1b1f", faint="#5b5d66", track="#e3e4e8", resting="#e6e8ed",
    off="#eff0f2", off_ink="#a9abb3", accent="", call="", hang_up="",
    good="#15803d", waiting="#a64b08", bad="#b91c1c", note_ground="#fdecd2",
)  # fmt: skip
DARK = Palette(
    ground="#1c1c1c", ink="#f4f4f6", faint="#a9abb3", track="#34363c", resting="#3a3d44",
    off="#26272b", off_ink="#5e616a", accent="", call="", hang_up="",
    good="#4ade80", waiting="#fbbf24", bad="#f87171", note_ground="#46341a",
)  # fmt: skip
# The system's own colours, which is what high contrast is about.
CONTRAST = Palette(
    ground="SystemWindow", ink="SystemWindowText", faint="SystemWindowText",
    track="SystemWindow", resting="SystemButtonFace", off="SystemWindow",
    off_ink="SystemDisabledText", accent="SystemHighlight", call="SystemHighlight",
    hang_up="SystemHighlight", good="SystemWindowText", waiting="SystemWindowText",
    bad="SystemWindowText", note_ground="SystemWindow", on_colour="SystemHighlightText",
)  # fmt: skip

_TALLEST = 650  # pixels at 96 dots per inch: the window with a note, its frame, the task bar
_FAMILIES = ("Segoe UI", "Inter", "Noto Sans", "Cantarell", "Ubuntu", "DejaVu Sans")
_POINTS = {"title": 15, "text": 11, "small": 10, "label": 9, "timer": 24, "default_entry": 10}
_BOLD = ("title", "default_entry")
_SUN_VALLEY_FONTS = {"Caption": 9, "Body": 10, "BodyStrong": 10, "BodyLarge": 13}


class Theme:
    """Sets up `root` when made. `scale`: 1.0 at 96 dots per inch, but never so large
    that the window outgrows the screen. `by_keyboard`: the person
    used the keyboard last, so that the focus must be seen."""

    def __init__(self, root: tk.Tk, brand: Brand) -> None:
        self.by_keyboard = False
        room = root.winfo_screenheight() / _TALLEST
        self.scale = max(1.0, min(root.winfo_fpixels("1i") / 96, room))
        root.tk.call("tk", "scaling", self.scale * 96 / 72)  # for fonts, which are in points
        contrast, dark = _wishes()
        self.palette = _palette(brand, contrast, dark)
        self._use_ttk_theme(root, contrast, dark)
        families = set(font.families(root))
        default = font.nametofont("TkDefaultFont", root).actual("family")
        self.family = next((name for name in _FAMILIES if name in families), default)
        self.fonts = {
            name: font.Font(
                root, family=self.family, size=points, weight="bold" if name in _BOLD else "normal"
            )
            for name, points in _POINTS.items()
        }
        for name, points in _SUN_VALLEY_FONTS.items():
            # Sun Valley counts in pixels; ours are points, so that they grow with the screen.
            if f"SunValley{name}Font" in font.names(root):
                font.nametofont(f"SunValley{name}Font", root).configure(
                    family=self.family, size=points
                )
        self.fonts["log"] = font.Font(root, family=self._fixed_family(root), size=9)
        root.configure(background=self.palette.ground)
        ttk.Style(root).configure("Key.TButton", font=self.fonts["text"])
        root.bind_all("<Key>", lambda _: self._used(True), add=True)
        root.bind_all("<Button>", lambda _: self._used(False), add=True)

    def px(self, pixels: float) -> int:
        """A length at 96 dots per inch, on this screen."""
        return round(pixels * self.scale)

    def _used(self, keyboard: bool) -> None:
        self.by_keyboard = keyboard

    @staticmethod
    def _fixed_family(root: tk.Tk) -> str:
        return font.nametofont("TkFixedFont", root).actual("family")

    def tone(self, tone: Tone) -> str:
        palette = self.palette
        return {
            Tone.PLAIN: palette.ink,
            Tone.GOOD: palette.good,
            Tone.WAITING: palette.waiting,
            Tone.BAD: palette.bad,
        }[tone]

    def _use_ttk_theme(self, root: tk.Tk, contrast: bool, dark: bool) -> None:
        style = ttk.Style(root)
        if not contrast:
            try:
                import sv_ttk

                sv_ttk.set_theme("dark" if dark else "light", root)
                return
            except (ImportError, tk.TclError):
                pass  # the system's own looks are good enough
        if "vista" in style.theme_names():
            style.theme_use("vista")


def _palette(brand: Brand, contrast: bool, dark: bool) -> Palette:
    if contrast:
        return CONTRAST
    colours = brand.colours
    return (DARK if dark else LIGHT)._replace(
        accent=colours.accent, call=colours.call, hang_up=colours.hang_up
    )


def _wishes() -> tuple[bool, bool]:
    """What the person told the system: high contrast, dark windows."""
    if sys.platform != "win32":
        return False, False
    from applet.windows.appearance import dark_windows, high_contrast

    return high_contrast(), dark_windows()
