"""Access tokens for the API's clients."""
