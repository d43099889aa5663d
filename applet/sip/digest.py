"""Digest authentication of a client (RFC 7616, RFC 8760, RFC 3261 section 22).

A server that knows no `qop` (RFC 2617 section 3.2.2.1, "for backward compatibility") is answered
in its own way. The texts of a challenge are hashed and sent back as they stood between their
quotes, escapes included: that is what `unq()` means in RFC 7616 section 3.4.
"""

from __future__ import annotations

import re

from applet.hints import TYPE_CHECKING
from applet.pattern import pattern
from applet.sip.grammar import QUOTED, TOKEN, LocalProtocolError, MessageError, is_token, quoted
from applet.value import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_STRENGTH = {"md5": 1, "sha256": 2}

_VALUE = r'[^\s,"]++'
# Each parameter is followed by a comma or the end; empty places in the list do no harm.
_param = pattern(
    rf"[ \t,]*+({TOKEN})[ \t]*+=[ \t]*+(?:({QUOTED})|({_VALUE}))[ \t]*+(?=,|\Z)", re.DOTALL
)


class Credentials(NamedTuple):
    """Who we are to the servers of one brand. `sha256_only`: no answer in MD5 to anybody."""

    user: str
    password: str
    sha256_only: bool = False

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"  # a password never reaches a log


class Challenge(NamedTuple):
    """A Digest challenge: WWW-Authenticate or Proxy-Authenticate."""

    realm: str
    nonce: str
    algorithm: str | None = None  # as written; None means MD5
    qop: tuple[str, ...] = ()  # lower case; () means RFC 2617 without qop
    opaque: str | None = None
    stale: bool = False  # only the nonce was too old: the credentials may be good

    @property
    def hash_name(self) -> str | None:
        """The hash by the name Python knows it by, None for an algorithm that we do not know."""
        return _HASHES.get(self._upper.removesuffix("-SESS"))

    @property
    def strength(self) -> int:
        """To compare two challenges by; 0 for one that we cannot answer."""
        return _STRENGTH[self.hash_name] if self.hash_name and self.supported else 0

    @property
    def for_session(self) -> bool:
        return self._upper.endswith("-SESS")

    @property
    def chosen_qop(self) -> str | None:
        """`auth` wherever it is offered, else `auth-int`; None if none of both is."""
        return next((q for q in ("auth", "auth-int") if q in self.qop), None)

    @property
    def supported(self) -> bool:
        return self.hash_name is not None and (not self.qop or self.chosen_qop is not None)

    @property
    def _upper(self) -> str:
        return (self.algorithm or "MD5").upper()


def parse_auth(text: str) -> tuple[str, dict[str, str]]:
    """Any challenge or credentials -> scheme and parameters, both names in lower case.

    Quoted values lose their quotes and keep their escapes. Raises MessageError.
    """
    scheme = text.replace("\t", " ").partition(" ")[0]
    values: dict[str, str] = {}
    position = len(scheme)
    while (param := _param.match(text, position)) is not None:
        position = param.end()
        name = param[1].lower()
        if name in values:
            raise MessageError(f"{name} is twice in an authentication header")
        values[name] = param[3] if param[2] is None else param[2][1:-1]
    if not is_token(scheme) or text[position:].strip(" \t,"):
        raise MessageError("an authentication header cannot be read")
    return scheme.lower(), values


def parse_challenge(text: str) -> Challenge:
    """Read one Digest challenge. Raises MessageError, also for another scheme."""
    scheme, values = parse_auth(text)
    if scheme != "digest":
        raise MessageError("the challenge is not Digest")
    if "realm" not in values or not values.get("nonce"):
        raise MessageError("the challenge has no realm or no nonce")
    qop = values.get("qop", "").lower().split(",")
    return Challenge(
        values["realm"],
        values["nonce"],
        values.get("algorithm"),
        tuple(stripped for option in qop if (stripped := option.strip())),
        values.get("opaque"),
        values.get("stale", "").lower() == "true",
    )


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """All Digest challenges of a response, in order; lines that are none are left out."""
    challenges = []
    for line in lines:
        try:
            challenges.append(parse_challenge(line))
        except MessageError:
            continue  # another line may do; with none left `choose` finds none
    return tuple(challenges)


def choose(challenges: Iterable[Challenge], at_least: int = 1) -> Challenge | None:
    """The topmost challenge that we can answer (RFC 8760 section 2.4) and that is no weaker than
    `at_least`, None if there is none."""
    return next((challenge for challenge in challenges if challenge.strength >= at_least), None)


def least_strength(credentials: Credentials) -> int:
    """The weakest challenge that is answered with them."""
    return _STRENGTH["sha256"] if credentials.sha256_only else _STRENGTH["md5"]


def digest_response(
    challenge: Challenge,
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes,
    nc: int,
    cnonce: str,
) -> str:
    """The value of `response`, 32 or 64 hexadecimal digits (RFC 7616 section 3.4.1)."""
    name = challenge.hash_name
    if name is None:
        raise LocalProtocolError(f"{challenge.algorithm} is not supported: `choose` first")
    a1 = f"{credentials.user}:{challenge.realm}:{credentials.password}"
    if challenge.for_session:
        a1 = f"{_hash(name, a1.encode())}:{challenge.nonce}:{cnonce}"
    qop = challenge.chosen_qop
    a2 = f"{method}:{uri}"
    if qop == "auth-int":
        a2 += f":{_hash(name, body)}"
    between = challenge.nonce if qop is None else f"{challenge.nonce}:{nc:08x}:{cnonce}:{qop}"
    proof = f"{_hash(name, a1.encode())}:{between}:{_hash(name, a2.encode())}"
    return _hash(name, proof.encode())


def authorize(
    challenge: Challenge,
    credentials: Credentials,
    method: str,
    uri: str,
    body: bytes,
    nc: int,
    cnonce: str,
) -> str:
    """The value of Authorization or Proxy-Authorization.

    `uri` is the Request-URI as sent; `nc` counts the requests with this nonce, from 1; `cnonce`
    is a random token that must stay the same as long as the nonce does (for "-sess").
    """
    response = digest_response(challenge, credentials, method, uri, body, nc, cnonce)
    parts = [
        f"Digest username={quoted(credentials.user)}",
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{response}"',
    ]
    if challenge.algorithm is not None:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque is not None:
        parts.append(f'opaque="{challenge.opaque}"')
    qop = challenge.chosen_qop
    if qop is not None or challenge.for_session:
        parts.append(f'cnonce="{cnonce}"')
    if qop is not None:
        parts.append(f"qop={qop}")
        parts.append(f"nc={nc:08x}")
    return ", ".join(parts)


class Authorizer:
    """Answers one challenge again and again, counting: one for each nonce."""

    __slots__ = ("_cnonce", "_count", "challenge", "credentials")

    def __init__(self, challenge: Challenge, credentials: Credentials, cnonce: str) -> None:
        self.challenge = challenge
        self.credentials = credentials
        self._cnonce = cnonce
        self._count = 0

    def authorize(self, method: str, uri: str, body: bytes) -> str:
        """The value of the header for the next request."""
        self._count += 1
        return authorize(
            self.challenge, self.credentials, method, uri, body, self._count, self._cnonce
        )


def _hash(name: str, data: bytes) -> str:
    import hashlib  # here: it costs the start of the program a millisecond, and few need it

    return hashlib.new(name, data, usedforsecurity=False).hexdigest()
