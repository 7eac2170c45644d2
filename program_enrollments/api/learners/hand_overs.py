"""Addresses that change hands between the rows of one call: a swap, or a chain (ADR 0018)."""

from __future__ import annotations

from collections.abc import Iterable

from program_enrollments.api.learners.people import Person
from program_enrollments.conf import get_setting
from program_enrollments.models import Learner
from program_enrollments.sql.bulk import select_rows


def find_hand_overs(*, school_id: int, people: Iterable[Person]) -> list[list[Person]]:
    """Note on people whose address they get, and return who depends on each other.

    Somebody gives up an address if the same call brings another one for the student ID that has it. Each list has the
    people of one chain or circle; it has at least two. One statement per chunk of addresses, none if no row gives both
    a student ID and an address.
    """
    named = [
        person
        for person in people
        if person.identity.valid and person.identity.student_key_normalized and person.identity.email_normalized
    ]
    if len(named) < 2:
        return []
    givers = {person.identity.student_key_normalized: person for person in named}
    receivers = {person.identity.email_normalized: person for person in named}
    emails, size = list(receivers), get_setting("CHUNK_SIZE")
    gets: dict[Person, Person] = {}
    for start in range(0, len(emails), size):
        for email, student_key in select_rows(
            Learner,
            fields=("email_normalized", "student_key_normalized"),
            among=("email_normalized", emails[start : start + size]),
            school=school_id,
        ):
            giver, receiver = givers.get(student_key), receivers.get(email)
            if giver is not None and receiver is not None and giver is not receiver:
                receiver.giver, gets[giver] = giver, receiver
    return _chains(gets)


def _chains(gets: dict[Person, Person]) -> list[list[Person]]:
    """Return the chains and circles in which each person gives to the next."""
    receiving = set(gets.values())
    chains = []
    while gets:
        # A chain begins with who receives nothing; what has no such beginning is a circle.
        person = next((each for each in gets if each not in receiving), next(iter(gets)))
        chain = [person]
        while (receiver := gets.pop(chain[-1], None)) is not None and receiver is not person:
            chain.append(receiver)
        chains.append(chain)
        receiving = set(gets.values())
    return chains
