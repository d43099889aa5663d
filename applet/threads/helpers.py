"""Who may help a call through: relays, and the local router. Each has a thread of its own, and is
made when it is first asked. After the end they begin nothing any more."""

from __future__ import annotations

import threading

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from applet.phone.messages import Logged, Trouble
    from applet.threads.mappings import Mappings
    from applet.threads.relay import RelayThread


class Helpers:
    """Every method from any thread. `ca_file`: whom to trust for TLS; empty: the machine's own
    certificates."""

    def __init__(
        self,
        ca_file: str = "",
        *,
        relays: RelayThread | None = None,
        mappings: Mappings | None = None,
    ) -> None:
        self.ca_file = ca_file
        self._relays = relays
        self._mappings = mappings
        self._report: Callable[[Logged | Trouble], None] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def relays(self) -> RelayThread:
        with self._lock:
            if self._relays is None:
                from applet.threads.relay import RelayThread

                self._relays = RelayThread(self.ca_file)
                if self._stopped:
                    self._relays.stop()
            return self._relays

    @property
    def mappings(self) -> Mappings:
        """They report to whom `report_to` has named."""
        with self._lock:
            if self._mappings is None:
                from applet.threads.mappings import Mappings

                self._mappings = Mappings()
                if self._report is not None:
                    self._mappings.report_to(self._report)
                if self._stopped:
                    self._mappings.stop()
            return self._mappings

    def report_to(self, report: Callable[[Logged | Trouble], None]) -> None:
        """Whom a mistake of ours is told to, from a helper's thread."""
        with self._lock:
            self._report = report
            if self._mappings is not None:
                self._mappings.report_to(report)

    def stop(self) -> None:
        """Take back what was opened, and end their threads."""
        with self._lock:
            self._stopped = True
            relays, mappings = self._relays, self._mappings
        if mappings is not None:
            mappings.stop()
        if relays is not None:
            relays.stop()
