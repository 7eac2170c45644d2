"""Descriptions of the operations, in modules named like those of the endpoints in `v1`."""
