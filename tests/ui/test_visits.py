"""Stories of what comes from outside the window: links, the question whether to keep the program,
and mistakes on other threads."""

import pytest

from applet import brand as brands
from applet.brand import Brand
from applet.phone.messages import CallState, Dial, IncomingCall, Reason, Redirected, Trouble
from applet.settings import Settings
from applet.ui.presenter import Presenter
from applet.ui.view import AUTOSTART, Act, Keep, Notify, RaiseWindow, Save
from tests.ui import test_presenter

LINK = "sip:bob@example.com;transport=tcp"


class Story(test_presenter.Story):
    """It remembers everything that was ever asked for."""

    def __init__(
        self, brand: Brand, settings: Settings | None = None, background: bool = False
    ) -> None:
        super().__init__(brand, settings)
        self.presenter = Presenter(brand, settings, window_shown=not background)
        self._collect()
        self.commands, self.effects = [], []

    def _collect(self) -> "Story":
        self.commands += self.presenter.commands()
        self.effects += self.presenter.effects()
        return self


@pytest.fixture(scope="module")
def brand() -> Brand:
    shipped = brands.load()
    return shipped._replace(dialling=shipped.dialling._replace(links=True))


@pytest.fixture
def story(brand: Brand) -> Story:
    return Story(brand)


def dialled(story: Story) -> list[Dial]:
    return [command for command in story.commands if isinstance(command, Dial)]


def labels(story: Story) -> list[str]:
    return [entry.label for entry in story.presenter.menu()]


def test_a_link_is_shown_whole_and_called_when_the_person_says_so(story: Story) -> None:
    story.asks(Act.LINK, LINK)
    view = story.presenter.view()
    assert RaiseWindow() in story.effects
    assert view.headline == "Call bob@example.com;transport=tcp?"
    assert view.incoming is not None
    assert view.incoming.caller == "bob@example.com;transport=tcp"
    assert (view.incoming.accept.label, view.incoming.reject.label) == ("Call", "Cancel")
    assert {"Call", "Cancel"} < set(labels(story))
    assert not dialled(story)
    story.asks(Act.ACCEPT)
    assert dialled(story) == [Dial(LINK, confirmed=True)]
    assert story.presenter.view().incoming is None


def test_where_the_other_side_has_moved_to_is_called_when_the_person_says_so(story: Story) -> None:
    story.asks(Act.CALL).state(CallState.DIALLING).ends(Reason.MOVED)
    story.happens(Redirected(1, "sip:agent@other.example"))
    view = story.presenter.view()
    assert view.headline == "Call agent@other.example?"
    assert view.advice == "That is where the other side says it can be reached."
    story.asks(Act.ACCEPT)
    assert dialled(story)[1:] == [Dial("sip:agent@other.example", confirmed=True)]


def test_a_link_that_is_cancelled_is_not_called(story: Story) -> None:
    story.asks(Act.LINK, LINK).asks(Act.REJECT).asks(Act.ACCEPT)
    assert not dialled(story)
    assert story.presenter.view().incoming is None


def test_the_button_calls_the_desk_although_a_link_is_asked_about(story: Story) -> None:
    story.asks(Act.LINK, LINK).asks(Act.CALL)
    assert dialled(story) == [Dial("", confirmed=False)]
    assert story.presenter.view().incoming is None


def test_an_incoming_call_takes_the_place_of_the_question(story: Story) -> None:
    story.asks(Act.LINK, LINK).happens(IncomingCall(7, "Ann", "sip:ann@example.com", ""))
    incoming = story.presenter.view().incoming
    assert incoming is not None
    assert incoming.caller == "Ann"
    story.asks(Act.ACCEPT)
    assert not dialled(story)


def test_a_link_during_a_call_is_not_asked_about(story: Story) -> None:
    story.asks(Act.CALL).asks(Act.LINK, LINK)
    assert "There is a call already." in story.presenter.view().note
    assert story.presenter.view().incoming is None


