"""English: every sentence and every label, as `ui.strings` says how to write them."""

from __future__ import annotations

from applet.phone.messages import Reason
from applet.ui.vocabulary import Language, Say, Sentence, Word

_TRY_LATER = "Please try again in a few minutes."
_CHECK_NET = "Check your internet connection and try again."
_TELL_COMPANY = "This is not your mistake. Please tell {company}."

_ENGLISH_STATES: dict[Say | Reason, Sentence] = {
    Say.WELCOME: Sentence("{welcome}"),
    Say.DIALLING: Sentence("Calling {who} …"),
    Say.RINGING: Sentence("It is ringing.", "Please wait until somebody answers."),
    Say.EARLY: Sentence(
        "{Who} is about to answer.", "You may hear an announcement; nobody hears you yet."
    ),
    Say.INCOMING: Sentence("{Who} is calling you.", "Nobody hears you before you accept."),
    Say.ANSWERING: Sentence("Connecting you with {who} …"),
    Say.CONNECTED: Sentence("You are talking to {who}."),
    Say.MUTED: Sentence("{Who} cannot hear you.", "Press Unmute to talk."),
    Say.PLAYING: Sentence("{Who} hears {detail}.", "They hear it in place of your microphone."),
    Say.HOLDING: Sentence("Putting the call on hold …", "You cannot hear each other any more."),
    Say.RESUMING: Sentence("Taking the call off hold …"),
    Say.HELD_BY_US: Sentence(
        "You put the call on hold.", "You cannot hear each other. Press Resume to go on."
    ),
    Say.HELD_BY_THEM: Sentence(
        "They put you on hold.", "Please wait until they come back. They cannot hear you."
    ),
    Say.HELD_BY_BOTH: Sentence(
        "You put the call on hold, and so did they.", "Press Resume to show that you are back."
    ),
    Say.ENDING: Sentence("Ending the call …"),
    Say.NOT_REGISTERED: Sentence("Nobody can call this phone now.", "{detail}"),
    Say.NO_TRAY: Sentence(
        "There is no place for an icon here.", "Closing this window ends {product}."
    ),
    Say.GOES_ON: Sentence("{product} is still here.", "Its icon next to the clock brings it back."),
    Say.MISSED: Sentence("You missed a call from {who}."),
    Say.STOPPED: Sentence(
        "{product} has stopped working.", "Please quit and start it again.", True
    ),
    Say.TRANSFER_ASKED: Sentence(
        "{Who} wants to connect you with {detail}.", "Nobody is called before you accept."
    ),
    Say.TRANSFERRING: Sentence(
        "{Who} is connecting you with somebody else …", "You need not do anything."
    ),
    Say.TEXT: Sentence("{Who} writes: “{detail}”"),
    Say.QUITTING: Sentence("Goodbye."),
    Say.LINK: Sentence("Call {who}?", "Another program asks for this call."),
    Say.MOVED_TO: Sentence("Call {who}?", "That is where the other side says it can be reached."),
    Say.OFFER: Sentence(
        "Keep {product} on this computer?", "Then it stands in the Start menu, just for you."
    ),
    Say.KEPT: Sentence("{product} stands in the Start menu now."),
    Say.NOT_KEPT: Sentence(
        "{product} could not be kept on this computer.", "It works all the same."
    ),
}

