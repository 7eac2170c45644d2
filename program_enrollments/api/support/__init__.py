"""Supporting: what support staff and operators do by hand.

They see, correct, overrule, rename and retire.
"""
