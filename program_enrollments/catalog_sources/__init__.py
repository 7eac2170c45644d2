"""Where the catalog's mirror is filled from: Course Discovery, or a file.

Sources read and check; they write nothing. Each gives `values.CatalogProgram` or, for a program that cannot be used,
`values.CatalogProblem`, and raises `exceptions.CatalogUnavailable` if it cannot go on at all. `api.load_catalog`
applies what they give (docs/catalog.rst).
"""
