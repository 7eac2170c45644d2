"""Sources of the catalog's mirror: Course Discovery, or a file.

Sources read and check; they write nothing. Each yields `values.CatalogProgram`, or `values.CatalogProblem` for an
unusable program, and raises `exceptions.CatalogUnavailable` if it cannot continue. `api.load_catalog` writes the
programs (docs/catalog.rst).
"""
