"""The headless command line: what is taken, what is refused and how."""

import pytest

from applet.address import Address
from applet.headless.options import OptionError, parse_options
from applet.threads.sockets import PortRange
from applet.threads.tls_files import NO_FILES, TlsFiles


def test_the_defaults() -> None:
    options = parse_options([])
    assert options.bind == Address("0.0.0.0", 0)
    assert options.ports is None
    assert options.phone.codecs == ("PCMU", "PCMA")
    assert (options.phone.answer, options.phone.max_calls) == (0, 1)
    assert options.audio_in == "silence"
    assert options.duration is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1", Address("127.0.0.1", 0)),
        ("127.0.0.1:5062", Address("127.0.0.1", 5062)),
        ("[::1]:5062", Address("::1", 5062)),
        ("[::1]", Address("::1", 0)),
        ("::1", Address("::1", 0)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_options(["--bind", text]).bind == address


def test_everything_at_once() -> None:
    options = parse_options(
        ["--bind=127.0.0.1:0", "--transport", "tcp", "--id", "sip:u@h", "--registrar", "sip:h"]
        + ["--proxy", "sip:p", "--user", "u", "--password", "x", "--accept-any-user"]
        + ["--answer", "183", "--rtp-ports", "20000-20100", "--codecs", "pcma", "--max-calls", "9"]
        + ["--stun", "127.0.0.1", "--stun", "127.0.0.1:3479", "--audio-in", "tone:440"]
        + ["--audio-out", "out.wav", "--loop", "--call", "sip:a@b", "--duration", "2.5"]
    )
    phone = options.phone
    assert (phone.transport, phone.identity, phone.registrar) == ("tcp", "sip:u@h", "sip:h")
    assert (phone.proxy, phone.user, phone.password) == ("sip:p", "u", "x")
    assert (phone.accept_any_user, phone.answer, phone.codecs) == (True, 183, ("PCMA",))
    assert phone.max_calls == 9
    assert options.ports == PortRange(20000, 20100)
    assert phone.nat.stun == (Address("127.0.0.1", 3478), Address("127.0.0.1", 3479))
    assert (options.audio_in, options.audio_out, options.loop) == ("tone:440", "out.wav", True)
    assert (options.call, options.duration) == ("sip:a@b", 2.5)


def test_tls_files_and_a_name_server_may_be_named() -> None:
    files = ["--tls-ca", "ca.pem", "--tls-cert", "own.pem", "--tls-key", "own.key"]
    options = parse_options(["--transport", "tls", "--dns", "127.0.0.1:5353", *files])
    assert options.tls_files == TlsFiles("ca.pem", "own.pem", "own.key")
    assert options.name_server == Address("127.0.0.1", 5353)
    assert options.phone.transport == "tls"
    options = parse_options(["--dns", "127.0.0.1"])
    assert options.name_server == Address("127.0.0.1", 53) and options.tls_files == NO_FILES
    assert options.phone.transport == ""  # DNS decides, and else it is UDP


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSUPPORT_PASSWORD", "hidden")
    assert parse_options(["--user", "u"]).phone.password == "hidden"


@pytest.mark.parametrize(
    "option",
    ["--nat none", "--no-upnp", "--srtp off", "--100rel off", "--session-timer off", "--nat auto"],
)
def test_a_value_that_switches_a_part_off_is_always_taken(option: str) -> None:
    assert parse_options(option.split()).phone.nat.stun == ()


@pytest.mark.parametrize("value", ["off", "on", "required"])
def test_reliable_ringing_and_session_timers_are_on_unless_told_otherwise(value: str) -> None:
    told = parse_options(["--100rel", value, "--session-timer", value]).phone
    assert (told.reliable, told.session_timer) == (value, value)
    untold = parse_options([]).phone
    assert (untold.reliable, untold.session_timer) == ("on", "on")


@pytest.mark.parametrize(
    "option",
    [
        "--srtp required", "--srtp optional", "--codecs opus", "--codecs pcmu,g722",
    ],
)  # fmt: skip
def test_a_value_that_asks_for_a_part_not_built_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match=r"not built|is not built"):
        parse_options(option.split())


@pytest.mark.parametrize(
    "option",
    [
        "--fly", "extra", "--bind [::1", "--bind 127.0.0.1:99999", "--bind a:b", "--answer maybe",
        "--answer 200", "--answer 99", "--rtp-ports 5", "--rtp-ports 9-3", "--rtp-ports a-b",
        "--max-calls x", "--max-calls 0", "--duration -1", "--duration nan",
        "--transport smoke", "--tls-key own.key", "--dns [::1", "--nat magic",
        "--audio-in no/such/file.wav",
        "--audio-in tone:loud", "--bind",
    ],
)  # fmt: skip
def test_a_wrong_option_gets_one_plain_line(option: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_options(option.split())
    assert str(caught.value)
    assert "\n" not in str(caught.value)
