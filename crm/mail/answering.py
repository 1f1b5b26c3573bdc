"""Whether a mail may be answered by the desk itself. Pure; what was sent before is counted by the caller.

Answers that no person wrote are what loops and floods are made of: an address that is not proven gets one a day at
most, and none at all where the border proves senders and this one it did not.
"""

import re
from datetime import timedelta

from crm.mail.letter import Letter

PERIOD = timedelta(hours=24)
# To a proven address they are wanted, but a loop between two programs has to end as well.
MOST_PROVEN = 20
MOST_UNPROVEN = 1
_NOBODY = re.compile(
    r"^(no[-_.]?reply|do[-_.]?not[-_.]?reply|donotreply|mailer-daemon|postmaster|bounces?|noreply.*|abuse|root|nobody)$"
)


def allowance(letter: Letter, border_proves: bool) -> int:
    """How many automatic mails in `PERIOD` its sender may get; 0: none, whatever came before."""
    sender = letter.sender
    if sender is None or letter.nature != "request" or letter.authentication.failed:
        return 0
    if _NOBODY.match(sender.address.rpartition("@")[0].partition("+")[0].lower()):
        return 0
    if letter.authentication.verified:
        return MOST_PROVEN
    return 0 if border_proves else MOST_UNPROVEN
