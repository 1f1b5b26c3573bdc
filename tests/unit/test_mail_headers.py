"""Header fields: whatever is put into one, one field comes out, and it says the same."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.mail.letter import Address
from mailbridge import headers

NASTY = [
    "Тема\r\nBcc: victim@example.com",
    "=?utf-8?Q?a=0D=0ABcc:_victim@example.com?=",
    "=?utf-8?b?DQpCY2M6IHg=?=\r\n\r\nbody",
    "a\nb\x00c\x0bd\x85e\u2028f",
    "\ud800 half, \u202egnp.exe, \u2066x\u2069",
    "x" * 5000,
    "слово " * 900,
]


def decoded(field: str) -> str:
    """As a strict reader has it."""
    name, _, value = field.partition(":")
    assert name == "Subject"
    return str(make_header(decode_header(value.replace("\r\n", "").strip())))


@pytest.mark.parametrize("value", NASTY)
def test_nothing_makes_a_second_field_or_a_long_line(value: str) -> None:
    field = headers.unstructured("Subject", headers.words(value, 150))
    assert field.endswith("\r\n")
    lines = field.removesuffix("\r\n").split("\r\n")
    assert all(line.startswith(" ") for line in lines[1:])
    assert all(len(line) <= 78 and line.isascii() and line.isprintable() for line in lines)
    parsed = message_from_bytes(field.encode() + b"\r\n")
    assert parsed.keys() == ["Subject"]


@settings(deadline=None)
@given(st.text(max_size=300))
def test_words_come_back_as_they_were(value: str) -> None:
    shown = headers.words(value, 150)
    assert len(shown) <= 150
    assert decoded(headers.unstructured("Subject", shown)) == shown


def test_what_only_looks_encoded_stays_as_it_is_written() -> None:
    looks = "=?utf-8?Q?a=0D=0ABcc:_x?="
    assert decoded(headers.unstructured("Subject", looks)) == looks


@settings(deadline=None)
@given(st.lists(st.text(max_size=120), min_size=1, max_size=5))
def test_names_come_back_beside_their_addresses(names: list[str]) -> None:
    people = [Address(f"a{number}@example.com", name) for number, name in enumerate(names)]
    field = headers.mailboxes("To", people)
    parsed = message_from_bytes(field.encode() + b"\r\n", policy=policy.default)
    assert parsed.keys() == ["To"]
    assert [one.addr_spec for one in parsed["To"].addresses] == [one.address for one in people]


@pytest.mark.parametrize("name", ['Иванов, Пётр "Петя" <x@y>', "Smith, John", 'a "b" c\\d', "Айгерім Ә. · ProData"])
def test_a_name_with_marks_is_one_name(name: str) -> None:
    field = headers.mailboxes("To", [Address("a@example.com", name), Address("b@example.com")])
    parsed = message_from_bytes(field.encode() + b"\r\n", policy=policy.default)
    assert [one.display_name for one in parsed["To"].addresses] == [name, ""]


@pytest.mark.parametrize(
    "address",
    [
        "a@b\r\nRCPT TO:<x@y>", "a@b>\r\n", "a b@c", "a@b c", "<a@b>", "a", "@b", "a@", "a@b@c", "a@b,c@d", "",
        f"{'a' * 250}@example.com", "a\x00@b", "a@xn--\u0451" + "ё" * 80 + ".kz",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        headers.mailboxes("To", [Address(address)])


def test_a_domain_in_its_own_letters_is_sent_as_dns_knows_it() -> None:
    assert headers.mailboxes("To", [Address("info@почта.қаз")]).startswith("To: info@xn--80a1acny.xn--")


def test_of_many_ids_the_first_and_the_last_stay() -> None:
    many = [f"id{number}@x" for number in range(100)]
    field = headers.ids("References", many)
    found = field.replace("References:", "").split()
    assert found == ["<id0@x>", *(f"<id{number}@x>" for number in range(85, 100))]
    assert all(len(line) <= 78 for line in field.split("\r\n"))


def test_what_is_no_id_is_left_out() -> None:
    wrong = ["a@b\r\nBcc: x", "a b@c", "<a@b>", "", "ё@x", "x" * 400, "good@x"]
    assert headers.ids("References", wrong) == "References: <good@x>\r\n"
    assert headers.ids("In-Reply-To", []) == ""


@settings(deadline=None)
@given(st.text(max_size=150))
def test_a_file_name_comes_back_as_it_was(value: str) -> None:
    name = headers.words(value, 100) or "file"
    field = headers.structured("Content-Disposition", "attachment", *headers.parameter("filename", name))
    assert max(map(len, field.split("\r\n"))) <= 78
    parsed = message_from_bytes(field.encode() + b"\r\n")
    assert parsed.keys() == ["Content-Disposition"]
    assert parsed.get_filename() == name
