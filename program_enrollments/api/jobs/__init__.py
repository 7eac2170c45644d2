"""Jobs: files that schools send, checked as a whole, weighed, and applied chunk by chunk (ADR 0016)."""
