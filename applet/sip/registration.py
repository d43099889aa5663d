"""A plain registration: REGISTER and un-REGISTER (RFC 3261 section 10.2)."""

from __future__ import annotations

from enum import Enum


class RegistrationState(Enum):
    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    UNREGISTERING = "unregistering"


class Registration:
    """One binding of our Contact to an address of record; made by `Endpoint.register`."""

    state: RegistrationState

    def unregister(self, now: float) -> None:
        """Take the binding away; `Unregistered` follows."""
