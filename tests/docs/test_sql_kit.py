"""The page about the SQL kit: its examples do what it says, and it names all there is."""

from __future__ import annotations

import ast
import re
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from demo_lms.models import CourseEnrollment
from tests.docs.snippets import ROOT, snippets
from tests.factories.host import HostCourseRunFactory, UserFactory

PAGE = "docs/sql-kit.rst"
KIT = ROOT / "program_enrollments" / "sql"


def public_names() -> set[str]:
    return {
        f"{path.stem}.{node.name}"
        for path in KIT.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def test_the_examples_do_what_the_page_says(db: None) -> None:
    user_ids = [UserFactory().pk for _ in range(3)]
    given: dict[str, Any] = {
        "CourseEnrollment": CourseEnrollment,
        "course_id": HostCourseRunFactory().pk,
        "models": models,
        "now": timezone.now(),
        "user_ids": user_ids,
    }
    texts = [block.text for block in snippets(PAGE) if block.language == "python"]
    # The demo has no table with an index as these two need it.
    blocks = [text for text in texts if "sql.occurrence" not in text]
    assert len(blocks) == len(texts) - 2 == 7
    with transaction.atomic():
        for block in blocks:
            exec(block, given)

    assert given["inserted"] == []
    assert sorted(user for _, user, _ in given["seats"]) == user_ids
    assert sorted(given["gone"]) == [(user, "masters-2") for user in user_ids]
    assert not CourseEnrollment.objects.exists()
    assert given["found"] == []


def test_the_page_names_all_that_is_public() -> None:
    listed = set(re.findall(r"^``(\w+\.\w+)``  +", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE))
    internal = {"lookups.write_among", "fields.exact_collation", "compiled.Slot"}
    assert listed == public_names() - internal
