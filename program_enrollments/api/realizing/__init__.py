"""Realizing: preemptive enrollments become real, at a sign-in or by a sweep."""
