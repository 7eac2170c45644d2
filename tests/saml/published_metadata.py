"""What universities publish about their identity providers: metadata, and a server that serves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from lxml import etree

from tests.loopback import LoopbackServer
from tests.saml.university import University, signature_of


def metadata(
    university: University,
    *others: University,
    sso_url: str = "https://idp.uni-a.example/sso",
    name: str = "Uni A",
    valid_until: str = "",
) -> str:
    """Return a university's metadata with its certificate, and with those of `others` behind it."""
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        f"{_body(each)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for each in (university, *others)
    )
    valid = f' validUntil="{valid_until}"' if valid_until else ""
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{university.entity_id}" ID="_metadata"{valid}>'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f'<md:Extensions><mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui">'
        f'<mdui:DisplayName xml:lang="en">{name}</mdui:DisplayName></mdui:UIInfo></md:Extensions>'
        f"{keys}<md:SingleSignOnService "
        f'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso_url}"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def signed_metadata(
    text: str, signer: University, *, shown: University | None = None, method: str = "RSA_SHA256"
) -> str:
    """Return metadata signed by `signer`; its signature carries the certificate of `shown`, or the signer's."""
    root = signer.sign(etree.fromstring(text), method=method)
    signature_of(root).append(
        etree.fromstring(
            '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
            f"{_body(shown or signer)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        )
    )
    return str(etree.tostring(root, encoding="unicode"))


def _body(university: University) -> str:
    return "".join(university.certificate.strip().splitlines()[1:-1])


class Publisher:
    """A university's web server; `answer` is the status, the headers and the body of each answer."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/metadata.xml"
        self.answer: tuple[int, dict[str, str], bytes] = (404, {}, b"")
        self.asked: list[str] = []

    def publish(self, text: str) -> None:
        self.answer = (200, {"Content-Type": "application/samlmetadata+xml"}, text.encode())

    def redirect(self, url: str) -> None:
        self.answer = (302, {"Location": url}, b"")


@contextmanager
def publishing() -> Iterator[Publisher]:
    """Serve on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            status, headers, body = publisher.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name where it is declared)
            return

    server = LoopbackServer(Handler)
    publisher = Publisher(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
