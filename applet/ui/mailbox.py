"""What is written to the person, or waits: text messages, and how many are in the mailbox."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.ui.shown_call import plain_address
from applet.ui.strings import Say, Speaker, Word

if TYPE_CHECKING:
    from applet.phone.messages import MessagesWaiting, TextReceived
    from applet.ui.screen_state import ScreenState


def text_received(state: ScreenState, event: TextReceived) -> None:
    """The newest stays in the window until the next call; each is a notification."""
    who = event.sender or plain_address(event.sender_uri)
    said = state.speaker.say(Say.TEXT, who, event.text)
    state.notes.pop(Say.TEXT, None)
    state.notes[Say.TEXT] = said
    state.notify(state.speaker.word(Word.TEXT_FROM, who), event.text)


def messages_waiting(state: ScreenState, event: MessagesWaiting) -> None:
    """The tray says how many; more than before are a notification."""
    before, state.waiting = state.waiting, event.new
    if event.new > before:
        words = waiting_words(state.speaker, event.new)
        state.notify(state.brand.product, words)


def waiting_words(speaker: Speaker, new: int) -> str:
    """Empty if none waits."""
    if new < 1:
        return ""
    return speaker.word(Word.ONE_MESSAGE if new == 1 else Word.MESSAGES, str(new))
