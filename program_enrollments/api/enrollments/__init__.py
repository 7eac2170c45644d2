"""Enrolling: bulk writes of program and course enrollments.

Plan, then apply, chunk by chunk (ADR 0007).
"""
