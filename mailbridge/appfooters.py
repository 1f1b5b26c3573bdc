"""Lines that mail programs add by themselves: «Sent from my iPhone» in the world's languages."""

import re
from collections.abc import Sequence

LOWEST = 60  # lines from the end of a stretch of own words among which apps write
LONGEST = 140  # characters, links apart
MOST_WORDS = 16

_OPENING = (  # «Sent from …»
    r"(?:message |mail |email )?(?:sent|typed|written) (?:from|via|with|by|using|on|through)",
    r"(?:от(?:правлено|ослано)|послано|написано) (?:с|со|из|через|при помощи|с помощью|от)",
    r"(?:надіслано|відправлено|надіслана|написано) (?:з|із|зі|через|за допомогою|від)",
    r"жіберілді|жолданды",
    r"gesendet (?:von|vom|mit|aus|über|per)",
    r"(?:envoyée?|provenance|expédié) ?(?:depuis|de|à partir de|via|avec|par|:)",
    r"enviado (?:desde|do|de|a partir do|pelo|com|via|por|mediante)",
    r"inviato (?:da|dal|con|tramite|dallo)",
    r"(?:verzonden|verstuurd) (?:met|vanaf|vanuit|via|door)",
    r"(?:wysłane|wysłano) (?:z|ze|za pomocą|przez)",
    r"(?:odesláno|odoslan[éo]) (?:z|ze|pomocí|prostřednictvím)",
    r"(?:skickat|skickades|sänt) (?:från|med|via)",
    r"sendt (?:fra|med|via)|från min|lähetetty|elküldve|küldve|trimis (?:de pe|din|de la|cu)|poslano (?:s|sa|z|iz)",
    r"изпратено от|στάλθηκε από|(?:được )?gửi từ|נשלח מ|发自|發自|来自|從|从",
)
_CLOSING = (  # «… gesendet»
    r"жіберілді|жіберілген|жолданды|жазылған|жазылды",
    r"gesendet|verschickt|versandt|geschrieben|gönderildi",
    r"から送信|에서 보냄|에서 보낸 메일",
)
_THINGS = (  # at least one of which is named
    r"i(?:phone|pad|pod|os)|айфон|айпад|mac\b|android|андроид|windows|\bpc\b|laptop|ti-\d",
    r"samsung|galaxy|huawei|honor|xiaomi|redmi|poco|realme|oppo|vivo|nokia|sony|xperia|\bhtc|\blg\b|motorola|oneplus",
    r"pixel|blackberry|alcatel|fairphone",
    r"mail|почт|пошт|пошта|outlook|yandex|яндекс|yahoo|proton|thunderbird|k-9|spark|newton|nine|sparrow|acompli",
    r"superhuman|tutanota|zoho|gmx|web\.de|aol|orange|roundcube|horde|inbox|edison|spike|hey\b|workspace",
    r"smartphone|смартфон|phone|telefon|телефон|mobil|мобил|мобіл|моб\.|cell|tablet|планшет|device|устройств|пристро",
    r"құрылғы|gerät|handy|apparaat|toestel|enhet|enhed|urządzen|zařízení|appareil|dispositivo|cihaz|app\b|aplik|"
    r"прилож",
    r"\b(?:my|meinem|mein|mon|ma|mi|meu|minha|mio|mia|mijn|min|mitt|моего|моей|мого|мойого)\b",
    r"手机|手機|邮箱|郵件|邮件|客户端|传送|傳送|发送",
)
_FIXED = (
    r"sent (?:via|from|with|by|using) (?:[\w-]+ ?){1,3}",
    r"from my (?:\w+ ){0,3}\w+",
    r"\w+ from mobile|via mobile",
    r"(?:get|download|try|install) (?:the )?(?:\w+ )?(?:outlook|yahoo mail|bluemail|aqua mail|gmail)\b.{0,60}",
    r"(?:please )?(?:excuse|forgive|pardon) (?:my |the |any )?(?:brevity|typos|short|errors|spelling|mistakes).{0,60}",
    r"(?:простите|извините) за (?:краткость|опечатки).{0,60}|вибачте за стислість.{0,60}",
    r"(?:\S+ ){0,5}outlook (?:for|для|für|pour|para|per|voor|dla|pro|för|til|for) (?:ios|android|mac).{0,60}",
    r"(?:скачать|скачайте|получить|загрузить) (?:приложение )?outlook.{0,60}",
    r".{0,30}outlook.{0,40}(?:алу|жүктеу).{0,40}",
    r"(?:télécharger|obtenir|obtener|descargar|baixar|obter|scarica|ottieni|pobierz|hämta|hent|hanki) "
    r".{0,12}outlook.{0,60}",
    r"this (?:e-?mail|message) (?:has been|was) (?:checked|scanned).{0,120}|virus-free.{0,60}",
    r"(?:проверено (?:на вирусы|антивирус)|без вирусов|вирусов нет|письмо проверено).{0,120}",
    r"diese e-?mail wurde (?:auf viren|von avast).{0,120}|(?:virenfrei|garanti sans virus|libre de virus).{0,60}",
    r"(?:www\.)?avast\.\w+|#[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
)


