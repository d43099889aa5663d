"""What a built program knows of itself."""

from pathlib import Path

from applet import built


def test_a_phone_that_runs_from_its_source_is_no_test_build_and_has_no_list_of_licences() -> None:
    assert not built.is_test_build()
    assert built.licences() == ""


def test_a_program_made_through_wine_is_a_test_build_and_one_made_on_windows_is_not(
    tmp_path: Path,
) -> None:
    for made_on, is_test_build in (("wine", True), ("windows", False)):
        (tmp_path / "built.txt").write_text(f"{made_on}\n")
        assert built.is_test_build(tmp_path) == is_test_build


def test_the_licences_are_the_text_that_the_build_has_put_there(tmp_path: Path) -> None:
    (tmp_path / "licences.txt").write_text("Müller: MIT", "utf-8")
    assert built.licences(tmp_path) == "Müller: MIT"
