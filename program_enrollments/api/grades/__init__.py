"""Grades and attendance as the host reports them, and frozen grades (docs/grades.rst)."""
