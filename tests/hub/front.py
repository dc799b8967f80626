"""The Hub under its true name, for readers that know no other: Polars' ``hf://`` does not.

They are sent through a proxy, as their HTTPS_PROXY says, which takes huggingface.co for the test
server. Its certificate is of an authority that is made for the occasion, and that they trust for
SSL_CERT_FILE. Addresses of the test server in the heads of answers are replaced by such names, for
they do not follow a redirect from HTTPS to HTTP. What they read must not hold such an address.
"""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from .running import RunningHub

HUB_NAME, STORAGE_NAME = "huggingface.co", "storage.huggingface.test"
_READ = 2**16
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def why_not() -> str | None:
    """Return why this cannot be had here, or None where it can."""
    return None if shutil.which("openssl") else "openssl not found, which makes certificates"


@contextlib.contextmanager
def true_name(hub: RunningHub, folder: Path) -> Iterator[dict[str, str]]:
    """Let a server be reached as huggingface.co.

    Parameters
    ----------
    hub : RunningHub
    folder : Path
        Where certificates are written.

    Yields
    ------
    dict of str
        What has to be in a reader's environment, besides what ``hub.fresh_environment`` puts there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _make_certificates(folder)
    with _Proxy(hub, folder) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield {
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_address[1]}",
            "SSL_CERT_FILE": str(folder / "authority.pem"),
        }
        proxy.shutdown()


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, hub: RunningHub, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts = {HUB_NAME: hub.endpoint, STORAGE_NAME: hub.storage_endpoint}
        self.names = {url.encode(): f"https://{name}".encode() for name, url in self.hosts.items()}
        self.certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.load_cert_chain(folder / "server.pem", folder / "server.key")

    def handle_error(self, request: object, client_address: object) -> None:
        """Readers hang up when they have what they want."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Proxy
    rbufsize = 0

    def handle(self) -> None:
        method, name, _ = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass  # headers
        host = self.server.hosts.get(name.removesuffix(":443"))
        if method != "CONNECT" or host is None:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        where = urlsplit(host)
        with (
            self.server.certificate.wrap_socket(self.connection, server_side=True) as reader,
            socket.create_connection((where.hostname, where.port)) as server,
        ):
            while True:
                ready = [reader] if reader.pending() else select.select([reader, server], [], [])[0]
                for side in ready:
                    piece = side.recv(_READ)
                    if not piece:
                        return
                    if side is reader:
                        server.sendall(piece)
                    else:
                        reader.sendall(self._renamed(piece))

    def _renamed(self, piece: bytes) -> bytes:
        for url, name in self.server.names.items():
            piece = piece.replace(url, name)
        return piece


def _make_certificates(folder: Path) -> None:
    authority = ("-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial")
    names = f"subjectAltName=DNS:{HUB_NAME},DNS:{STORAGE_NAME}\nbasicConstraints=CA:FALSE\n"
    (folder / "names").write_text(names)
    for command in (
        (
            *("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=Tests of Semasia"),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
            *("-keyout", "authority.key", "-out", "authority.pem"),
        ),
        (
            *("req", *_KEY, "-subj", f"/CN={HUB_NAME}"),
            *("-keyout", "server.key", "-out", "server.csr"),
        ),
        (
            *("x509", "-req", "-in", "server.csr", *authority, "-days", "2"),
            *("-extfile", "names", "-out", "server.pem"),
        ),
    ):
        done = subprocess.run(["openssl", *command], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(command)}: {done.stderr}")
