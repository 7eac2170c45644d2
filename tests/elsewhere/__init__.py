"""A host whose only database has another alias than `default`; run by `tests/api/test_database_alias.py`."""
