"""Template filters for what is stored in English: `translated` shows it in the reader's language."""

from __future__ import annotations

from django import template

from program_enrollments import sentences

register = template.Library()
register.filter("translated", sentences.translated)
