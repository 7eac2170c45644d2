"""Defaults on Open edX in its test settings: those of `common`."""

from __future__ import annotations

from program_enrollments.settings.common import plugin_settings

__all__ = ["plugin_settings"]
