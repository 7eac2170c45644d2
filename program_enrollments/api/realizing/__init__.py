"""Realizing: what was promised becomes real, and the host is made to agree.

It happens at a sign-in or by a sweep.
"""
