"""Enrolling: bulk writes of program and course enrollments.

Each chunk is planned, then applied (ADR 0007).
"""
