"""The parts of `program_enrollments.host.contract`, one per concern."""
