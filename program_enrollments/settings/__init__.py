"""Settings that the Open edX plug-in brings along: defaults only, the operator's values win.

Open edX calls `plugin_settings` of `common` before it reads the operator's YAML, and that of `production` or `test`
after it. Other hosts have a settings file of their own and don't use these modules.
"""
