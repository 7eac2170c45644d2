"""Accounts: sign up, confirm the e-mail address, sign in and out."""
