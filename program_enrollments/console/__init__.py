"""The program administrators' console: the actions of the API for people (docs/console.rst).

A page parses, makes one `api` call and renders. Who may open it is decided by grants, never by `is_staff`.
"""
