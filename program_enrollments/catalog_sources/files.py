"""Files as sources of the catalog: CSV, or JSON in the shape of Course Discovery's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from program_enrollments.catalog_sources.csv_file import read_csv
from program_enrollments.catalog_sources.discovery_shape import Schools, read_programs
from program_enrollments.catalog_sources.values import CatalogProblem, CatalogProgram
from program_enrollments.conf import get_setting
from program_enrollments.exceptions import CatalogUnavailable


def read_file(path: Path) -> Iterator[CatalogProgram | CatalogProblem]:
    """Read the programs of a file ending in `.csv` or `.json`.

    Raises CatalogUnavailable if the file cannot be read. Schools of a JSON file are found as in `sync_catalog`.
    """
    try:
        with path.open("rb") as file:
            match path.suffix.lower():
                case ".csv":
                    yield from read_csv(file)
                case ".json":
                    schools: Schools = (get_setting("DISCOVERY") or {}).get("SCHOOLS", {})
                    yield from read_programs(_results(file.read()), schools=schools)
                case _:
                    raise CatalogUnavailable(f"{path} is neither a .csv nor a .json file.")
    except OSError as error:
        raise CatalogUnavailable(f"{path} cannot be read: {error.strerror}.") from None


def _results(content: bytes) -> list[object]:
    """Return the programs of one of Discovery's pages, or of a plain list of programs."""
    try:
        page = json.loads(content)
    except (ValueError, RecursionError):
        raise CatalogUnavailable("The file is not JSON.") from None
    results = page.get("results") if isinstance(page, dict) else page
    if not isinstance(results, list):
        raise CatalogUnavailable('The file holds neither a list of programs nor an object with "results".')
    return results
