"""The window's shell: pumps events into the presenter, draws, and carries out what it asks for.

One Tk main loop in the main thread. Nothing here waits: the queues are emptied a little at a time,
files, devices and the network belong to other threads.
"""

from __future__ import annotations

import gc
import re
import time
import tkinter as tk
from pathlib import Path

from applet import built, settings
from applet.hints import TYPE_CHECKING
from applet.ui.face import Face
from applet.ui.help_window import HelpWindow
from applet.ui.menus import tk_menu
from applet.ui.outside import Outside, nobody_outside
from applet.ui.pictures import ICONS
from applet.ui.strings import Word
from applet.ui.theme import Theme
from applet.ui.toast import Toast
from applet.ui.view import (
    Act,
    ChooseFile,
    Effect,
    Entry,
    Finish,
    HideWindow,
    Keep,
    Notify,
    PostMenu,
    RaiseWindow,
    Request,
    Save,
    TrayView,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from types import TracebackType

    from applet.phone.messages import Command, Event
    from applet.ui.presenter import Presenter
    from applet.ui.tray import Tray

TICK = 30  # milliseconds
REPORT_EVERY = 1.0  # seconds
BATCH = 10  # events taken from the queue in one tick


def run_dialer(
    presenter: Presenter,
    submit: Callable[[Command], None],
    events: SimpleQueue[Event],
    settings_folder: Path,
    *,
    outside: Outside,
    tray: Tray,
) -> None:
    """Show the window until the person quits; returns after `Stopped` (or 4 s after Quit). Runs
    in the main thread; `submit` must not block. `tray` puts its requests on the queue of
    `outside`. Raises `tkinter.TclError` when there is no display."""
    dialer = Dialer(presenter, submit, events, settings_folder, outside)
    dialer.use_tray(tray)
    dialer.run()
    # Tcl aborts the process if another thread's garbage collection frees its interpreter.
    del dialer
    gc.collect()


class Dialer:
    """`root` may be pumped by a test in place of `run`."""

    def __init__(
        self,
        presenter: Presenter,
        submit: Callable[[Command], None],
        events: SimpleQueue[Event],
        settings_folder: Path,
        outside: Outside | None = None,
    ) -> None:
        self._presenter = presenter
        self._submit = submit
        self._events = events
        self._settings_folder = settings_folder
        self.outside = outside or nobody_outside()
        self._requests = self.outside.requests
        self._drawn = -1
        self._report_after = 0.0
        self._tray_drawn: TrayView | None = None
        self.menu: tk.Menu | None = None
        brand = presenter.brand
        self.tray: Tray | None = None
        self.root = tk.Tk(className=brand.product)
        self.root.withdraw()
        self.root.title(brand.product)
        self.root.report_callback_exception = self.failed
        self.theme = Theme(self.root, brand)
        self._set_window_icon(Path(brand.icon) if brand.icon else ICONS / "idle.png")
        self.face = Face(self.root, self.theme, presenter.speaker, self.ask, self._open_menu)
        self.help: HelpWindow | None = None
        self.toast = Toast(self.root, self.theme, lambda: self.ask(Request(Act.SHOW)))
        self.root.protocol("WM_DELETE_WINDOW", lambda: self.ask(Request(Act.CLOSE)))
        self.root.resizable(False, False)
        self._place_window()
        self._tick_command = self.root.register(self._tick)
        self._tick()
        if presenter.window_shown:
            self.root.deiconify()

    def run(self) -> None:
        """Until the presenter says that everything is closed."""
        try:
            self.root.mainloop()
        finally:
            if self.tray is not None:
                self.tray.stop()

    def use_tray(self, tray: Tray) -> None:
        """`tray` has been started already; it stops with the window."""
        self.tray = tray
        tray.show(self._presenter.tray())
        # It counts as there until it says otherwise, so that an early click on the close button
        # does not end the program.
        self.ask(Request(Act.TRAY_READY))

    def ask(self, request: Request) -> None:
        """For the main thread; other threads put on the queue that `Tray` was given."""
        self._presenter.ask(request, time.monotonic())
        self._settle()

    # --- the pump ----------------------------------------------------------------------------

    def _tick(self) -> None:
        # Not `root.after`, which makes and forgets a Tcl command each time: this runs all day.
        self._next_tick = str(self.root.tk.call("after", TICK, self._tick_command))
        now = time.monotonic()
        for _ in range(min(BATCH, self._events.qsize())):
            self._presenter.handle(self._events.get(), now)
        for _ in range(min(BATCH, self._requests.qsize())):
            self._presenter.ask(self._requests.get(), now)
        self._presenter.handle_timers(now)
        self._settle()

    def _settle(self) -> None:
        """Hand out what the presenter has for others, and draw what has changed."""
        for command in self._presenter.commands():
            self._submit(command)
        for effect in self._presenter.effects():
            self._carry_out(effect)
            if isinstance(effect, Finish):
                return
        if self._drawn != self._presenter.changes:
            self._drawn = self._presenter.changes
            self._draw()

    def _draw(self) -> None:
        view = self._presenter.view()
        self.face.show(view)
        if view.help is None and self.help is not None:
            self.help.close()
            self.help = None
        elif view.help is not None:
            if self.help is None:
                self.help = HelpWindow(
                    self.root,
                    self.theme,
                    self._presenter.speaker,
                    self._presenter.log_text,
                    built.licences(),
                    lambda: self.ask(Request(Act.HELP)),
                )
            self.help.show(view.help)
        tray = self._presenter.tray()
        if self.tray is not None and tray != self._tray_drawn:
            self._tray_drawn = tray
            self.tray.show(tray)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case RaiseWindow():
                self._raise()
            case HideWindow():
                self._remember_place()
                self.root.withdraw()
            case PostMenu(x, y):
                self._post_menu(self._presenter.tray().menu, x, y)
            case ChooseFile():
                # Not from here: the dialogue pumps events until the person has chosen.
                self.root.after_idle(self._choose_file)
            case Notify(title, text):
                self._notify(title, text)
            case Save(values):
                settings.save(self._settings_folder, values)
            case Keep(autostart):
                self.outside.keep(autostart)
            case Finish():
                self._finish()

    def _notify(self, title: str, text: str) -> None:
        if self.tray is not None and self.tray.notifies:
            self.tray.notify(title, text)
        elif self.root.state() == "withdrawn" or self.root.focus_displayof() is None:
            self.toast.show(title, text)  # not to somebody who is looking at the window

    def _finish(self) -> None:
        for effect in self._presenter.effects():
            self._carry_out(effect)
        if self.tray is not None:
            self.tray.stop()
        self.root.tk.call("after", "cancel", self._next_tick)
        if self.help is not None:
            self.help.close()
        self.toast.close()
        self.root.destroy()

    def failed(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """An exception in one of our callbacks: into the log, and said plainly. Ctrl+C quits."""
        if issubclass(kind, KeyboardInterrupt):
            self.ask(Request(Act.QUIT))
            return
        now = time.monotonic()
        if now >= self._report_after:  # a mistake in the pump would come thirty times a second
            self._report_after = now + REPORT_EVERY
            self.outside.failed("window", error)

    # --- the window --------------------------------------------------------------------------

    def _set_window_icon(self, path: Path) -> None:
        from PIL import Image, ImageTk

        picture = Image.open(path).convert("RGBA")
        sizes = (picture.resize((size, size)) for size in (16, 32, 48, 64))
        self._window_icons = [ImageTk.PhotoImage(small, master=self.root) for small in sizes]
        self.root.iconphoto(True, *self._window_icons)  # type: ignore[arg-type]

    def _place_window(self) -> None:
        """Where it was the last time, if that is still on a screen."""
        x, y = self._presenter.settings.window_x, self._presenter.settings.window_y
        left, top = self.root.winfo_vrootx(), self.root.winfo_vrooty()
        right = left + self.root.winfo_vrootwidth() - self.theme.px(200)
        bottom = top + self.root.winfo_vrootheight() - self.theme.px(200)
        if x is not None and y is not None and left <= x <= right and top <= y <= bottom:
            self.root.geometry(f"+{x}+{y}")

    def _remember_place(self) -> None:
        """By Tk's geometry: the window's own co-ordinates would wander by its frame."""
        place = re.search(r"\+(-?\d+)\+(-?\d+)$", self.root.geometry())
        if place and self.root.winfo_viewable():
            self._presenter.ask(Request(Act.MOVED, ",".join(place.groups())), time.monotonic())

    def _raise(self) -> None:
        if self.root.state() == "withdrawn":
            self._place_window()
        self.root.deiconify()
        self.root.lift()
        self.root.focus_force()

    def _open_menu(self, x: int, y: int) -> None:
        self._post_menu(self._presenter.window_menu(), x, y)

    def _post_menu(self, entries: tuple[Entry, ...], x: int, y: int) -> None:
        if self.menu is not None:
            self.menu.destroy()
        self.menu = tk_menu(self.root, self.theme, entries, self.ask)
        self.menu.update_idletasks()
        if y > self.root.winfo_screenheight() / 2:
            # Above the pointer, so that it does not stand on an entry by chance.
            y -= self.menu.winfo_reqheight()
        self.menu.tk_popup(x, y)

    def _choose_file(self) -> None:
        from tkinter import filedialog

        word = self._presenter.speaker.word
        path = filedialog.askopenfilename(
            parent=self.root,
            title=word(Word.PLAY_FILE),
            filetypes=[(word(Word.WAV_FILES), "*.wav")],
        )
        self.ask(Request(Act.PLAY_FILE, path or ""))
