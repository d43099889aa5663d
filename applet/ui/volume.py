"""Two sliders: how loud the microphone and the loudspeaker are."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk

from applet.hints import TYPE_CHECKING
from applet.ui.strings import Speaker, Word
from applet.ui.view import Act, Request, Volume

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.ui.theme import Theme

_SOFTEST, _LOUDEST = -40.0, 12.0  # dB


class VolumePanel(ttk.Frame):
    def __init__(
        self, parent: tk.Misc, theme: Theme, speaker: Speaker, ask: Callable[[Request], None]
    ) -> None:
        super().__init__(parent)
        self.columnconfigure(1, weight=1)
        self._ask = ask
        self._shown = Volume(0.0, 0.0)
        self.sliders: dict[Act, ttk.Scale] = {}
        self._numbers: dict[Act, ttk.Label] = {}
        rows = ((Act.MICROPHONE_DB, Word.MICROPHONE), (Act.SPEAKER_DB, Word.SPEAKER))
        for row, (act, word) in enumerate(rows):
            ttk.Label(self, text=speaker.word(word), font=theme.fonts["label"]).grid(
                row=row, column=0, sticky="w"
            )
            slider = ttk.Scale(
                self,
                from_=_SOFTEST,
                to=_LOUDEST,
                command=partial(self._moved, act),
            )
            slider.grid(row=row, column=1, sticky="ew", padx=theme.px(8))
            number = ttk.Label(self, width=7, anchor="e", font=theme.fonts["label"])
            number.grid(row=row, column=2)
            self.sliders[act], self._numbers[act] = slider, number

    def show(self, volume: Volume) -> None:
        self._shown = volume
        pairs = ((Act.MICROPHONE_DB, volume.microphone_db), (Act.SPEAKER_DB, volume.speaker_db))
        for act, decibels in pairs:
            self._numbers[act].configure(text=f"{decibels:+.0f} dB" if decibels else "0 dB")
            if round(self.sliders[act].get()) != round(decibels):
                self.sliders[act].set(decibels)

    def _moved(self, act: Act, value: str) -> None:
        decibels = round(float(value))
        is_so = self._shown.microphone_db if act is Act.MICROPHONE_DB else self._shown.speaker_db
        if decibels != is_so:
            self._ask(Request(act, str(decibels)))
