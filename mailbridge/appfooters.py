"""Lines that mail programs add by themselves: «Sent from my iPhone» in the world's languages."""

import re

_DEVICE = r"""(?:iphone|ipad|ipod|айфон|айпад|android|андроид|samsung|galaxy|huawei|honor|xiaomi|redmi|mi phone|
poco|realme|oppo|
vivo|nokia|sony|xperia|htc|lg|motorola|oneplus|pixel|blackberry|bb|windows|outlook|gmail|yahoo|mailbox|mail|почт|
пошт|яндекс|
yandex|proton|thunderbird|k-9|bluemail|spark|airmail|mailspring|spike|edison|aqua|tutanota|zoho|gmx|web\.de|aol|
orange|free|
смартфон|smartphone|телефон|phone|telefon|mobil|мобил|моб\.|cell|tablet|планшет|device|устройств|құрылғы|gerät|
handy|apparaat|
enhet|enhed|urządzen|zařízení|ti-\d|alcatel|workspace|fairphone|nine|sparrow|acompli|cloudmagic|newton|polymail|
superhuman|
hey|myMail|inbox|ios|pc|mac|laptop|webmail|roundcube|horde)"""

_FOOTERS = rf"""
(?:sent|message sent|gesendet|mail sent|email sent|typed|written) (?:from|via|with|by|using|on|
through)\b.{{0,40}}{_DEVICE}.{{0,60}}
|sent (?:from|via) my (?:\w+[ -]?){{1,4}}[.!]?
|sent (?:via|from|with|by|using) (?:\w+[ -]?){{1,3}}
|from my (?:\w+ ){{0,2}}{_DEVICE}.{{0,20}}
|\w+ from mobile|via mobile
|(?:get|download|try|install) (?:the )?(?:\w+ )?(?:outlook|yahoo mail|bluemail|aqua mail|gmail)\b.{{0,60}}
|(?:please )?(?:excuse|forgive|pardon) (?:my |the |any )?(?:brevity|typos|short|errors|spelling|mistakes).{{0,60}}
|(?:скачать|скачайте|получить|загрузить|установить) (?:приложение )?outlook .{{0,60}}|outlook (?:для|for) (?:ios|
android).{{0,40}}
|(?:отправлено|отослано|послано|написано) (?:с|со|из|через|при помощи|с помощью|от|мобильной|в)\b.{{0,80}}
|простите за краткость.{{0,60}}|извините за (?:краткость|опечатки).{{0,60}}
|(?:надіслано|відправлено|надіслана|написано) (?:з|із|зі|через|за допомогою|від|від мого)\b.{{0,80}}|
вибачте за стислість.{{0,60}}
|.{{0,60}}{_DEVICE}.{{0,30}} (?:арқылы )?(?:жіберілді|жіберілген|жолданды|жазылған|жазылды)\.?.{{0,30}}
|(?:жіберілді|жолданды).{{0,10}}{_DEVICE}.{{0,40}}|.{{0,10}}outlook.{{0,40}}(?:алу|жүктеу|жүктеп алу).{{0,60}}
|(?:diese (?:nachricht|e-?mail|mail) wurde )?(?:von|vom|mit|aus|über) .{{0,60}}(?:gesendet|verschickt|versandt|
geschrieben)\.?
|gesendet (?:von|vom|mit|aus|über|per)\b.{{0,80}}|(?:holen sie sich|laden sie|beziehen sie|hier) outlook für .{{0,60}}
|outlook für (?:ios|android|mac).{{0,60}}
|(?:envoyé|envoyée|provenance|expédié) (?:depuis|de|à partir de|via|avec|par|:)\b.{{0,80}}|(?:télécharger|obtenez|
obtenir|téléchargez) outlook .{{0,60}}
|enviado (?:desde|do|de|a partir do|pelo|com|via|por|mediante)\b.{{0,80}}|(?:obtener|descargar|baixe|obter|obtenha|
baixar) (?:o )?outlook .{{0,60}}
|inviato (?:da|dal|con|tramite|dallo)\b.{{0,80}}|(?:scarica|ottieni) outlook .{{0,60}}
|(?:verzonden|verstuurd) (?:met|vanaf|vanuit|via|door)\b.{{0,80}}|(?:outlook voor|download outlook).{{0,60}}
|(?:wysłane|wysłano) (?:z|ze|za pomocą|przez)\b.{{0,80}}|(?:pobierz|uzyskaj) (?:program |aplikację )?outlook.{{0,60}}
|(?:odesláno|odoslané|odoslano) (?:z|ze|pomocí|prostřednictvím)\b.{{0,80}}|(?:získejte|stáhnout) outlook.{{0,60}}
|(?:skickat|skickades|sänt) (?:från|med|via)\b.{{0,80}}|från min .{{0,40}}|(?:hämta|skaffa) outlook.{{0,60}}
|(?:sendt) (?:fra|med|via)\b.{{0,80}}|(?:hent|få|skaff deg) outlook.{{0,60}}
|lähetetty .{{0,60}}|hanki outlook.{{0,60}}|.{{0,40}}{_DEVICE}.{{0,20}}gönderildi\.?|outlook.{{0,30}}(?:edinin|
indirin).{{0,60}}
|(?:elküldve|küldve|feladva).{{0,60}}|trimis (?:de pe|din|de la|cu)\b.{{0,60}}|poslano (?:s|sa|z|iz)\b.{{0,60}}|
изпратено от .{{0,60}}
|στάλθηκε από .{{0,60}}|được gửi từ .{{0,60}}|gửi từ .{{0,60}}|נשלח מ.{{0,60}}
|(?:发自|發自|来自|從|从).{{0,40}}(?:iphone|ipad|手机|手機|邮箱|郵件|邮件|android|客户端|传送|傳送|发送).{{0,20}}|
.{{0,30}}から送信|.{{0,30}}(?:에서 보냄|에서 보낸 메일)
|(?:this (?:e-?mail|message) (?:has been|was) (?:checked|scanned)|virus-free|проверено (?:на вирусы|антивирус)|
без вирусов|
письмо проверено|das?iese e-?mail wurde (?:auf viren|von avast)|vírusmentes|garanti sans virus|
libre de virus).{{0,120}}
|(?:it's )?(?:brief|short) (?:because|since) .{{0,60}}"""

