"""What the ORM lacks, for many rows at once: a small kit that host adapters may use, too.

See docs/sql-kit.rst.

- `bulk`: insert, select, update and delete many rows with one statement each, on every database.
- `lookups`: whether a column is among many values, in the form that each database looks up best.
- `occurrence`: which of many texts a column has.
- `fields`: strings that compare the same on every database, and the normalized form of another column.
- `indexes`: indexes over the rows where a text is not blank, or a value is not NULL.
- `compiled`: a query that the ORM writes once per process.
- `conversion`: rows as the driver returns them, in Python's types.

No signals are sent, and nothing is validated.
"""
