"""Lines: a file's bytes as lines of text, a block at a time."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from django.utils.translation import gettext_noop as _

from program_enrollments.exceptions import InvalidFile
from program_enrollments.sentences import known
from program_enrollments.tabular_files.cells import SHIELD
from program_enrollments.tabular_files.encodings import HEAD_BYTES, SAVE_AS_CSV, find_encoding

BLOCK_BYTES = 1 << 16
MAX_LINE_CHARACTERS = 1_000_000
MAX_RECORD_BLOCKS = 32
"""A record that needs more blocks than this is taken for one with a quotation mark that is never closed."""

NOT_UTF_16 = known(_("Line %(line)d has bytes that are not UTF-16."))
NOT_UTF_8 = known(_("Line %(line)d has bytes that are not UTF-8, as files in Windows-1252 or Latin-1 have."))
TOO_LONG = known(
    _(
        "Line %(line)d is far too long: a quotation mark on it is never closed, or a cell is no plain value. Correct "
        "the line, or leave out the column with the long texts, and try again."
    )
)
UNCLOSED = known(
    _("A quotation mark in the record that begins on line %(line)d is never closed. Correct the line, and try again.")
)
BYTE_ORDER_MARK = "\ufeff"
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t]*(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
OLD_END_OF_FILE = "\x1a"
"""Control-Z, which old systems write behind the last line."""


class Lines:
    """The lines of a file, each with its end: LF, CRLF or CR.

    `encoding` is what find_encoding says. `separator` is the delimiter that a `sep=` line announces, or ""; that line
    is neither given nor counted. `has_shields` and `has_zero_bytes` are whether any line so far has an apostrophe or a
    zero byte. Iterating raises InvalidFile where the file is no text, with the number of the line.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._head = _read_head(file)
        self.encoding = find_encoding(self._head)
        self.separator = ""
        self.has_shields = self.has_zero_bytes = False
        self.is_at_end = False
        self.record_line = 1
        """The line on which the record begins that is being read. Whoever reads records sets it."""

    def __iter__(self) -> Iterator[str]:
        # Lines are handed on by C code; Python runs once per block.
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[io.StringIO]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        line, rest = 1, self._begin(self._decode(decoder, self._head, rest="", line=1))
        stuck_on, stuck_for = 0, 0
        while raw := self._file.read(BLOCK_BYTES):
            stuck_on, stuck_for = self.record_line, stuck_for + 1 if stuck_on == self.record_line else 1
            if stuck_for > MAX_RECORD_BLOCKS:
                raise unclosed_quote(line=stuck_on)
            rest += self._decode(decoder, raw, rest=rest, line=line)
            # A CR at the very end may be the first half of a CRLF.
            cut = max(rest.rfind("\n"), rest.rfind("\r", 0, len(rest) - 1)) + 1
            whole, rest = rest[:cut], rest[cut:]
            line += self._look_at(whole)
            if len(rest) > MAX_LINE_CHARACTERS:
                raise too_long(line=line)
            yield io.StringIO(whole, newline="")
        rest = (rest + self._decode(decoder, b"", rest=rest, line=line)).removesuffix(OLD_END_OF_FILE)
        self._look_at(rest)
        yield io.StringIO(rest, newline="")
        self.is_at_end = True

    def _begin(self, text: str) -> str:
        """Return a file's first characters without what stands before its first line."""
        text = text.lstrip(BYTE_ORDER_MARK)
        announced = SEPARATOR_LINE.match(text)
        if announced is None:
            return text
        self.separator = announced[1]
        return text[announced.end() :]

    def _decode(self, decoder: codecs.IncrementalDecoder, raw: bytes, *, rest: str, line: int) -> str:
        try:
            return decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(self.encoding)
        before = rest + good if raw is not self._head else self._begin(good)
        line += _count_lines(before)
        if self.encoding != "utf-8":
            raise InvalidFile(f"{NOT_UTF_16 % {'line': line}} {SAVE_AS_CSV}")
        raise InvalidFile(f"{NOT_UTF_8 % {'line': line}} {SAVE_AS_CSV}")

    def _look_at(self, text: str) -> int:
        """Note what is in a block, and return the number of its line ends."""
        self.has_shields = self.has_shields or SHIELD in text
        self.has_zero_bytes = self.has_zero_bytes or "\x00" in text
        return _count_lines(text)


def too_long(*, line: int) -> InvalidFile:
    """Return the refusal of a file with a line, or a cell, that is longer than any real one."""
    return InvalidFile(TOO_LONG % {"line": line})


def unclosed_quote(*, line: int) -> InvalidFile:
    """Return the refusal of a file with a quotation mark that opens a cell and never closes it."""
    return InvalidFile(UNCLOSED % {"line": line})


def _count_lines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _read_head(file: BinaryIO) -> bytes:
    head = b""
    while len(head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(head))):
        head += more
    return head
