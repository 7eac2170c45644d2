"""Feeds: files that schools drop on a storage become jobs by themselves (docs/feeds.rst, ADR 0029)."""
