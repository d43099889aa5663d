"""Answering 401 and 407 (RFC 3261 section 22, RFC 8760): which challenge, how often, and where
the answer stands in the next request; and answering before anybody asks."""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.randomness import Randomness, token
from applet.sip.digest import (
    Authorizer,
    Challenge,
    Credentials,
    choose,
    least_strength,
    parse_auth,
    parse_challenges,
)
from applet.sip.grammar import MessageError

if TYPE_CHECKING:
    from applet.hints import TypeAlias
    from applet.sip.message import Request, Response

_ANSWERS = {
    "WWW-Authenticate": "Authorization",
    "Proxy-Authenticate": "Proxy-Authorization",
}
_NEWS = {
    "Authentication-Info": "Authorization",
    "Proxy-Authentication-Info": "Proxy-Authorization",
}
_MAX_TRIES = 6
_MAX_NONCES = 8


Answered: TypeAlias = dict[tuple[str, str], Authorizer]
"""By the header with the answer, and the realm."""


class Authenticator:
    """The credentials of one session or registration. It remembers the last few nonces: a server
    may give the same one again, and then its count must go on (RFC 7616 section 3.4). `last` are
    those of the last exchange, by header and realm."""

    __slots__ = ("_authorizers", "_credentials", "_random", "last")

    def __init__(self, credentials: Credentials, random: Randomness) -> None:
        self._credentials = credentials
        self._random = random
        self._authorizers: dict[tuple[str, str], Authorizer] = {}
        self.last: Answered = {}

    @property
    def least_strength(self) -> int:
        """The weakest challenge that may be answered."""
        return least_strength(self._credentials)

    def authorizer(self, challenge: Challenge) -> Authorizer:
        key = (challenge.realm, challenge.nonce)
        known = self._authorizers.get(key)
        if known is not None and known.challenge._replace(stale=False) == challenge._replace(
            stale=False
        ):
            return known
        if len(self._authorizers) >= _MAX_NONCES:
            del self._authorizers[next(iter(self._authorizers))]
        fresh = Authorizer(challenge, self._credentials, token(self._random))
        self._authorizers[key] = fresh
        return fresh

    def in_advance(self, request: Request) -> Request:
        """`request` with what was asked for the last time (RFC 3261 section 22.1): for a server
        that takes a nonce twice, one round trip less. Only for whoever asked."""
        return _with_credentials(request, self.last)

    def note_next(self, response: Response) -> None:
        """The nonce that the next request is to have (RFC 7616 section 3.5)."""
        for header, answer_header in _NEWS.items():
            nonce = _next_nonce(response.header(header) or "")
            mine = [key for key in self.last if key[0] == answer_header]
            if nonce and len(mine) == 1:  # it names no realm
                challenge = self.last[mine[0]].challenge
                self.last[mine[0]] = self.authorizer(challenge._replace(nonce=nonce, stale=False))


class Exchange:
    """The challenges of one request. Several realms may ask, one after the other or at once
    (proxies and the server behind them); each is answered once, and once more for every nonce
    that was only stale. Asked again otherwise, the password is wrong. Once a realm was answered
    with a strong hash, in advance too, nobody makes us answer it with a weaker one."""

    __slots__ = ("_answered", "_authenticator", "_in_advance", "_tries")

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._answered: Answered = {}
        self._in_advance: Answered = {}
        self._tries = 0

    def answer(self, request: Request, response: Response) -> Request | None:
        """`request` with credentials for all that was asked so far; None: it is hopeless."""
        self._tries += 1
        if self._tries == 1 and any(request.lines(header) for header in _ANSWERS.values()):
            self._in_advance = self._authenticator.last
        chosen = [
            (answer_header, challenge)
            for header, answer_header in _ANSWERS.items()
            for challenge in self._one_per_realm(response.values(header))
        ]
        if not chosen or self._tries > _MAX_TRIES:
            return None
        for key, challenge in chosen:
            before = self._answered.get((key, challenge.realm))
            if before is not None and (
                not challenge.stale or before.challenge.nonce == challenge.nonce
            ):
                return None
            authorizer = self._authenticator.authorizer(challenge)
            self._answered[key, challenge.realm] = authorizer
        self._authenticator.last = dict(self._answered)
        return _with_credentials(request, self._answered)

    def _one_per_realm(self, lines: list[str]) -> list[Challenge]:
        """Of each realm the topmost challenge that we can answer (RFC 8760 section 2.4)."""
        challenges = parse_challenges(lines)
        realms = dict.fromkeys(challenge.realm for challenge in challenges)
        chosen = [
            choose((c for c in challenges if c.realm == realm), self._least_strength(realm))
            for realm in realms
        ]
        return [challenge for challenge in chosen if challenge is not None]

    def _least_strength(self, realm: str) -> int:
        answered = [
            authorizer.challenge.strength
            for (_, known), authorizer in (*self._in_advance.items(), *self._answered.items())
            if known == realm
        ]
        return max(answered, default=self._authenticator.least_strength)


def _with_credentials(request: Request, answered: Answered) -> Request:
    bare = request.without("Authorization").without("Proxy-Authorization")
    uri = str(request.uri)
    lines = [
        (header, authorizer.authorize(request.method, uri, request.body))
        for (header, _), authorizer in answered.items()
    ]
    return bare.replaced(headers=[*bare.headers, *lines])


def _next_nonce(news: str) -> str:
    try:
        return parse_auth(f"Digest {news}")[1].get("nextnonce", "")
    except MessageError:
        return ""
