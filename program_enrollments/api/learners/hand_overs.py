"""Addresses that change hands between the rows of one call: a swap, or a chain (ADR 0018)."""

from __future__ import annotations

from collections.abc import Iterable

from program_enrollments.api.learners.people import Person
from program_enrollments.api.pieces import cut
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
    gets: dict[Person, Person] = {}
    for piece in cut(list(receivers)):
        for email, student_key in select_rows(
            Learner,
            fields=("email_normalized", "student_key_normalized"),
            among=("email_normalized", piece),
            school=school_id,
        ):
            giver, receiver = givers.get(student_key), receivers.get(email)
            if giver is not None and receiver is not None and giver is not receiver:
                receiver.giver, gets[giver] = giver, receiver
    return _chains(gets)


def _chains(gets: dict[Person, Person]) -> list[list[Person]]:
    """Return the chains and circles in which each person gives to the next. `gets` is used up."""
    receiving = set(gets.values())
    # A chain begins with who receives nothing. What is left when all chains are taken are circles.
    chains = [_follow(person, gets) for person in list(gets) if person not in receiving]
    while gets:
        chains.append(_follow(next(iter(gets)), gets))
    return chains


def _follow(first: Person, gets: dict[Person, Person]) -> list[Person]:
    chain = [first]
    while (receiver := gets.pop(chain[-1], None)) is not None and receiver is not first:
        chain.append(receiver)
    return chain
