"""Serves the identity providers: `python -m demo_lms.idp --port 8001 --folder … --sp-metadata …`.

Ends when its standard input does, so that it never outlives whoever started it, however that one ended.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from demo_lms.idp.keys import key_pair
from demo_lms.idp.people import UNIVERSITIES
from demo_lms.idp.provider import IdentityProvider
from demo_lms.idp.website import Website

HOST = "127.0.0.1"


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """Browsers keep connections open that they don't use: each needs a thread of its own."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """Logs nothing: a query string here is a whole SAML request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name it has where it is declared)
        return


def main() -> None:
    """Serve until standard input ends; print the address once requests are answered."""
    parser = argparse.ArgumentParser(prog="demo_lms.idp", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="Port to serve on; 0, the default, takes a free one.")
    parser.add_argument("--folder", type=Path, required=True, help="Where the keys are kept, or made.")
    parser.add_argument("--sp-metadata", type=Path, required=True, help="Metadata of the service to sign people on to.")
    options = parser.parse_args()
    server = make_server(HOST, options.port, _not_ready, server_class=ThreadingServer, handler_class=QuietHandler)
    base_url = f"http://{HOST}:{server.server_port}"
    providers = {
        university.key: IdentityProvider(
            university=university,
            keys=key_pair(folder=options.folder / university.key, name=f"Identity provider of {university.name}"),
            base_url=f"{base_url}/{university.key}",
            sp_metadata=options.sp_metadata.read_text(encoding="utf-8"),
        )
        for university in UNIVERSITIES
    }
    server.set_app(Website(providers=providers))
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.stdout.write(f"{base_url}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _not_ready(environ: Any, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
