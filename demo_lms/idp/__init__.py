"""The demo universities' identity providers: a process of their own, built on pysaml2, without Django.

They behave like a university's: people sign in with a password of the university, and a signed assertion about them is
posted back.
"""
