"""Figures of our own, without peers: how fast messages are read and sound is resampled, how fast
the phone starts."""

import json
import statistics
import subprocess
import sys
import time

from applet.audio.resample import Resampler
from bench_parser import factory

BODY = (
    b"v=0\r\no=caller 2890844526 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
INVITE = (
    b"INVITE sip:support@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK74bf9;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: A Caller <sip:caller@example.net>;tag=9fxced76sl\r\n"
    b"To: <sip:support@example.com>\r\n"
    b"Call-ID: 3848276298220188511@example.net\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:caller@192.0.2.1:5060>\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
MESSAGES, ROUNDS, STARTS = 3000, 5, 10
FRAMES = 50
CARD_RATES = (16000, 44100, 48000, 96000)


def messages_per_second(*, new_callers: bool = False) -> float:
    """The best of some rounds of reading an INVITE with its session description: the same one, as
    the messages of a call repeat each other's addresses, or from ever new callers."""
    parse, _ = factory()
    fastest = float("inf")
    for round_ in range(ROUNDS):
        messages = [INVITE] * MESSAGES
        if new_callers:
            messages = [
                INVITE.replace(b"caller", b"%06d" % (round_ * MESSAGES + number))
                for number in range(MESSAGES)
            ]
        started = time.perf_counter()
        for message in messages:
            parse(message)
        fastest = min(fastest, time.perf_counter() - started)
    return MESSAGES / fastest


def milliseconds_to_resample(rate_in: int, rate_out: int) -> float:
    """What 20 ms of sound cost, at best."""
    resampler = Resampler(rate_in, rate_out)
    frame = bytes(2 * (rate_in // 50))
    times: list[float] = []
    for _ in range(FRAMES):
        started = time.perf_counter()
        resampler.process(frame)
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def milliseconds_to_ready() -> float:
    """The median time from the start of the interpreter to the event `ready`."""
    command = [sys.executable, "-m", "applet", "headless", "--bind", "127.0.0.1"]
    times: list[float] = []
    for _ in range(STARTS):
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        times.append(json.loads(ended.stdout.splitlines()[0])["ready_ms"])
    return statistics.median(times)


if __name__ == "__main__":
    print(f"INVITEs read per second: {messages_per_second():.0f}")
    print(f"from ever new callers: {messages_per_second(new_callers=True):.0f}")
    for rate in CARD_RATES:
        into, out = milliseconds_to_resample(rate, 8000), milliseconds_to_resample(8000, rate)
        print(f"20 ms of sound, {rate} Hz: {into:.2f} ms to 8000 Hz, {out:.2f} ms from there")
    print(f"start to ready: {milliseconds_to_ready():.0f} ms")
