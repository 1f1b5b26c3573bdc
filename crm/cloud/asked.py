"""What a customer asked for by buttons, as a sentence of their own in the ticket, and as its subject. Pure."""

from dataclasses import dataclass

from crm.cloud import words
from crm.cloud.rules import Kind, Power, Resource
from crm.texts import Texts as Texts


@dataclass(frozen=True, slots=True)
class Wish:
    kind: Kind
    subject: str
    sentence: str


def power(t: Texts, act: Power, name: str) -> Wish:
    sentences = {
        "reboot": t("Please reboot the machine {name} by force."),
        "unlock": t("Please unlock the machine {name}."),
        "start": t("Please switch on the machine {name}."),
        "stop": t("Please switch off the machine {name}."),
    }
    return Wish(act, words.named(t, act, name), sentences[act].format(name=name))


def quota(t: Texts, cabinet: str, resource: Resource, before: int, value: int) -> Wish:
    line = f"{words.resource_labels(t)[resource]}: "
    line += f"{words.amount(t, resource, before)} → {words.amount(t, resource, value)}"
    sentence = t("Please raise the quota of the cabinet {name}.", name=cabinet)
    return Wish("quota", f"{words.kind_labels(t)['quota']}: {line}", f"{sentence} {line}")


def password(t: Texts, login: str) -> Wish:
    sentence = t("Please make a new password for the login {name}.", name=login)
    return Wish("password", words.named(t, "password", login), sentence)


def link(t: Texts, cabinet: str, first: str, second: str) -> Wish:
    sentence = t(
        "Please link the zones {first} and {second} in the cabinet {name}.", first=first, second=second, name=cabinet
    )
    return Wish("link", words.named(t, "link", f"{first} – {second}"), sentence)


def cabinet(t: Texts, name: str, phone: str, proven: bool) -> Wish:
    sentence = t("Please open a cabinet for {name}.", name=name)
    return Wish("open", words.named(t, "open", name), f"{sentence}\n{_phone(t, phone, proven)}")


def trial(t: Texts, name: str, phone: str, proven: bool) -> str:
    """Only the sentence: the trial is judged before it becomes an action."""
    sentence = t("Please give {name} a trial.", name=name)
    return f"{sentence}\n{_phone(t, phone, proven)}"


def _phone(t: Texts, phone: str, proven: bool) -> str:
    line = t("Phone: {phone} (confirmed by Telegram)") if proven else t("Phone: {phone}")
    return line.format(phone=phone)
