"""Reads: lists, look-ups and the feed of changes. Every list is a keyset page."""
