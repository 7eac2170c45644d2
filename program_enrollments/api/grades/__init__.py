"""Grading: grades and attendance as the host tells them, and grades as they were frozen.

See docs/grades.rst.
"""
