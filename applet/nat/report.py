"""What was found out about the network, in sentences that a person can read out on the telephone.

The NAT type is told in the original phone's words (those of RFC 3489 and pystun3). Its library's
own classification is not used: a STUN server that ignores CHANGE-REQUEST, as most do today, makes
it say "Full Cone" behind any router. What two servers see tells symmetric from cone for certain;
which kind of cone it is nobody can tell today, and the report says so.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING
from applet.nat.alg import Alg
from applet.nat.knowledge import Knowledge, Mapping
from applet.value import NamedTuple

if TYPE_CHECKING:
    from applet.nat.strategy import Plan


class Finding(NamedTuple):
    """`found`: what was seen; `meaning`: what it means for a call."""

    name: str
    found: str
    meaning: str


_TYPES = {
    Mapping.NONE: ("Open Internet", "Nothing stands between this computer and the world."),
    Mapping.INDEPENDENT: (
        "Full Cone, Restric NAT or Restric Port NAT",
        "Today's servers cannot tell these three apart; for a call they are alike.",
    ),
    Mapping.DEPENDENT: (
        "Symmetric NAT",
        "The router gives each server another port: sound needs a mapped port or a relay.",
    ),
    Mapping.UNKNOWN: ("unknown", "Too few servers answered to tell."),
}


def findings(known: Knowledge, chosen: Plan) -> tuple[Finding, ...]:
    """The whole report, the choice last."""
    if known.server_is_near:
        found: tuple[Finding, ...] = (Finding("Server", known.server, "It is in our own network."),)
    else:
        found = (
            _address(known),
            _nat_type(known),
            _server(known),
            _alg(known),
            _router(known),
            *_relays(known),
        )
    ways = ", then ".join(dict.fromkeys(way.name for way in chosen.ways))
    return (*found, Finding("A call would go", ways, chosen.proof))


def _address(k: Knowledge) -> Finding:
    silent = sum(seen.mapped is None for seen in k.stun)
    meaning = f"{silent} of {len(k.stun)} STUN servers did not answer." if silent else ""
    if not k.asked.stun:
        meaning = "No STUN server is configured."
    return Finding("Our address", f"{k.local}, seen as {k.mapped or 'unknown'}", meaning)


def _nat_type(k: Knowledge) -> Finding:
    if k.udp_blocked:
        return Finding("NAT type", "Blocked", "Nothing comes back over UDP.")
    return Finding("NAT type", *_TYPES[k.mapping])


def _server(k: Knowledge) -> Finding:
    if not k.sip:
        return Finding("Server", "not asked", "No server is known before a call.")
    tried = [
        f"{seen.transport.upper()} {seen.port}: {'answers' if seen.answer else 'silent'}"
        for seen in k.sip
    ]
    meaning = "It answers." if k.signalling else "It does not answer: calls will fail."
    return Finding("Server", ", ".join(tried), meaning)


def _alg(k: Knowledge) -> Finding:
    verdicts = [k.alg_over(seen) for seen in k.sip]
    worst = next((v for v in verdicts if v.alg in (Alg.BROKEN, Alg.WORKS)), None)
    if worst is not None:
        return Finding("SIP ALG", worst.alg.value, f"{worst.proof}.")
    seen = any(verdict.alg is Alg.ABSENT for verdict in verdicts)
    return Finding("SIP ALG", "none" if seen else "not known", "")


def _router(k: Knowledge) -> Finding:
    if k.mapper is None:
        return Finding("Port mapping", "no answer yet" if k.asked.mapper else "not asked", "")
    if k.mapper.mapper is None:
        return Finding("Port mapping", "none", "The router opens no ports by UPnP, PCP or NAT-PMP.")
    found = f"{k.mapper.mapper.value}, outer address {k.mapper.external or 'unknown'}"
    if k.usable_mapper is None:
        return Finding("Port mapping", found, "Another router stands behind it: it leads nowhere.")
    return Finding("Port mapping", found, "The router opens ports when it is asked.")


def _relays(k: Knowledge) -> tuple[Finding, ...]:
    failed = k.fetched if k.fetched is not None and k.fetched.problem else None
    passwords = (Finding("Relay password", failed.host, failed.problem),) if failed else ()
    return passwords + tuple(
        Finding(
            f"Relay by {seen.server.transport.upper()}",
            str(seen.server.address),
            seen.problem or "It works.",
        )
        for seen in k.relays
    )
