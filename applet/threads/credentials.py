"""Short-lived names and passwords for relays, from the company's own web server.

One GET over https; the answer is the JSON that TURN servers' documentation calls the REST API:
`{"username": ..., "password": ..., "uris": ["turn:relay.example.com?transport=udp", ...]}`.
Whatever is wrong with it is one plain sentence, and the call goes on without.
"""

import json
from typing import Any

from applet.nat.knowledge import RelayServer
from applet.nat.relay_uri import RelayUriError, parse_relay
from applet.threads.relay import RelayError

LIMIT = 3.0
"""Seconds for each step of the request."""
LARGEST = 64 * 1024
_MOST_RELAYS = 8


def fetch_relays(url: str, ca_file: str = "") -> tuple[RelayServer, ...]:
    """Blocks. Raises RelayError."""
    from urllib.request import Request, urlopen

    from applet.threads.relay_loop import tls_context

    request = Request(url, headers={"Accept": "application/json"})
    try:
        with urlopen(request, timeout=LIMIT, context=tls_context(ca_file)) as response:
            data = response.read(LARGEST)
        return read_relays(json.loads(data))
    except (OSError, ValueError) as error:
        raise RelayError(f"No relay password could be fetched ({type(error).__name__}).") from error


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
