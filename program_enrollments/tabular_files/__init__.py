"""Tabular files: CSV as spreadsheets and student information systems read and write it.

Read a file with `open_table`, write one with `write_table`. Both work on streams: neither ever holds a file as a whole.
What this package writes, it reads back cell by cell. See docs/files.rst.
"""

from __future__ import annotations

from program_enrollments.tabular_files.cells import describe_damage, shield, unshield
from program_enrollments.tabular_files.output import write_table
from program_enrollments.tabular_files.table import Dialect, Record, Table, open_table

__all__ = ["Dialect", "Record", "Table", "describe_damage", "open_table", "shield", "unshield", "write_table"]
