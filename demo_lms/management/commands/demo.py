"""Serves the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from demo_lms.demo_data import is_seeded, seed
from demo_lms.demo_data.catalog import COMPUTER_SCIENCE, CS101, DATA_SCIENCE, point_links_at
from demo_lms.demo_data.feeds import drop_folder, seed_feeds
from demo_lms.demo_data.sample_files import FOLDER
from demo_lms.demo_data.webhooks import point_webhooks_at
from demo_lms.idp.running import ProvidersUnavailableError, RunningProviders, configure_providers, start_providers

HOST = "127.0.0.1"
MANAGE = Path(__file__).parents[2] / "manage.py"


class QuietHandler(WSGIRequestHandler):
    """Logs errors only: a page a line would soon hide what was printed at the start."""

    # Headers and body are sent apart: the second would wait for the first one's acknowledgement, up to 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name it has where it is declared)
        if len(args) > 1 and str(args[1]).startswith("5"):
            super().log_message(format, *args)


class Command(BaseCommand):
    help = "Set up the demo's database and data where needed, say what to try, and serve the site on this machine."

    # Checked by handle(), after the database is there.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="Port to serve on (default: %(default)s).")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not 0 < port < 65536:
            raise CommandError(f"{port} is not a port. Choose one from 1 to 65535, such as 8000.")
        server = self._bind(port)
        providers = worker = None
        try:
            self._prepare(base_url=f"http://{HOST}:{port}")
            providers = self._start_universities(port)
            self.stdout.write(self._welcome(base_url=f"http://{HOST}:{port}", idp_url=providers.base_url))
            self.stdout.flush()
            worker = subprocess.Popen(  # noqa: S603  (our own command)
                [sys.executable, str(MANAGE), "run_jobs", "--parent", str(os.getpid())],
                env={**os.environ, "DEMO_SITE_URL": f"http://{HOST}:{port}"},
            )
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. The data is kept for the next time.")
        finally:
            server.server_close()
            if worker is not None:
                worker.terminate()
                worker.wait()
            if providers is not None:
                providers.stop()

    def _bind(self, port: int) -> ThreadedWSGIServer:
        """Take the port first: nothing is to be set up if it cannot be served."""
        try:
            server = ThreadedWSGIServer((HOST, port), QuietHandler)
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Another program may be using it, or another demo. "
                f"Stop it, or choose another port: make demo PORT={port + 1 if port < 65535 else 8000}"
            ) from error
        server.daemon_threads = True
        server.set_app(StaticFilesHandler(get_wsgi_application()))
        return server

    def _prepare(self, *, base_url: str) -> None:
        """Migrate if a migration is missing, seed if there is no data yet, and let links lead to this address."""
        if connection.vendor == "sqlite":
            Path(settings.DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Setting up the database …")
            self.stdout.flush()
            call_command("migrate", verbosity=0, interactive=False)
        if is_seeded():
            point_links_at(base_url=base_url)
            point_webhooks_at(base_url=base_url)
            seed_feeds(now=timezone.now())
        else:
            self.stdout.write("Making two universities …")
            self.stdout.flush()
            seed(base_url=base_url, now=timezone.now())
        connection.close()

    def _start_universities(self, port: int) -> RunningProviders:
        """Start the universities' identity providers, on the next port if it is free, and let the site know them."""
        folder = Path(settings.DEMO_IDP_FOLDER)
        acs_urls = [f"http://{host}:{port}{reverse('sign_on:acs')}" for host in (HOST, "localhost")]
        try:
            providers = start_providers(folder=folder, acs_urls=acs_urls, port=port + 1)
        except ProvidersUnavailableError:
            try:
                providers = start_providers(folder=folder, acs_urls=acs_urls)
            except ProvidersUnavailableError as error:
                raise CommandError(f"The universities' identity providers did not start: {error}") from error
        configure_providers(folder=providers.folder, base_url=providers.base_url)
        connection.close()
        return providers

    def _welcome(self, *, base_url: str, idp_url: str) -> str:
        """Return what is printed: where to look, and what to try."""
        return render_to_string(
            "demo_lms/welcome.txt",
            {
                "base_url": base_url,
                "idp_url": idp_url,
                "program": COMPUTER_SCIENCE,
                "course": CS101,
                "drop": drop_folder(),
                "sample": FOLDER / f"{DATA_SCIENCE.key}-program.csv",
            },
        )
