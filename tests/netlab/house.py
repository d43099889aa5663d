"""One set of namespaces with its servers; rebuilt for each cell in a moment."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.netlab import router
from tests.netlab.cell import Alg, Cell, Mapper, Nat
from tests.netlab.certificates import issue
from tests.netlab.desk import Desk
from tests.netlab.half_alg import HalfAlg
from tests.netlab.namespaces import inside
from tests.netlab.network import DESK, SERVERS, SHARED_WAN, WAN, Network
from tests.netlab.services import PASSWORD, USER, Coturn, Miniupnpd
from tests.support.headless import Headless

SIP_PORT = 5062
RELAY = f"turn:{USER}:{PASSWORD}@{SERVERS[0]}"


class House:
    """The client's home, its provider, the servers and the far end."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.network = Network(prefix)
        self.certificates = issue(folder)
        try:
            self.network.up()
            certificate, key = self.certificates.certificate, self.certificates.key
            self._coturn = Coturn(self.network, folder, certificate, key)
        except BaseException:
            self.network.down()
            raise

    def close(self) -> None:
        self._coturn.stop()
        self.network.down()

    @contextmanager
    def furnished(self, cell: Cell) -> Iterator[Desk]:
        """The house is the one of `cell`, and its far end listens.

        Without a NAT there is nothing to map or to rewrite: miniupnpd will not even start in a
        network of public addresses.
        """
        router.build(self.network, cell)
        client = router.client_address(cell)
        has_nat = cell.nat is not Nat.NONE
        with ExitStack() as stack:
            if has_nat and cell.mapper is not Mapper.NONE:
                inner = client.rpartition(".")[0] + ".0"
                upnp = Miniupnpd(self.network, self.folder, cell.mapper, inner)
                stack.callback(upnp.stop)
            if has_nat and cell.alg is Alg.HALF:
                outer = SHARED_WAN if cell.nat is Nat.DOUBLE else WAN
                stack.callback(HalfAlg(self.network, client, outer).stop)
            desk = Desk(self.network, cell.server, self.certificates)
            stack.callback(desk.close)
            yield desk

    def phone(self, *options: str | Path, stun: tuple[str, ...], turn: str) -> Headless:
        """The real phone in the client's namespace; it knows of the servers what a brand file
        would tell it."""
        with inside(self.network.name("client")):
            return Headless(
                *(word for server in stun for word in ("--stun", server)),
                *("--turn", turn, "--tls-ca", self.certificates.authority),
                *("--registrar", f"sip:{DESK}", "--id", f"sip:phone@{DESK}"),
                *("--answer", "auto", "--accept-any-user", "--nat", "auto", *options),
                bind=f"0.0.0.0:{SIP_PORT}",
            )
