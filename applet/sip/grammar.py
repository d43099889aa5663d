"""The small pieces of SIP's grammar that several headers share (RFC 3261 section 25).

The patterns read what is on the wire a little more widely than the RFC's grammar where that is
harmless (an underscore in a host name, a `#` in a user part) and never more widely where two
readers could disagree about the meaning (empty parameters, unbalanced quotes, line breaks).
No input makes a pattern take more than linear time: characters are repeated possessively, and
in a repeated group the first character decides which way is taken. Groups are never possessive:
CPython up to 3.12.7 and 3.13.0 mistakes their captures (its issues 101955 and 106052).
"""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING, TypeAlias
from applet.pattern import pattern

if TYPE_CHECKING:  # pragma: no cover
    from applet.sip.message import Request

Params: TypeAlias = tuple[tuple[str, str | None], ...]

MAX_PORT = 65_535
MAX_CSEQ = 2**32 - 1
MAX_SECONDS = 2**32 - 1  # delta-seconds, RFC 3261 section 20.19


class MessageError(ValueError):
    """The peer sent something that cannot be read.

    `status` is the answer it deserves if it is a request (400 unless the RFC names another) and
    `text` says in a few words what is wrong, fit for a reason phrase. `partial` is what could be
    read of a broken request: enough to answer it with `Request.reply`. It is None where nothing
    can be answered: responses, noise, no usable Via.
    """

    def __init__(self, text: str, status: int = 400, partial: Request | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.partial = partial


class LocalProtocolError(RuntimeError):
    """We ourselves tried something that SIP does not allow: a bug of ours, never the peer's."""


TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]++"
QUOTED = r'"(?:[^"\\]++|\\.)*"'
HOST = r"(?:[A-Za-z0-9._\-]++|\[[0-9A-Fa-f:.]++\])"
# The value of a parameter: a quoted string, or anything that cannot end the parameter.
PARAM = rf'[ \t]*+;[ \t]*+({TOKEN})(?:[ \t]*+=[ \t]*+({QUOTED}|[^\s;,"<>]++))?'
PARAMS = r"(?:" + PARAM.replace("(" + TOKEN, "(?:" + TOKEN).replace("(" + QUOTED, "(?:" + QUOTED)
PARAMS += r")*"

_MAX_DIGITS = 20  # of a number, leading zeros included: int() of a thousand digits takes long

_token = pattern(TOKEN)
_params = pattern(PARAM, re.DOTALL)
_escaped_pair = pattern(r"\\(.)", re.DOTALL)
_percent = pattern(rb"%([0-9A-Fa-f]{2})")
# One value of a comma-separated list; an unbalanced quote or bracket runs to the end.
_list_value = pattern(r'(?:[^,"<]++|"(?:[^"\\]++|\\.)*(?:"|\\?\Z)|<[^>]*+(?:>|\Z))+', re.DOTALL)


def is_token(text: str) -> bool:
    """Whether `text` is a token: a method, a header name, an option tag."""
    return (text.isalpha() and text.isascii()) or _token.fullmatch(text) is not None


def number(text: str, maximum: int, what: str) -> int:
    """Read a number of plain ASCII digits from 0 to `maximum`, else raise MessageError."""
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        value = int(text)
        if value <= maximum:
            return value
    raise MessageError(f"{what} is not a number from 0 to {maximum}")


def clamped(text: str, maximum: int) -> int | None:
    """Read a number that is not worth a refusal: too large is `maximum`, unreadable is None."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    return min(int(digits[:_MAX_DIGITS]), maximum)


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside quotes and `<>`; empty values are left out."""
    if "," not in text:
        return [text] if text else []
    return [value for part in _list_value.findall(text) if (value := part.strip(" \t"))]


def quoted(text: str) -> str:
    """`text` as a quoted string. Line breaks, which cannot be quoted, become spaces."""
    plain = text.replace("\r", " ").replace("\n", " ")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    """The inside of a quoted string without its escapes; any other text as it stands."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inside = text[1:-1]
    return _escaped_pair.sub(r"\1", inside) if "\\" in inside else inside


def unescaped(text: str) -> str:
    """`text` with each %HH replaced once (RFC 3261 section 19.1.2); others stay as they are."""
    if "%" not in text:
        return text
    octets = _percent.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return octets.decode("utf-8", "replace")


def read_params(text: str) -> Params:
    """Read `;name=value;name`, already matched by PARAMS. Quoted values keep their quotes."""
    if not text:
        return ()
    if '"' in text or " " in text or "\t" in text:
        return tuple([(name, value or None) for name, value in _params.findall(text)])
    pairs = [param.partition("=") for param in text[1:].split(";")]  # in half the time
    return tuple([(name, value or None) for name, _, value in pairs])


def print_params(params: Params) -> str:
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params)


def find_param(params: Params, name: str) -> str | None:
    """The value of the first parameter `name` (lower case), None if it has none or is missing."""
    for found, value in params:
        if found == name or found.lower() == name:
            return value
    return None


def has_param(params: Params, name: str) -> bool:
    """Whether a parameter `name` (lower case) is there, with or without a value."""
    return any(found.lower() == name for found, _ in params)


def with_param(params: Params, name: str, value: str | None) -> Params:
    """`params` with `name` set in its place, or added at the end."""
    if has_param(params, name):
        return tuple((n, value if n.lower() == name else v) for n, v in params)
    return (*params, (name, value))


def print_host(host: str, port: int | None) -> str:
    printed = f"[{host}]" if ":" in host else host
    return printed if port is None else f"{printed}:{port}"


def read_literal(bracketed: str) -> str:
    """An IPv6 address without its brackets. RFC 5118 section 4.10: the grammar of RFC 3261 lets
    one colon too many stand before an IPv4 part, and who follows it is to be understood."""
    return bracketed[1:-1].replace(":::", "::")


def read_port(digits: str) -> int:
    port = int(digits)
    if port > MAX_PORT:
        raise MessageError(f"a port above {MAX_PORT}")
    return port
