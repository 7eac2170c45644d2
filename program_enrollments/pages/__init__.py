"""What the pages for people share: base templates, stylesheet, tables, brand and errors.

The console stands on it, and so will the learner's dashboard (ADR 0017).
"""
