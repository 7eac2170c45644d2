"""Whatever is sent, nothing breaks: a page says no, and the server does no work that somebody else chose for it."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from program_enrollments.models import IdentityProvider, SamlConfiguration
from tests.saml.student import Student
from tests.saml.university import University, encode

pytestmark = pytest.mark.once

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + ']><samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">&a9;</samlp:Response>'
)
IN_ATTRIBUTE = BOMB.replace(">&a9;<", ' ID="&a9;"><')
PARAMETER = (
    '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:1/evil.dtd"> %p;]>'
    '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>'
)
DOCUMENTS: dict[str, str | bytes] = {
    "nothing": b"",
    "no XML": "hello",
    "half of a tag": "<samlp:Response",
    "something else": "<html><body>hello</body></html>",
    "an empty response": '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>',
    "NUL": b"<a>\x00</a>",
    "no UTF-8": b"<a>\xff\xfe</a>",
    "UTF-16": BOMB.encode("utf-16"),
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4APA-a/+AD4-',
    "entity bomb": BOMB,
    "entity bomb in an attribute": IN_ATTRIBUTE,
    "document type alone": "<!DOCTYPE a><a/>",
    "external parameter entity": PARAMETER,
    "deep": "<a>" * 5_000 + "</a>" * 5_000,
    "wide": "<a>" + "<b/>" * 50_000 + "</a>",
    "long attribute": f'<a b="{"x" * 200_000}"/>',
    "logout response": '<p:LogoutResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0"/>',
}


def assert_page(response: Any, student: Student) -> None:
    assert 400 <= response.status_code < 500
    assert "<h1>" in response.content.decode()
    assert student.username == ""
    assert not User.objects.exists()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(student: Student, name: str) -> None:
    student.start()
    began = time.thread_time()  # not the time that other processes take

    response = student.come_back(encode(DOCUMENTS[name]))

    assert_page(response, student)
    assert time.thread_time() - began < 5


def test_an_external_entity_is_never_read(
    student: Student, uni_a: University, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret", encoding="ascii")
    xml = uni_a.says(student.start()).xml()
    xml = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>' + xml.replace("student1", "&x;")

    response = student.come_back(encode(xml))

    assert_page(response, student)
    assert "the-secret" not in response.content.decode() + caplog.text


@pytest.mark.parametrize(
    "encoded",
    ["%", "====", "a", "ä", "\x00", "A" * 400_001, "A" * 3_000_000, "not base64 at all!", "PGE+"],
    ids=lambda encoded: f"{encoded[:5]!r} x {len(encoded)}",
)
def test_what_is_no_base64(student: Student, encoded: str) -> None:
    assert_page(student.come_back(encoded), student)


@pytest.mark.parametrize(
    "relay_state",
    [
        "[" * 100_000,
        "9" * 5_000,
        "{" * 5_000,
        '{"idp": "uni-b"}',
        '{"next": {"a": 1}}',
        '{"idp": ["uni-a"], "next": ["/"]}',
        "null",
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "/" + "x" * 5_000,
    ],
    ids=lambda relay_state: f"{relay_state[:12]!r} x {len(relay_state)}",
)
class TestRelayStates:
    def test_count_for_nothing_when_we_have_asked(self, student: Student, uni_a: University, relay_state: str) -> None:
        response = student.come_back(uni_a.response(student.start(next="/accounts/email/")), RelayState=relay_state)

        assert (response.status_code, response["Location"]) == (302, "/accounts/email/")

    def test_lead_to_no_other_site_when_nobody_has(self, student: Student, uni_a: University, relay_state: str) -> None:
        SamlConfiguration.objects.update(allows_idp_initiated=True)

        response = student.come_back(uni_a.response(None), RelayState=relay_state)

        assert (response.status_code, response["Location"]) == (302, "/dashboard/")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"SAMLResponse": ""},
        {"SAMLRequest": "PGE+"},
        {"RelayState": "x"},
        {"sign_on_returned": "1"},
        {"SAMLResponse": "", "sign_on_returned": "1"},
    ],
    ids=str,
)
def test_posts_without_a_response(student: Student, fields: dict[str, str]) -> None:
    assert_page(student.client.post("/sso/acs/", fields), student)


def test_coming_back_by_a_bookmark(student: Student) -> None:
    assert_page(student.client.get("/sso/acs/"), student)
    assert_page(student.client.get("/sso/acs/", {"SAMLResponse": "PGE+"}), student)


def test_a_file_instead_of_a_response(student: Student, tmp_path: Path) -> None:
    path = tmp_path / "response.xml"
    path.write_bytes(b"<a/>")
    with path.open("rb") as file:
        assert_page(student.client.post("/sso/acs/", {"SAMLResponse": file}), student)


def test_our_page_posts_back_exactly_what_came(student: Student) -> None:
    nasty = base64.b64encode(b"<a/>").decode() + '"><script>alert(1)</script>'

    page = student.client.post("/sso/acs/", {"SAMLResponse": nasty, "RelayState": '"><img src=x>'})

    content = page.content.decode()
    assert "<script>alert" not in content
    assert "<img" not in content


class TestNextAddresses:
    @pytest.mark.parametrize("wanted", ["/courses/course-v1:UniA+CS101+2026/", "/dashboard/?a=1&b=2#there", "/ä/"])
    def test_survive_the_round_trip(self, student: Student, uni_a: University, wanted: str) -> None:
        response = student.come_back(uni_a.response(student.start(next=wanted)))

        assert response["Location"] in {wanted, wanted.replace("ä", "%C3%A4")}

    @pytest.mark.parametrize(
        "wanted",
        ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\x00/", "/" * 2_000, ""],
    )
    def test_that_leave_the_site_are_ignored(self, student: Student, uni_a: University, wanted: str) -> None:
        response = student.come_back(uni_a.response(student.start(next=wanted)))

        assert response["Location"] == "/dashboard/"


def test_the_provider_is_read_once_a_sign_on(
    student: Student, uni_a: University, provider: IdentityProvider, django_assert_max_num_queries: Any
) -> None:
    student.come_back(uni_a.response(student.start()))
    encoded = uni_a.response(student.start())

    with django_assert_max_num_queries(30) as captured:
        assert student.come_back(encoded).status_code == 302

    read = [query["sql"] for query in captured if "samlconfiguration" in query["sql"].lower()]
    assert len(read) == 1