_ENGLISH_REASONS: dict[Say | Reason, Sentence] = {
    Reason.NONE: Sentence("The call has ended.", "{talked}"),
    Reason.HUNG_UP_HERE: Sentence("You ended the call.", "{talked}"),
    Reason.HUNG_UP_THERE: Sentence("{Who} ended the call.", "{talked}"),
    Reason.CANCELLED_HERE: Sentence("You cancelled the call."),
    Reason.CALLER_GAVE_UP: Sentence("{Who} stopped calling before you answered."),
    Reason.ANSWERED_ELSEWHERE: Sentence("The call was answered on another phone."),
    Reason.REJECTED_HERE: Sentence("You rejected the call."),
    Reason.BUSY: Sentence("{Who} is busy.", _TRY_LATER, True),
    Reason.DECLINED: Sentence("{Who} did not take the call.", _TRY_LATER, True),
    Reason.NOT_FOUND: Sentence(
        "There is nobody at this address.",
        "If you did not type it yourself, please tell {company}.",
        True,
    ),
    Reason.UNAVAILABLE: Sentence("{Who} is not available just now.", _TRY_LATER, True),
    Reason.NO_ANSWER: Sentence("Nobody answered.", _TRY_LATER, True),
    Reason.WRONG_CREDENTIALS: Sentence(
        "The telephone system did not accept this phone's password.", _TELL_COMPANY, True
    ),
    Reason.FORBIDDEN: Sentence(
        "The telephone system does not let this phone call there.", _TELL_COMPANY, True
    ),
    Reason.NO_COMMON_CODEC: Sentence(
        "The two phones have no way of talking in common.", _TELL_COMPANY, True
    ),
    Reason.REFUSED: Sentence("{Who} refused the call.", _TRY_LATER, True),
    Reason.SERVER_TROUBLE: Sentence("The telephone system has a fault.", _TRY_LATER, True),
    Reason.SERVER_SILENT: Sentence("The telephone system does not answer.", _CHECK_NET, True),
    Reason.UNREACHABLE: Sentence("{Who} cannot be reached from here.", _CHECK_NET, True),
    Reason.NAME_NOT_FOUND: Sentence("{Who} was not found on the internet.", _CHECK_NET, True),
    Reason.CERTIFICATE_UNTRUSTED: Sentence(
        "The telephone system could not prove who it is, so nothing was sent.",
        "Its certificate comes from nobody this computer trusts. " + _TELL_COMPANY,
        True,
    ),
    Reason.CERTIFICATE_EXPIRED: Sentence(
        "The telephone system's certificate is not valid today, so nothing was sent.",
        "If the date of this computer is right, please tell {company}.",
        True,
    ),
    Reason.CERTIFICATE_WRONG_NAME: Sentence(
        "The telephone system's certificate belongs to somebody else, so nothing was sent.",
        _TELL_COMPANY,
        True,
    ),
    Reason.NOT_SECURE: Sentence(
        "No protected connection to the telephone system could be made.", _TELL_COMPANY, True
    ),
    Reason.BAD_ADDRESS: Sentence(
        "This address cannot be called.", "Write it like name@example.com."
    ),
    Reason.MOVED: Sentence("{Who} has moved to another address.", _TELL_COMPANY, True),
    Reason.LOST: Sentence(
        "The connection was lost.", "Check your internet connection and call again.", True
    ),
    Reason.MEDIA_FAILED: Sentence(
        "The sound could not be set up.", "Close other phone programs and call again.", True
    ),
    Reason.EMERGENCY_NOT_SENT: Sentence(
        "This phone cannot call emergency services.",
        "It does not know where you are. Use another telephone, now.",
    ),
    Reason.OTHER_ADDRESS_NOT_ALLOWED: Sentence(
        "{product} calls nobody but {desk}.", "Use another telephone for other numbers."
    ),
    Reason.ONE_CALL_AT_A_TIME: Sentence("There is a call already.", "Hang up before you call."),
    Reason.HOLD_FAILED: Sentence(
        "They may not know that they are on hold.",
        "You cannot hear each other all the same. Press Resume to go on.",
    ),
    Reason.RESUME_FAILED: Sentence(
        "The call is still on hold.", "Press Resume to try again, or hang up and call again."
    ),
    Reason.NO_UPDATE: Sentence("{Who} does not take that now.", "The call goes on as it was."),
    Reason.NO_DIGITS: Sentence(
        "These keys cannot be sent now.", "Please say what you wanted to choose."
    ),
    Reason.NO_SUCH_CALL: Sentence("This call is over already."),
    Reason.FILE_NOT_PLAYABLE: Sentence(
        "{detail} cannot be played.", "Choose an uncompressed WAV file."
    ),
    Reason.NO_MICROPHONE: Sentence(
        "There is no microphone: nobody can hear you.", "Connect one, or choose one in the menu."
    ),
    Reason.NO_SPEAKER: Sentence(
        "There is no loudspeaker: you cannot hear anybody.",
        "Connect one, or choose one in the menu.",
    ),
    Reason.MICROPHONE_SILENT: Sentence(
        "Your microphone is silent.",
        "Check its switch, and that the system's privacy settings let programs use it.",
    ),
    Reason.DEVICE_LOST: Sentence(
        "{detail} is gone.", "Connect it again, or choose another one in the menu."
    ),
    Reason.PORT_IN_USE: Sentence(
        "Another program uses the port for calls to you ({detail}).",
        "Help shows the address that works instead.",
    ),
    Reason.STUN_FAILED: Sentence(
        "Your address on the internet could not be found.", "Most calls work all the same."
    ),
    Reason.NO_SOUND: Sentence(
        "Nothing is heard from {desk}: your network does not let the sound through.",
        "Every way was tried.",
        offers_phone=True,
    ),
    Reason.RELAY_REFUSED: Sentence(
        "The relay {detail} refuses this program's name and password.",
        "Calls work all the same, unless your network lets nothing else through.",
    ),
    Reason.SETTINGS_DAMAGED: Sentence(
        "Your settings could not be read and start afresh.", "The old ones are kept in {detail}."
    ),
    Reason.FIREWALL_BLOCKS: Sentence(
        "The Windows Firewall keeps calls from reaching this phone.",
        "An administrator can allow {product} under “Allow an app through Windows Firewall”.",
    ),
    Reason.QUEUED: Sentence(
        "You are in the queue.", "Please wait; somebody will answer when it is your turn."
    ),
    Reason.LINES_BUSY: Sentence("All lines are busy.", _TRY_LATER, True),
    Reason.LINE_TOO_NARROW: Sentence(
        "There is no room on the line for this call.", _TRY_LATER, True
    ),
    Reason.TRANSFERRED: Sentence("The call was passed on."),
    Reason.TRANSFER_FAILED: Sentence(
        "The call could not be passed on.", "You are still talking to {who}."
    ),
    Reason.MESSAGE_NOT_SENT: Sentence("The message was not sent.", _TRY_LATER),
    Reason.INTERNAL: Sentence(
        "Something went wrong inside {product}.",
        "Please try again. The log shows what happened.",
        True,
    ),
}

