"""Round buttons as pictures: Tk draws no smooth circles, Pillow does."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageTk

from applet.hints import TYPE_CHECKING
from applet.ui.files import ICONS as ICONS
from applet.value import NamedTuple

if TYPE_CHECKING:
    import tkinter as tk
    from pathlib import Path

_FINER = 4
_RING = 0.03  # the focus ring's width, and its distance from the disc, by the disc's diameter


class Disc(NamedTuple):
    """One picture: a disc with a glyph of `icons/`. Sizes in pixels, colours as Tk knows them;
    `ring` empty: no focus ring (its room stays, so that nothing moves)."""

    glyph: str
    size: int
    fill: str
    ink: str
    ring: str = ""


class Pictures:
    """Draws each picture once."""

    def __init__(self, root: tk.Tk, icons: Path = ICONS) -> None:
        self._root = root
        self._icons = icons
        self._discs: dict[Disc, ImageTk.PhotoImage] = {}
        self._glyphs: dict[str, Image.Image] = {}

    def disc(self, disc: Disc) -> ImageTk.PhotoImage:
        if disc not in self._discs:
            self._discs[disc] = ImageTk.PhotoImage(self._draw(disc), master=self._root)
        return self._discs[disc]

    def glyph(self, name: str, size: int, ink: str) -> ImageTk.PhotoImage:
        """The glyph alone."""
        return self.disc(Disc(name, size, "", ink))

    def _draw(self, disc: Disc) -> Image.Image:
        ring = max(2, round(disc.size * _RING))
        margin = 2 * ring if disc.fill else 0
        whole = disc.size + 2 * margin
        picture = Image.new("RGBA", (whole, whole))
        if disc.ring:
            self._paste(picture, self._circle(whole, whole, ring), disc.ring)
        if disc.fill:
            self._paste(picture, self._circle(whole, disc.size, 0), disc.fill)
        part = round(disc.size * (0.5 if disc.fill else 1))
        mask = Image.new("L", (whole, whole))
        at = (whole - part) // 2
        mask.paste(self._mask(disc.glyph).resize((part, part), Image.Resampling.LANCZOS), (at, at))
        self._paste(picture, mask, disc.ink)
        return picture

    def _paste(self, picture: Image.Image, mask: Image.Image, colour: str) -> None:
        red, green, blue = (part >> 8 for part in self._root.winfo_rgb(colour))
        layer = Image.new("RGBA", picture.size, (red, green, blue, 255))
        layer.putalpha(mask)
        picture.alpha_composite(layer)

    def _mask(self, name: str) -> Image.Image:
        if name not in self._glyphs:
            self._glyphs[name] = Image.open(self._icons / f"glyph_{name}.png").getchannel("A")
        return self._glyphs[name]

    @staticmethod
    def _circle(whole: int, diameter: int, width: int) -> Image.Image:
        """A smooth disc (`width` 0) or ring in the middle of a square of `whole` pixels."""
        large = whole * _FINER
        edge = (whole - diameter) * _FINER // 2
        mask = Image.new("L", (large, large))
        around = (edge, edge, large - edge - 1, large - edge - 1)
        if width:
            ImageDraw.Draw(mask).ellipse(around, outline=255, width=width * _FINER)
        else:
            ImageDraw.Draw(mask).ellipse(around, fill=255)
        return mask.reduce(_FINER)