def _any(patterns: Sequence[str]) -> str:
    return "|".join(patterns)


_EDGES = ' \t\xa0*_<>()[]«»"—–.!-'
_OPENED = re.compile(rf"(?:{_any(_OPENING)})(?!\w)|(?:发自|發自|来自|從|从|נשלח מ)", re.IGNORECASE)
_CLOSED = re.compile(rf"(?:{_any(_CLOSING)})$", re.IGNORECASE)
_NAMED = re.compile(_any(_THINGS), re.IGNORECASE)
_KNOWN = re.compile(rf"(?:{_any(_FIXED)})$", re.IGNORECASE)
_LINK = re.compile(
    r"\[([^\]\n]{0,100})\]\([^)\n]{0,300}\)|(?:<|&lt;)(?:https?|mailto):[^>\n]{0,300}(?:>|&gt;)|"
    r"\(https?://[^)\n]{0,300}\)|https?://\S{1,300}"
)
_JUST_LINK = re.compile(r"^\s*(?:[<(\[]|&lt;)?https?://\S{1,300}\s*$")
_AD = re.compile(r"^\s*<?https?://\S{0,60}(?:avast|sig-email)\S{0,300}\s*$|^\s*<#[0-9A-F-]{36}>\s*$", re.IGNORECASE)
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|because|but|і|и|не|что|which|that|when|and i|makes|works?|yesterday|вчера)\b", re.IGNORECASE
)


def is_footer(line: str) -> bool:
    """Whether a mail program wrote this line about itself."""
    if not 5 <= len(line) <= 3 * LONGEST:
        return False
    if _AD.match(line):
        return True
    bare = " ".join(_LINK.sub(lambda found: " " + (found.group(1) or "") + " ", line).split()).strip(_EDGES)
    if not bare or len(bare) > LONGEST or len(bare.split()) > MOST_WORDS or _SENTENCE.search(bare[12:]):
        return False
    if _KNOWN.match(bare):
        return True
    return (_OPENED.match(bare) or _CLOSED.search(bare)) is not None and _NAMED.search(bare) is not None


def without_footers(lines: list[str]) -> list[str]:
    """Lines without those that apps added, when they stand alone: at either end of a paragraph."""
    top = max(0, len(lines) - LOWEST)
    kept = lines[:top]
    dropped = False
    for place, line in enumerate(lines[top:], top):
        if dropped and _JUST_LINK.match(line):
            continue
        edge = (
            dropped
            or place == 0
            or not lines[place - 1].strip()
            or place + 1 == len(lines)
            or not lines[place + 1].strip()
        )
        dropped = edge and is_footer(line)
        if not dropped:
            kept.append(line)
    return kept
