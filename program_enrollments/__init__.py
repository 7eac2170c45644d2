"""Program enrollments and preemptive program enrollments, kept inside the LMS."""

__version__ = "0.1.0"
