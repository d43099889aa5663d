"""The proxy and registrar Kamailio on loopback, with digest (every password is PASSWORD) and
Record-Route, over UDP and TCP on one port and TLS on the one above."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.support.certificates import Certificate
from tests.support.ports import free_ports, is_bound
from tests.support.process import Program

PASSWORD = "secret"
MODULES = (
    "tm",
    "sl",
    "rr",
    "pv",
    "maxfwd",
    "usrloc",
    "registrar",
    "textops",
    "siputils",
    "auth",
    "xlog",
)

CONFIG = """
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
tcp_connection_lifetime=600
alias="{domain}:{port}"
alias="{domain}"
{listen}
{load}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)
modparam("registrar", "min_expires", {min_expires})
modparam("registrar", "append_branches", 0)
modparam("rr", "enable_double_rr", 0)
modparam("tm", "fr_timer", 3000)

request_route {{
    xlog("L_ERR", "request $rm $proto $si:$sp $ru\\n");
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    t_check_trans();
    {first}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("$td", "{password}", "0")) {{ www_challenge("$td", "0"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("$fd", "{password}", "0")) {{
            proxy_challenge("$fd", "0");
            exit;
        }}
        consume_credentials();
        {record_route}
    }}
    {static}
    if (!lookup("location")) {{ sl_send_reply("404", "Not registered"); exit; }}
    t_relay();
}}
"""


class Kamailio(Program):
    """`domain` is what it calls its own. `desk`: the URI behind the user "desk", who need not
    register. `record_route`: the host (and port) that it writes there, its address by default.
    `first`: lines for its configuration, before everything else is decided."""

    def __init__(
        self,
        folder: Path,
        domain: str,
        *,
        port: int = 0,
        desk: str = "",
        record_route: str = "",
        certificate: Certificate | None = None,
        first: str = "",
        min_expires: int = 10,
    ) -> None:
        self.port = port or free_ports(2)
        self.tls_port = self.port + 1
        self.address = f"127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "kamailio.cfg"
        config.write_text(
            CONFIG.format(
                domain=domain,
                port=self.port,
                listen="\n".join(self._listen(certificate)),
                load="\n".join(_load(certificate)),
                password=PASSWORD,
                min_expires=min_expires,
                first=first,
                record_route=f'record_route_preset("{record_route}");'
                if record_route
                else "record_route();",
                static=f'if ($rU == "desk") {{ $ru = "{desk}"; t_relay(); exit; }}' if desk else "",
            )
        )
        command: Sequence[str | Path] = (
            *("kamailio", "-DD", "-E", "-f", config, "-w", folder, "-Y", folder),
            *("-P", folder / "pid", "-m", "64", "-M", "8"),
        )
        super().__init__(command, folder=folder)
        self.wait_ready(self._is_ready, "Kamailio's sockets")

    def requests(self, method: str) -> list[str]:
        """What it was asked so far: transport, source, Request-URI."""
        lines = (line.partition(f"request {method} ")[2] for line in self.errors)
        return [line for line in lines if line]

    def kill(self) -> None:
        """At once, with all its processes: nothing is said to anybody."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in (self.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        self.wait()

    def _listen(self, certificate: Certificate | None) -> list[str]:
        lines = [f"listen=udp:{self.address}", f"listen=tcp:{self.address}"]
        if certificate is not None:
            lines += ["enable_tls=yes", f"listen=tls:127.0.0.1:{self.tls_port}"]
        return lines

    def _is_ready(self) -> bool:
        return is_bound(self.port) and is_bound(self.port, "tcp")


def _load(certificate: Certificate | None) -> list[str]:
    lines = [f'loadmodule "{name}.so"' for name in MODULES]
    if certificate is not None:
        lines += [
            'loadmodule "tls.so"',
            f'modparam("tls", "certificate", "{certificate.file}")',
            f'modparam("tls", "private_key", "{certificate.key}")',
            'modparam("tls", "tls_method", "TLSv1.2+")',
            'modparam("tls", "verify_certificate", 0)',
            'modparam("tls", "require_certificate", 0)',
        ]
    return lines
