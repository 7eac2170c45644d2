"""Where the catalog's mirror is filled from: Course Discovery, or a file. Sources read and check; they write nothing.
 Each source gives `values.CatalogProgram` or, for a program that cannot be used, `values.CatalogProblem`, and raises
`exceptions.CatalogUnavailable` where it cannot go on at all. `api.load_catalog` applies what they give
(docs/catalog.rst).
"""
