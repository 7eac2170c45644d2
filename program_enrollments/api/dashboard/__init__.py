"""The learner's dashboard: what an account is enrolled in, how it stands there, what to do next."""
