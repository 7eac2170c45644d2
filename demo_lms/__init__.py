"""A small LMS to install `program_enrollments` into: the demo, the tests' host, and an example of a host adapter."""
