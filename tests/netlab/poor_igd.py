"""A UPnP router that is found and then is not what it says, in a namespace of its own."""

import re
import socket
import struct
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

from tests.netlab.namespaces import add, delete, inside, run

HOST = "192.168.9.2"
SSDP = ("239.255.255.250", 1900)
DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
ROOT = f"""<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">
<specVersion><major>1</major><minor>0</minor></specVersion><device><deviceType>{DEVICE}</deviceType>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList>
<device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList>
<service><serviceType>{SERVICE}</serviceType><serviceId>a</serviceId><controlURL>/ctl</controlURL>
<eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL></service></serviceList></device></deviceList>
</device></deviceList></device></root>"""


class PoorIgd:
    """`external`: its address in the world, as it says; `refuses`: it maps nothing; `garbage`: its
    description is none; `silent`: it takes connections and says nothing. `mapped` has the external
    ports that are open."""

    def __init__(
        self,
        namespace: str,
        *,
        external: str = "5.5.1.2",
        refuses: bool = False,
        garbage: bool = False,
        silent: bool = False,
    ) -> None:
        self.external, self.refuses, self.garbage, self.silent = external, refuses, garbage, silent
        self.mapped: set[str] = set()
        self.asked: list[str] = []
        self.ended = threading.Event()
        self._namespace = namespace
        add(namespace)
        with inside(namespace):
            run("ip", "link", "add", "lan", "type", "bridge")
            run("ip", "addr", "add", f"{HOST}/24", "dev", "lan")
            run("ip", "link", "set", "lan", "up")
            run("ip", "route", "add", "default", "dev", "lan")
            self._ssdp = self._announcer()
            # HTTPServer would look its own name up, and nobody knows names here.
            self._http = ThreadingTCPServer((HOST, 0), self._handler())
            self._http.daemon_threads = True
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._announce, self._http.serve_forever)
        ]
        for thread in self._threads:
            thread.start()

    def vanish(self) -> None:
        """Nobody is there any more."""
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()
        with suppress(OSError):
            self._ssdp.shutdown(socket.SHUT_RDWR)
        self._ssdp.close()

    def stop(self) -> None:
        if not self.ended.is_set():
            self.vanish()
        delete(self._namespace)

    def _announcer(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", SSDP[1]))
        member = struct.pack("4s4s", socket.inet_aton(SSDP[0]), socket.inet_aton(HOST))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        sock.settimeout(0.05)
        return sock

    def _announce(self) -> None:
        port = self._http.server_address[1]
        answer = (
            f"HTTP/1.1 200 OK\r\nST: {DEVICE}\r\nUSN: uuid:1::{DEVICE}\r\n"
            f"LOCATION: http://{HOST}:{port}/root.xml\r\n\r\n"
        )
        while not self.ended.is_set():
            try:
                data, source = self._ssdp.recvfrom(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if DEVICE.encode() in data:
                self._ssdp.sendto(answer.encode(), source)

    def _answer(self, action: str, body: str) -> tuple[int, str]:
        """SOAP: status and what stands inside the body."""
        port = re.search(r"<NewExternalPort>(\d+)", body)
        if action == "GetStatusInfo":
            told = "<NewConnectionStatus>Connected</NewConnectionStatus>"
            return 200, f"{told}<NewLastConnectionError>NONE</NewLastConnectionError>"
        if action == "GetExternalIPAddress":
            return 200, f"<NewExternalIPAddress>{self.external}</NewExternalIPAddress>"
        if action in ("AddPortMapping", "DeletePortMapping") and port and not self.refuses:
            (self.mapped.add if action[0] == "A" else self.mapped.discard)(port[1])
            return 200, ""
        code = 713 if action == "GetGenericPortMappingEntry" else 606
        return 500, f"<errorCode>{code}</errorCode>"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        igd = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                igd.asked.append(self.path)
                if igd.silent:
                    igd.ended.wait(30)
                    return
                self.say(200, "<<<" * 2000 + "\0\xff" if igd.garbage else ROOT)

            def do_POST(self) -> None:
                if self.path != "/ctl":
                    self.say(404, "")
                    return
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                action = self.headers["SOAPAction"].strip('"').partition("#")[2]
                igd.asked.append(action)
                status, told = igd._answer(action, body)
                if status == 200:
                    told = f'<u:{action}Response xmlns:u="{SERVICE}">{told}</u:{action}Response>'
                self.say(status, f"<s:Envelope><s:Body>{told}</s:Body></s:Envelope>")

            def say(self, status: int, text: str) -> None:
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing on the screen."""

        return Handler
