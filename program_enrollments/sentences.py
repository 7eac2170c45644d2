"""Sentences: written and stored in English, shown in the reader's language.

What the API answers and what is stored (a file's problems, why a job is held, why two accounts conflict) is English: it
is read by programs, by people of many languages, and after years. Pages translate it when they show it. A sentence
without values is its own message. One with values, or that stands beside others, is registered with `known`, so that
`translated` recognizes it in a text. Mark both with `gettext_noop`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext, override

PLACE = re.compile(r"%\((\w+)\)([sd])")
WORDS = frozenset({"claim_how", "link_how", "reason", "state", "what"})
"""Values that are words of this app, and are translated with their sentence."""

_templates: list[tuple[re.Pattern[str], str]] = []


def known(template: str) -> str:
    """Register a sentence, or a sentence with `%(name)s` or `%(name)d` in it, and return it as it is."""
    if any(template == registered for _pattern, registered in _templates):
        return template
    pattern, end = "", 0
    for place in PLACE.finditer(template):
        value = r"\d+" if place[2] == "d" else ".+?"
        pattern += f"{re.escape(template[end : place.start()])}(?P<{place[1]}>{value})"
        end = place.end()
    pattern += re.escape(template[end:])
    _templates.append((re.compile(rf"{pattern}(?= |\Z)", re.DOTALL), template))
    return template


def translated(text: str) -> str:
    """Return a text of this app in the reader's language; what it does not recognize stays as it is."""
    return " ".join(_translations(text)) if text else ""


def _translations(text: str) -> Iterator[str]:
    while text:
        whole = gettext(text)
        found = next(((match, template) for known, template in _templates if (match := known.match(text))), None)
        if whole != text or found is None:
            yield whole
            return
        match, template = found
        yield gettext(template) % {name: _value(template, name, value) for name, value in match.groupdict().items()}
        text = text[match.end() :].lstrip()


def _value(template: str, name: str, value: str) -> str | int:
    if f"%({name})d" in template:
        return int(value)
    return translated(value) if name in WORDS else value


def in_english() -> override:
    """Return a context in which marked texts are what they are in the source: for what is stored or sent."""
    return override(None)
