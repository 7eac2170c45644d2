"""Defaults on Open edX in production: once more, because YAML replaces a dict as a whole."""

from __future__ import annotations

from program_enrollments.settings.common import plugin_settings

__all__ = ["plugin_settings"]
