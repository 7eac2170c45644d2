"""The parts of `program_enrollments.host.contract`, one a concern."""