_ENGLISH_WORDS = {
    Word.THEY_SAY: "They say: “{detail}”",
    Word.TRY_IN_A_MINUTE: "Please try again in a minute.",
    Word.TRY_IN_MINUTES: "Please try again in {detail} minutes.",
    Word.TRY_IN_HOURS: "Please try again in {detail} hours.",
    Word.TEXT_FROM: "Message from {detail}",
    Word.ONE_MESSAGE: "A new message waits for you.",
    Word.MESSAGES: "{detail} new messages wait for you.",
    Word.HANG_UP: "Hang up",
    Word.CANCEL: "Cancel",
    Word.ACCEPT: "Accept",
    Word.REJECT: "Reject",
    Word.HOLD: "Hold",
    Word.RESUME: "Resume",
    Word.MUTE: "Mute",
    Word.UNMUTE: "Unmute",
    Word.KEYPAD: "Keypad",
    Word.MICROPHONE: "Microphone",
    Word.SPEAKER: "Speaker",
    Word.SYSTEM_DEFAULT: "System default",
    Word.VOLUME: "Volume",
    Word.PLAY_FILE: "Play a file …",
    Word.STOP_FILE: "Stop the file",
    Word.HELP: "Help",
    Word.CHECK: "Check network and sound",
    Word.SHOW: "Show window",
    Word.QUIT: "Quit",
    Word.MENU: "Menu",
    Word.YOU: "You",
    Word.THEM: "They",
    Word.UNKNOWN_CALLER: "somebody",
    Word.ADDRESS_HINT: "Or another address",
    Word.CALL: "Call",
    Word.INCOMING_CALL: "Incoming call",
    Word.TALKED: "You talked for {detail}.",
    Word.OTHER_PHONE: "You can also call {phone}.",
    Word.A_DEVICE: "The sound device",
    Word.WAV_FILES: "WAV sound files",
    Word.LOG_TAB: "Log",
    Word.CONNECTION_TAB: "Connection",
    Word.CHECK_TAB: "Network and sound",
    Word.ABOUT_TAB: "About",
    Word.COPY: "Copy",
    Word.COPIED: "Copied",
    Word.OWN_ADDRESS: "Address of this phone",
    Word.REGISTERED_AT: "Registered at",
    Word.BUILD: "Build",
    Word.TEST_BUILD: "for tests only, made through Wine",
    Word.LICENCES_TAB: "Licences",
    Word.UNKNOWN: "not known yet",
    Word.TELEPHONE_SYSTEM: "the telephone system",
    Word.NO_CALL: "There is no call.",
    Word.NO_DEVICE: "none",
    Word.MICROPHONE_HEARS: "It hears something ({detail} dBFS at the loudest).",
    Word.MICROPHONE_SILENT: (
        "It is silent (pure zeros): it is switched off, or the privacy settings of this computer"
        " forbid it."
    ),
    Word.MICROPHONE_SHUT: "It cannot be opened: you could only listen.",
    Word.SPEAKER_PLAYED: "A soft tone was played: you should have heard it.",
    Word.SPEAKER_SHUT: "It cannot be opened: you would hear nothing.",
    Word.SOUND_LISTENING: "Listening for a second …",
    Word.SOUND_PLAYING: "Playing a soft tone …",
    Word.SOUND_IN_USE: "The call is using it.",
    Word.OTHER_SIDE: "Other side",
    Word.VOICE_CODING: "Voice coding",
    Word.DIRECTION: "Direction",
    Word.OUR_END: "Our end",
    Word.THEIR_END: "Their end",
    Word.ENCRYPTION: "Encryption",
    Word.NO_ENCRYPTION: "none",
    Word.RECEIVED: "Packets received",
    Word.SENT: "Packets sent",
    Word.LOST: "Packets lost",
    Word.LATE: "Packets too late",
    Word.JITTER: "Jitter",
    Word.DELAY: "Delay for smoothness",
    Word.QUALITY: "Voice quality (1 to 4.5)",
    Word.NETWORK: "Way through the network",
    Word.PRODUCT: "Program",
    Word.VERSION: "Version",
    Word.COMPANY: "Company",
    Word.SHOW_LOG: "Show log",
    Word.KEEP: "Keep it",
    Word.KEEP_HERE: "Keep on this computer",
    Word.NOT_NOW: "Just this once",
    Word.AUTOSTART: "Start with Windows",
    Word.LICENCE_NOTICE: "Call Support is free software (MIT licence). It uses Python (PSF), "
    "Tcl/Tk (BSD), pystray (LGPL 3), Pillow (MIT-CMU), PyAudio and PortAudio (MIT), pystun3 (MIT), "
    "sv-ttk (MIT), platformdirs (MIT) and tomli-w (MIT).",
}

ENGLISH = Language({**_ENGLISH_STATES, **_ENGLISH_REASONS}, _ENGLISH_WORDS)
