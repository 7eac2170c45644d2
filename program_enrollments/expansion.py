"""Expansion: recognize text that normalizing would make many times longer, without normalizing it.

NFKC replaces some characters by many: the single U+FDFA becomes 18. Normalizing 255 of them takes 100 times as long
as normalizing letters, only to find that the result is too long.
"""

from __future__ import annotations

import re

LEAST = 4
EXPANDING = re.compile(
    "[\u2057\u2152\u2167\u2177\u247d-\u2487\u2a0c\u321d\u321e\u3300-\u3302\u3304\u3307\u3308\u330c\u330d\u3312\u3313"
    "\u3315-\u3317\u3319-\u331b\u331f-\u3321\u332b\u332d\u332e\u3332-\u3334\u3336\u333d\u3343\u3347\u3348\u334a\u334c"
    "\u334d\u3351\u3354\u3356\u337f\u3389\u33a8\u33ae\u33af\u33c2\u33c6\u33d8\ufdf2-\ufdf8\ufdfa-\ufdfc]"
)
"""The characters whose normal form has at least `LEAST` characters. None of them composes with its neighbors."""


def expands_beyond(value: str, *, limit: int) -> bool:
    """Return whether the normal form of `value` certainly has more than `limit` characters.

    The form is not computed, so False does not promise that it fits.
    """
    if value.isascii() or len(value) * LEAST <= limit:
        return False
    others = EXPANDING.sub("", value)
    return (len(value) - len(others)) * LEAST > limit