_LINE = re.compile(rf"^[\s*_<(\[«\"—–-]*(?:{_FOOTERS.replace(chr(10), '')})[\s*_>)\]»\".!]*$", re.IGNORECASE)
_LINK = re.compile(
    r"\[([^\]\n]{0,100})\]\([^)\n]{0,300}\)|<(?:https?|mailto):[^>\n]{0,300}>|\(https?://[^)\n]{0,300}\)|"
    r"https?://\S{1,300}"
)
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|because|but|і|и|не|что|which|that|when|and i|makes|works?)\b", re.IGNORECASE
)
_JUST_LINK = re.compile(r"^\s*[<(\[]?https?://\S{1,300}[>)\]]?\s*$")
_HINT = re.compile(
    r"sent|send|from m|get |download|outlook|excuse|pardon|forgive|отправл|отосл|послан|напис|простит|извинит|"
    r"надісл|відправл|вибач|"
    r"жібер|жолдан|жазыл|gesendet|verschickt|versandt|geschr|envoy|provenance|expédié|enviad|inviat|verzond|"
    r"verstuurd|wysłan|"
    r"odesl|odosl|skick|sänt|från min|lähete|gönder|küldve|feladva|trimis|poslano|изпратено|στάλ|gửi từ|נשלח|发自|"
    r"發自|来自|從|从|"
    r"から送信|보냄|보낸|virus|вирус|mobile|скач|получить|загруз|brief|typed|written|hanki|edinin|indirin|vírus",
    re.IGNORECASE,
)
LOWEST = 60  # lines from the end of a stretch of own words among which apps write


def is_footer(line: str) -> bool:
    """Whether a mail program wrote this line about itself."""
    if not 5 <= len(line) <= 400 or not _HINT.search(line):
        return False
    bare = " ".join(_LINK.sub(lambda found: " " + (found.group(1) or "") + " ", line).split())
    if not bare or len(bare) > 140 or not _LINE.match(bare):
        return False
    return len(bare.split()) <= 16 and _SENTENCE.search(bare[12:]) is None


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
