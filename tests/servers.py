"""Servers on this machine that do what a script says, over TLS as well, under certificates of our own."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

type Script = Callable[["Peer"], None]


class Peer:
    """The server's side of one connection."""

    def __init__(self, conn: socket.socket, server: "Server") -> None:
        self.conn = conn
        self.server = server

    def request(self) -> bytes:
        """One request, whole; empty at the end of the connection."""
        got = b""
        while b"\r\n\r\n" not in got:
            chunk = self.conn.recv(65536)
            if not chunk:
                return b""
            got += chunk
        head, _, body = got.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += self.conn.recv(65536)
        got = head + b"\r\n\r\n" + body
        self.server.requests.append(got)
        return got

    def answer(self, data: bytes) -> None:
        self.conn.sendall(data)

    def hang(self) -> None:
        self.server.over.wait(20)

    def reset(self) -> None:
        """Let the connection end with a reset."""
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        for byte in data:
            self.conn.sendall(bytes([byte]))
            if self.server.over.wait(pause):
                return


class Server:
    """Listens on this machine and runs a script for each connection."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self.names: list[str | None] = []
        if tls is not None:
            tls.sni_callback = lambda _sock, name, _context: self.names.append(name)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with suppress(OSError), closing(conn):
            if self.tls is None:
                self.script(Peer(conn, self))
            else:
                with self.tls.wrap_socket(conn, server_side=True) as secure:
                    self.script(Peer(secure, self))

    def close(self) -> None:
        self.over.set()
        # A closed listener does not wake its accept; a shut one does.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(script, tls)
    try:
        yield server
    finally:
        server.close()


def plainly(text: str) -> Script:
    """Answers every request on the connection with the same text."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(text.replace("\n", "\r\n").encode())

    return script


OK = plainly("HTTP/1.1 200 OK\nContent-Length: 2\nX-One: 1\n\nok")


class Authority:
    """A certificate authority of our own, and certificates from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "RMS test authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self.root = self._signed(self.name, self.key, [], constraints, days=1)

    def trusted(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.root.public_bytes(serialization.Encoding.PEM).decode())
        return context

    def server(self, *names: str, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        kinds = [_general_name(name) for name in names]
        certificate = self._signed(subject, key, kinds, x509.BasicConstraints(ca=False, path_length=None), days=days)
        return self._context(key, certificate)

    def self_signed(self, name: str) -> ssl.SSLContext:
        """A certificate for this name that nobody has signed but its own key."""
        constraints = x509.BasicConstraints(ca=False, path_length=None)
        return self._context(self.key, self._signed(self.name, self.key, [_general_name(name)], constraints, days=1))

    def _context(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> ssl.SSLContext:
        path = self.folder / f"{len(list(self.folder.iterdir()))}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: Sequence[x509.GeneralName],
        constraints: x509.BasicConstraints,
        days: int,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=10))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if constraints.ca:
            usage = x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Canary:
    """Sings when anybody connects to this machine."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.others: list[socket.socket] = []
        with suppress(OSError):
            self.others.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self.heard = 0
        for listener in (self.listener, *self.others):
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    def _listen(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                conn = listener.accept()[0]
                self.heard += 1
                conn.close()

    def close(self) -> None:
        for listener in (self.listener, *self.others):
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
