"""Short-lived names and passwords for relays, from the company's own web server.

One GET over https, and over nothing else where it is redirected; the answer is the JSON that TURN
servers' documentation calls the REST API:
`{"username": ..., "password": ..., "uris": ["turn:relay.example.com?transport=udp", ...]}`.
Whatever is wrong with it is one plain sentence, and the call goes on without.
"""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPException
from queue import Empty, SimpleQueue
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from applet.hints import TYPE_CHECKING
from applet.nat.relay_uri import RelayUriError, parse_relay
from applet.threads.relay import RelayError

if TYPE_CHECKING:
    from applet.hints import IO, Any
    from applet.nat.knowledge import RelayServer

LIMIT = 3.0
"""Seconds for the whole of it."""
LARGEST = 64 * 1024
_MOST_RELAYS = 8
_PIECE = 4096


def fetch_relays(url: str, ca_file: str = "") -> tuple[RelayServer, ...]:
    """Blocks for LIMIT seconds at most. Raises RelayError."""
    answers: SimpleQueue[tuple[RelayServer, ...] | RelayError] = SimpleQueue()

    def work() -> None:
        try:
            answers.put(read_relays(json.loads(_get(url, ca_file))))
        except (OSError, ValueError, HTTPException, RecursionError) as error:
            answers.put(RelayError(f"No relay password could be fetched ({type(error).__name__})."))

    threading.Thread(target=work, name="fetch", daemon=True).start()
    try:
        found = answers.get(timeout=LIMIT)
    except Empty:
        raise RelayError("No relay password could be fetched in time.") from None
    if isinstance(found, RelayError):
        raise found
    return found


def _get(url: str, ca_file: str) -> bytes:
    """The body. A web server that drips it is given up after LIMIT seconds."""
    from applet.threads.relay_loop import tls_context

    if not _is_https(url):
        raise URLError("not over https")
    deadline = time.monotonic() + LIMIT
    opener = build_opener(HTTPSHandler(context=tls_context(ca_file)), _HttpsOnly())
    request = Request(url, headers={"Accept": "application/json"})
    data = b""
    with opener.open(request, timeout=LIMIT) as response:
        while len(data) < LARGEST and (piece := response.read1(_PIECE)):
            data += piece
            if time.monotonic() > deadline:
                raise TimeoutError
    return data


def _is_https(url: str) -> bool:
    return url.lower().startswith("https://")


class _HttpsOnly(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not _is_https(newurl):
            raise URLError("redirected away from https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def read_relays(answer: Any) -> tuple[RelayServer, ...]:
    """Raises ValueError for what is no such answer."""
    if not isinstance(answer, dict):
        raise ValueError("no object")
    user, password, uris = (answer.get(key) for key in ("username", "password", "uris"))
    if not (isinstance(user, str) and isinstance(password, str) and isinstance(uris, list)):
        raise ValueError("no name, password and uris")
    found: list[RelayServer] = []
    for uri in uris[:_MOST_RELAYS]:
        try:
            found += parse_relay(str(uri), user, password)
        except RelayUriError:
            continue  # of a kind that is newer than we are
    if not found:
        raise ValueError("no relay")
    return tuple(dict.fromkeys(found))
