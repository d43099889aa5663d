"""What is taken out of every line that is shown or kept.

It takes out passwords, credentials, the user parts and names in addresses, digits and bodies; of
a session description it keeps the lines that say how media flow, which is what a one-way call is
found by, and nothing else. What is not known to be harmless goes.
"""

from __future__ import annotations

import re

from applet.pattern import pattern

GONE = "***"

# What comes from the network is in these lines: every pattern takes linear time, because a run of
# characters is taken whole (++) and never tried again from its middle.
_USER_PART = pattern(r"\b(sips?|turns?|stuns?|https?|xmpp):(?://)?[^@<>\"\s]*+(@?)", re.IGNORECASE)
_NUMBER = pattern(r"\b(tel|mailto):[^>\s;,\"]+", re.IGNORECASE)
_QUOTED = pattern(r'"(?:[^"\\]++|\\.)*"?')
_BEFORE_ADDRESS = pattern(r"\s*+<")
_NAME = pattern(r"(^|,)([^<>,\"]++)(?=<)")
_SECRET_VALUE = pattern(
    r"\b(password|passwd|pwd|secret|token|response|key|inline)(\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&]+)",
    re.IGNORECASE,
)
_HOME = pattern(r"([\\/](?:Users|home)[\\/]+)[^\\/\"']+", re.IGNORECASE)
# Headers (and their short forms) whose whole value is somebody's business, RFC 3261 section 20,
# RFC 7433, RFC 3323 and the like.
_PRIVATE_HEADERS = {
    "authorization",
    "proxy-authorization",
    "authentication-info",
    "subject",
    "s",
    "organization",
    "user-to-user",
    "call-info",
    "identity",
    "y",
}
_CREDENTIALS = {"authorization", "proxy-authorization"}
# Lines of a session description that carry no name and no key.
_HARMLESS_SDP = pattern(
    r"v=|c=|t=|m=|b=|a=(?:rtpmap|fmtp|ptime|maxptime|rtcp|mid|label|sendrecv|sendonly|recvonly|"
    r"inactive|rtcp-mux|rtcp-fb|group|setup|candidate|end-of-candidates)\b"
)


def redact(line: str) -> str:
    """One line of any text without user parts, numbers, names and secrets."""
    line = _USER_PART.sub(lambda found: f"{found[1]}:{GONE}@" if found[2] else found[0], line)
    line = _NUMBER.sub(rf"\1:{GONE}", line)
    line = _QUOTED.sub(_without_quoted_name, line)
    return _SECRET_VALUE.sub(rf"\1\2{GONE}", line)


def _without_quoted_name(found: re.Match[str]) -> str:
    is_name = _BEFORE_ADDRESS.match(found.string, found.end())
    return f'"{GONE}"' if is_name else found[0]


def redacted_traceback(error: BaseException) -> str:
    """Where an unexpected error comes from, without anybody's name and secrets."""
    import traceback  # not needed on any good day

    return _HOME.sub(rf"\1{GONE}", redact("".join(traceback.format_exception(error))))


def redact_message(message: str) -> str:
    """A whole SIP message as it may be shown and kept; for a partial or broken one too."""
    head, _, body = message.replace("\r\n", "\n").partition("\n\n")
    lines = _unfolded(head)
    shown = [redact(lines[0])] + [_redact_header(line) for line in lines[1:]]
    if not body:
        return "\n".join(shown)
    return "\n".join([*shown, "", *_redact_body(body, _content_type(lines))])


def _unfolded(head: str) -> list[str]:
    """Header lines, each with its continuations (RFC 3261 section 7.3.1)."""
    return re.sub(r"\n[ \t]+", " ", head).split("\n")


def _redact_header(line: str) -> str:
    name, colon, value = line.partition(":")
    if name.strip().lower() not in _PRIVATE_HEADERS:
        return _without_name(name, redact(line))
    scheme = value.split(None, 1)[0] if value.split() else ""
    keeps = f"{scheme} " if name.strip().lower() in _CREDENTIALS and scheme else ""
    return f"{name}{colon} {keeps}{GONE}"


def _without_name(name: str, line: str) -> str:
    """A display name may stand without quotes: `From: Bob <sip:...>`."""
    known, colon, value = line.partition(":")
    if not colon or known != name or "<" not in value:
        return line
    shown = _NAME.sub(lambda f: f"{f[1]} {GONE} " if f[2].strip() else f[0], value)
    return f"{known}:{shown}"


def _content_type(lines: list[str]) -> str:
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() in ("content-type", "c"):
            return value.partition(";")[0].strip().lower()
    return ""


def _redact_body(body: str, content_type: str) -> list[str]:
    if content_type != "application/sdp":
        return [f"[{len(body)} characters of {content_type or 'something'}]"]
    return [_redact_sdp(line) for line in body.rstrip("\n").split("\n")]


def _redact_sdp(line: str) -> str:
    if line.startswith("o="):
        return f"o={GONE} {line.partition(' ')[2]}"
    if _HARMLESS_SDP.match(line):
        return line
    return f"{line[:2] if line[1:2] == '=' else ''}{GONE}"
