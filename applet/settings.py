"""What the person has chosen, kept from one start to the next.

One small TOML file in the user's own configuration folder, replaced as a whole (a crash in the
middle of writing leaves the old one). A damaged file is put aside under another name and
reported; the phone starts with its defaults.
"""

from __future__ import annotations

import contextlib

from applet.hints import TYPE_CHECKING, Any, cast
from applet.value import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "settings.toml"


class Settings(NamedTuple):
    """Device names (empty: the system's default), gains in dB (-40 to +12), the window's place
    in pixels (None: let the system choose), whether the note that the program goes on in the tray
    has been shown, and the version for which it was asked whether to keep the program."""

    microphone: str = ""
    speaker: str = ""
    microphone_db: float = 0.0
    speaker_db: float = 0.0
    window_x: int | None = None
    window_y: int | None = None
    tray_note_shown: bool = False
    keep_asked: str = ""


class Loaded(NamedTuple):
    """`put_aside`: where a damaged file went, None if there was none."""

    settings: Settings
    put_aside: Path | None


def folder(product: str) -> Path:
    """Where this product's settings and logs are kept for this user."""
    import platformdirs

    return platformdirs.user_data_path(product, appauthor=False, roaming=False)


def load(folder: Path) -> Loaded:
    """The settings in `folder`, which need not exist."""
    import tomllib

    path = folder / _FILE
    try:
        return Loaded(_parse(tomllib.loads(path.read_text("utf-8"))), None)
    except FileNotFoundError:
        return Loaded(Settings(), None)
    except (OSError, ValueError):
        return Loaded(Settings(), _put_aside(path))


def save(folder: Path, settings: Settings) -> bool:
    """Write `settings`; False if the disk does not take them (full, read-only)."""
    import tomli_w

    values = {name: value for name, value in settings._asdict().items() if value is not None}
    path = folder / _FILE
    fresh = path.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh.write_text(tomli_w.dumps(values), "utf-8")
        fresh.replace(path)
    except OSError:
        return False
    return True


def forget(folder: Path) -> None:
    """Remove what `save` and `load` have made, and the folder if nothing else is in it."""
    for pattern in (_FILE, "settings.new", "settings.damaged-*.toml"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _parse(table: dict[str, object]) -> Settings:
    """Raises ValueError for a value of the wrong kind; a key of another version is left out."""
    kinds: dict[str, tuple[type, ...]] = {
        "microphone": (str,),
        "speaker": (str,),
        "microphone_db": (int, float),
        "speaker_db": (int, float),
        "window_x": (int,),
        "window_y": (int,),
        "tray_note_shown": (bool,),
        "keep_asked": (str,),
    }
    known = {name: value for name, value in table.items() if name in kinds}
    for name, value in known.items():
        if type(value) not in kinds[name]:
            raise ValueError(f"{name}: {value!r}")
    settings = Settings()._replace(**cast("dict[str, Any]", known))
    return settings._replace(
        microphone_db=_gain(settings.microphone_db), speaker_db=_gain(settings.speaker_db)
    )


def _gain(decibels: float) -> float:
    if not -40 <= decibels <= 12:
        raise ValueError(f"gain: {decibels!r}")
    return float(decibels)


def _put_aside(path: Path) -> Path | None:
    """Rename a file that cannot be read; None if not even that is possible."""
    for number in range(1, 100):
        aside = path.with_name(f"settings.damaged-{number}.toml")
        if not aside.exists():
            try:
                return path.rename(aside)
            except OSError:
                break
    return None