@pytest.mark.parametrize(
    "link", ["", "-x", "/uninstall", "http://example.com", "sip:", 'sip:"a"@b', "sip:a b", "bob@x"]
)
def test_what_is_no_link_is_refused_in_words(story: Story, link: str) -> None:
    story.asks(Act.LINK, link)
    assert "This address cannot be called." in story.presenter.view().note
    assert story.presenter.view().incoming is None


def test_a_brand_without_links_only_shows_its_window() -> None:
    story = Story(brands.load())
    story.asks(Act.LINK, LINK)
    assert story.effects == [RaiseWindow()]
    assert story.presenter.view().incoming is None


def test_it_is_asked_once_whether_to_keep_the_program(story: Story) -> None:
    assert story.presenter.view().offer is None
    assert "Keep on this computer" not in labels(story)
    story.asks(Act.OFFER_KEEP)
    offer = story.presenter.view().offer
    assert offer is not None
    assert offer.text.startswith("Keep Call Support on this computer?")
    assert "Keep on this computer" in labels(story)
    story.asks(Act.KEEP, AUTOSTART)
    assert story.effects[-2:] == [Save(Settings(keep_asked="0.1.0")), Keep(autostart=True)]
    assert story.presenter.view().offer is None
    assert "Keep on this computer" not in labels(story)
    story.asks(Act.KEPT)
    assert "Call Support stands in the Start menu now." in story.presenter.view().note


def test_just_this_once_can_be_thought_over_in_the_menu(story: Story) -> None:
    story.asks(Act.OFFER_KEEP).asks(Act.NOT_NOW)
    assert story.presenter.view().offer is None
    assert story.effects == [Save(Settings(keep_asked="0.1.0"))]
    assert "Keep on this computer" in labels(story)
    story.asks(Act.KEEP)
    assert story.effects[-1] == Keep(autostart=False)
    story.asks(Act.KEEP)
    assert story.effects.count(Keep(autostart=False)) == 1


def test_the_question_comes_again_with_another_version_only(brand: Brand) -> None:
    same, older = Story(brand, Settings(keep_asked="0.1.0")), Story(brand, Settings(keep_asked="0"))
    assert same.asks(Act.OFFER_KEEP).presenter.view().offer is None
    assert "Keep on this computer" in labels(same)
    assert older.asks(Act.OFFER_KEEP).presenter.view().offer is not None


def test_a_program_that_could_not_be_kept_may_be_tried_again(story: Story) -> None:
    story.asks(Act.OFFER_KEEP).asks(Act.KEEP).asks(Act.NOT_KEPT, "the disk is full")
    assert "could not be kept" in story.presenter.view().note
    assert "the disk is full" in story.presenter.log_text()
    assert "Keep on this computer" in labels(story)


def test_a_mistake_is_one_plain_sentence_with_a_way_to_the_log(story: Story) -> None:
    assert story.presenter.view().show_log == ""
    story.asks(Act.FAILED, "Traceback: ZeroDivisionError")
    view = story.presenter.view()
    assert "Something went wrong inside Call Support." in view.note
    assert "Traceback" not in view.note
    assert view.show_log == "Show log"
    story.asks(Act.SHOW_LOG)
    assert RaiseWindow() in story.effects
    assert story.presenter.view().help is not None
    assert "ZeroDivisionError" in story.presenter.log_text()


def test_a_blocking_firewall_is_explained(story: Story) -> None:
    story.happens(Trouble(0, Reason.FIREWALL_BLOCKS, ""))
    assert "The Windows Firewall keeps calls" in story.presenter.view().note
    assert story.presenter.view().show_log == ""


def test_in_the_background_a_note_takes_the_place_of_the_window(brand: Brand) -> None:
    story = Story(brand, background=True)
    assert not story.presenter.window_shown
    story.asks(Act.FAILED, "Traceback")
    assert any(isinstance(effect, Notify) for effect in story.effects)
    story.asks(Act.SHOW)
    assert story.presenter.window_shown
