"""The compatible part of the API as a suite against any installation, seen as a registrar gateway sees it.

Needs Python alone: no Django, no package, no database. `python -m gateway_contract --help` lists the options. It is not
part of the wheel, because an installation does not need it.
"""
