"""What only the whole reading knows: several From, forwards, what came back."""

from mailbridge.read import read

REPORT = b"""\
From: MAILER-DAEMON@mx.kz
To: support@desk.kz
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.kz

Final-Recipient: rfc822; gone@client.kz
Action: failed
Status: 5.1.1
--b
Content-Type: message/rfc822

From: support@desk.kz
Subject: Answer
Message-ID: <17.a\0b2@desk.kz>

Text
--b--
"""


def test_what_came_back_is_no_attachment_and_its_id_can_be_stored() -> None:
    letter = read(REPORT)
    assert letter.bounce is not None
    assert letter.bounce.recipients == ("gone@client.kz",)
    assert letter.bounce.original_id == "17.ab2@desk.kz"
    assert letter.files == ()
    assert (letter.nature, letter.automatic) == ("bounce", True)


def test_a_report_in_another_wrapping_has_no_attachment_either() -> None:
    letter = read(REPORT.replace(b"multipart/report; report-type=delivery-status;", b"multipart/mixed;"))
    assert letter.bounce is not None
    assert letter.files == ()


def test_attack_6_whoever_names_two_senders_speaks_for_nobody() -> None:
    for senders in (
        b"From: a@b.kz\nFrom: c@d.kz\n",
        b"From: a@b.kz, c@d.kz\n",
        b"From: g: a@b.kz, c@d.kz;\n",
        b"From:\n",
        b"",
    ):
        letter = read(senders + b"Sender: a@b.kz\nReply-To: a@b.kz\nSubject: t\n\nText\n")
        assert letter.sender is None, senders
    assert read(b"From: a@b.kz\nFrom: Ann <a@b.kz>\n\nText").sender is not None


def test_attack_14_line_ends_within_encoded_words_stay_within_their_field() -> None:
    letter = read(
        b"From: =?utf-8?Q?A=0D=0ABcc:_v@w.kz?= <a@b.kz>\nSubject: =?utf-8?B?SGkNCkJjYzogdkB3Lmt6?=\n"
        b"Content-Type: application/pdf; name*=utf-8''a%0D%0ABcc%3A.pdf\n\nx\n"
    )
    said = [letter.subject, *(one.name for one in letter.senders), *(file.filename for file in letter.files)]
    assert said == ["Hi Bcc: v@w.kz", "A Bcc: v@w.kz", "a Bcc_.pdf"]


def test_a_mail_that_only_passes_something_on_says_what_it_passes_on() -> None:
    forwarded = "---------- Forwarded message ---------\nFrom: A <a@b.kz>\nSubject: x\nTo: c@d.kz\n\nThe words"
    assert "The words" in read(f"From: a@b.kz\n\n{forwarded}\n".encode()).reply_text
    assert read(f"From: a@b.kz\n\nPlease look.\n\n{forwarded}\n".encode()).reply_text == "Please look."


def test_a_border_that_is_named_is_believed() -> None:
    raw = b"Authentication-Results: mx.desk.kz; dmarc=pass header.from=b.kz\nFrom: a@b.kz\n\nText"
    assert read(raw, "mx.desk.kz").authentication.verified
    assert not read(raw, "mx.other.kz").authentication.verified
