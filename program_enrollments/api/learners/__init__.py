"""Identifying: who a row, an account or a member of staff means, and what may be changed of a learner."""
