"""Mails: what a school's contacts are mailed about, worded and sent (docs/mails.rst, ADR 0030)."""
