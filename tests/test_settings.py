"""The user's settings: written as a whole, and never a reason not to start."""

from pathlib import Path

import pytest

from applet import settings
from applet.settings import Loaded, Settings, load, save

CHOSEN = Settings(
    microphone='Headset "Pro"',
    speaker="Lautsprecher (äöü)",
    microphone_db=3.5,
    speaker_db=-12.0,
    window_x=-40,
    window_y=900,
    tray_note_shown=True,
)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert save(folder, CHOSEN)
    assert load(folder) == Loaded(CHOSEN, None)
    assert save(folder, Settings())
    assert load(folder) == Loaded(Settings(), None)
    assert [path.name for path in folder.iterdir()] == ["settings.toml"]


def test_without_a_file_everything_is_as_the_system_has_it(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing") == Loaded(Settings(), None)


@pytest.mark.parametrize(
    "damaged",
    [
        b"microphone = ",
        b"\xff\xfe\x00",
        b"microphone = 5",
        b"window_x = true",
        b"tray_note_shown = 1",
        b"microphone_db = 99",
        b"speaker_db = nan",
        b'speaker_db = "loud"',
    ],
)
def test_a_damaged_file_is_put_aside_and_the_phone_starts_afresh(
    tmp_path: Path, damaged: bytes
) -> None:
    (tmp_path / "settings.toml").write_bytes(damaged)
    first = load(tmp_path)
    assert first == Loaded(Settings(), tmp_path / "settings.damaged-1.toml")
    assert (tmp_path / "settings.damaged-1.toml").read_bytes() == damaged
    assert load(tmp_path) == Loaded(Settings(), None)
    (tmp_path / "settings.toml").write_bytes(damaged)
    assert load(tmp_path).put_aside == tmp_path / "settings.damaged-2.toml"


def test_a_key_of_a_newer_version_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('ringtone = "jazz"\nspeaker = "Hall"\nspeaker_db = 2\n')
    assert load(tmp_path) == Loaded(Settings(speaker="Hall", speaker_db=2.0), None)


def test_a_file_that_cannot_even_be_put_aside_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("microphone = ")
    for number in range(1, 100):
        (tmp_path / f"settings.damaged-{number}.toml").touch()
    assert load(tmp_path) == Loaded(Settings(), None)


def test_a_folder_that_lets_nothing_be_renamed_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.toml").write_text("microphone = ")

    def refuse(_: Path, __: Path) -> Path:
        raise PermissionError

    monkeypatch.setattr(Path, "rename", refuse)
    assert load(tmp_path) == Loaded(Settings(), None)


def test_a_folder_in_place_of_the_file_is_put_aside_too(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    assert load(tmp_path).put_aside == tmp_path / "settings.damaged-1.toml"


def test_a_disk_that_takes_nothing_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    assert save(tmp_path, CHOSEN)
    (tmp_path / "settings.new").mkdir()
    assert not save(tmp_path, Settings())
    assert load(tmp_path).settings == CHOSEN


def test_the_folder_is_the_users_own_and_named_after_the_product() -> None:
    assert settings.folder("Acme Help").name == "Acme Help"
