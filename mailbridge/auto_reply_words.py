"""Words of mail that answers by itself: subjects of auto-replies, receipts of tickets, people who are away."""

import re

from mailbridge.wording import any_of

SUBJECT = any_of(
    r"""
    auto(?:matic(?:ally)?|mated)?[ -]?(?:generated )?(?:reply|response|respond\w*|answer|acknowledg\w+)\b
    auto: | \[auto
    out[ -]of[ -](?:the )?office
    (?:ooo|ofo)\b(?! \d)
    away from (?:the |my )?(?:office|desk|mail)
    on (?:vacation|leave|holiday|pto)\b
    (?:vacation|absence|holiday) (?:reply|response|message|notice|auto)
    i(?:'| a)?m (?:out|away|on (?:vacation|leave))\b
    abwesenheit\w*
    automatische (?:antwort|r[üu]ckmeldung)
    auto-?antwort
    nicht im (?:b[üu]ro|haus)
    eingangsbest[äa]tigung
    r[ée]ponse automatique
    absence (?:du bureau|temporaire)
    absent\(?e?\)? du bureau
    message d'absence
    accus[ée] de r[ée]ception
    respuesta autom[áa]tica
    autorespuesta
    fuera de (?:la )?oficina
    ausente de la oficina
    acuse de recibo
    resposta autom[áa]tica
    aus[êe]ncia (?:tempor|do escrit)\w*
    fora do escrit[óo]rio
    risposta automatica
    fuori (?:sede|ufficio)
    automatisch (?:antwoord|beantwoord)\w*
    afwezig\w*
    autosvar
    automatisk(?:t)? svar
    frav[æa]rsmelding
    ikke p[åa] kontoret
    fr[åa]nvaromeddelande
    automaattinen (?:poissaolo)?vastaus
    poissaoloviesti
    automatyczna odpowied[źz]
    odpowied[źz] automatyczna
    autoodpowied[źz]
    poza biurem
    automatick[áa] odpov[ěe][ďd]?
    mimo kancel[áa][řr]
    automatikus v[áa]lasz
    h[áa]zon k[íi]v[üu]l
    r[ăa]spuns automat
    automatski (?:odgovor|odziv)
    samodejni odgovor
    automatinis atsakymas
    autom[āa]tisk[āa] atbilde
    automaat(?:ne )?vastus
    otomatik (?:yan[ıi]t|cevap)
    (?:ofis|b[üu]ro) d[ıi][şs][ıi]nda
    avtomatik (?:cavab|javob)
    автоматик жавоб
    автоматты (?:түрде )?жауап
    авто-?жауап
    кеңседе жоқ
    авто-?ответ\w*
    автоматическ(?:ий|ое) (?:ответ|подтверждение)
    автоматичн(?:а|ий|ен) (?:відповідь|отговор)
    автовідповідь
    аутоматски одговор
    (?:я )?вне офиса
    (?:я )?в отпуске\b
    нет на рабочем месте
    отсутств\w+ (?:в офисе|на рабочем месте)
    αυτόματη απάντηση
    εκτός γραφείου
    תשובה אוטומטית
    رد تلقائي
    الرد التلقائي
    پاسخ خودکار
    ავტომატური პასუხი
    自动(?:回复|答复)
    自動(?:回覆|返信|応答)
    자동\s?(?:회신|응답|답장)
    trả lời tự động
    balasan otomatis
    ตอบกลับอัตโนมัติ
    """.replace(" | ", "\n"),
    before=r"^\W{0,3}(?:\[[^\]\n]{1,80}\]\s*)?",
)
# At the end of a subject that repeats ours.
SUBJECT_END = any_of(
    r"""
    out of (?:the )?office
    auto[- ]?(?:reply|response)
    automatic reply
    autoreply
    автоответ
    автоматический ответ
    abwesenheit\w*
    r[ée]ponse automatique
    """,
    before=r"(?:[(\[]|: |[-–—] )",
    after=r"[)\]]?$",
)

# What answers by themselves say first: that they are answers, or that ours came in and has a number.
RECEIPT = any_of(r"""
    this is an? auto(?:mated|matic|matically generated)?[ -]?(?:\w+ )?(?:reply|response|answer|acknowledg|confirmation)
    (?:это|данное письмо -?—?) ?(?:автоматический ответ|автоответ)
    отправлено автоответчиком
    вам отвечает автоответчик
    бұл автоматты (?:түрде )?(?:жіберілген )?жауап
    (?:dies|das) ist eine automatische (?:antwort|r[üu]ckmeldung)
    ceci est une r[ée]ponse automatique
    esta es una respuesta autom[áa]tica
    esta [ée] uma resposta autom[áa]tica
    questa [èe] una risposta automatica
    bu otomatik bir (?:yan[ıi]t|cevap)
    to jest automatyczna odpowied[źz]
    це автоматична відповідь
    we(?: have|'ve) received your (?:e-?mail|message|request|inquiry)[^\n]{0,80}(?:ticket|case|reference|number|#)
    we(?: have|'ve) received (?:it|your \w+)[ ,]{1,2}and [^\n]{0,60}(?:will|shall) (?:respond|reply|contact you)
    we(?: have|'ve) received (?:it|your \w+)[ ,]{1,2}and [^\n]{0,60}(?:will|shall) (?:get back|be in touch)
    (?:confirm|acknowledg\w+)(?: that)? we (?:have )?received (?:it|your)
    response confirming the receipt of
    your (?:support )?(?:ticket|request|case) [^\n]{0,40}has been (?:received|closed|resolved|assigned|merged|solved)
    thank you for contacting [^\n]{1,60}[.!]\s+(?:we|your)[^\n]{0,80}(?:received|ticket|shortly|within)
    your (?:support )?(?:ticket|request|case) [^\n]{0,40}(?:has been|was) (?:received|logged) (?:and|with|under|as)
    your (?:support )?(?:ticket|request|case) [^\n]{0,40}(?:has been|was) (?:created|opened|registered) (?:and|with)
    a (?:new )?(?:support )?(?:ticket|case) has been (?:created|opened) for you
    ваш[еа]? (?:обращение|заявка|запрос|письмо|сообщение) [^\n.]{0,60}зарегистрирован[оа]?\b
    ваш[еа]? (?:обращение|заявка|запрос) [^\n.]{0,60}принят[оа]? (?:в (?:работу|обработку)|к рассмотрению)
    ваш[еау]? (?:обращение|заявк[ау]|запрос)[^\n.]{0,40}принят\w*[^\n]{0,20} присвоен
    ваш[еа]? (?:письмо|сообщение) [^\n.]{0,40}получено и (?:будет|зарегистр)
    получили ваш\w* (?:обращение|письмо|сообщение|заявку|запрос) и (?:ответим|свяжемся|рассмотрим|скоро)
    haben ihre (?:e-?mail|anfrage|nachricht) erhalten und (?:werden|melden|bearbeiten)
    ihre (?:e-?mail|anfrage|nachricht) (?:wird unter|ist unter|wurde unter) [^\n]{0,40}(?:ticket|nummer|vorgang)
    avons bien re[çc]u votre (?:demande|message|courriel|e-?mail) et
    hemos recibido (?:su|tu) (?:mensaje|solicitud|consulta|correo)(?: y|\.)
    recebemos (?:a sua|o seu|sua|seu) (?:mensagem|solicita[çc][ãa]o|e-?mail)(?: e|\.)
    (?:сіздің )?(?:өтінішіңіз|хатыңыз|сұрауыңыз|өтініміңіз)[^\n.]{0,60}(?:тіркелді|қабылданды)
    """)

# What Outlook says for somebody, and old gateways made plain text of.
SEEN = any_of(r"""
    ^\s*your message\s[^?]{0,400}?was (?:read|displayed|deleted without being read) on
    ^\s*ваше сообщение\s[^?]{0,400}?было (?:прочтено|прочитано|удалено без прочтения)
    ^\s*ihre nachricht\s[^?]{0,400}?wurde (?:am [^\n]{1,40} )?(?:gelesen|ungelesen gelöscht)
    ^\s*votre message\s[^?]{0,400}?a été (?:lu|supprimé sans être lu)
    """)

# A server that lets mail in only when its sender proves to be a person.
CHALLENGE = any_of(r"""
    (?:confirm|verify|prove) (?:that )?(?:you are|you're) (?:an? )?(?:human|real person|not a robot)
    to (?:have your (?:message|e-?mail) delivered|complete this verification)
    (?:your|this) message is (?:being held|waiting) [^\n]{0,60}(?:confirm|verif|click|reply)
    (?:click|follow|visit|reply)[^.]{0,80}\badded? to [^.]{0,40}\b(?:allowed|approved|white|safe)[ -]?(?:senders?|list)
    (?:account|mailbox|address) is protected by [^\n]{1,40}\s[^.]{0,20}(?:click|reply|confirm|verify)
    (?:held|quarantined|blocked) until you (?:confirm|reply|click|verify)
    подтвердите,? что (?:вы не робот|письмо отправлено человеком|вы человек)
    (?:анти-?спам|antispam)[^\n]{0,120}(?:подтвер|confirm)
    """)

ABSENT = any_of(r"""
    \b(?:i am|i'm|i will be|i'll be|we are) (?:currently |now )?(?:out of (?:the )?office|away|travell?ing|off)\b
    \b(?:i am|i'm|i will be|i'll be) (?:currently |now )?on (?:\w+ )?(?:leave|vacation|holiday|pto|business trip)\b
    out of (?:the )?office (?:until|till|from|between|with|and)
    no longer (?:work(?:s|ing)? (?:for|at|by|in|here)|employed|with)\b
    this (?:mailbox|inbox|e-?mail address|account) is no longer (?:in use|used|active|valid|monitored|checked)
    (?:этот|данный) (?:почтовый )?(?:ящик|адрес) больше не (?:использу|действу|обслужива|проверя)\w+
    (?:нахожусь|ухожу|буду находиться) (?:сейчас )?(?:в (?:\w+ )?(?:отпуске?|командировке)|на больничном|вне офиса)
    (?:^|\W)я (?:сейчас )?в (?:\w+ )?(?:отпуске|командировке)
    меня не будет (?:на (?:рабочем )?месте|в офисе|до|по|с)\b
    (?:буду )?отсутств(?:ую|овать) (?:на (?:рабочем )?месте|в офисе|до|по|с)\b
    больше не работа(?:ю|ет) в
    (?:еңбек |кезекті )?(?:демалыста|демалысында|іссапарда)мын
    (?:кеңседе|орнымда|жұмыс орнымда) (?:жоқпын|болмаймын)
    (?:bin|befinde mich|werde) (?:ich )?(?:\S+ ){0,8}nicht (?:im (?:b[üu]ro|haus)|erreichbar|anwesend)
    (?:bin|befinde mich|werde) (?:ich )?(?:\S+ ){0,8}(?:im urlaub|abwesend|au[ßs]er haus)
    je (?:suis|serai) (?:actuellement )?(?:absent|en (?:cong|vacances|d[ée]placement))
    (?:estoy|estar[ée]) (?:fuera|de vacaciones|ausente)
    (?:estou|estarei) (?:de f[ée]rias|ausente|fora)
    (?:sono|sar[òo]) (?:assente|in ferie|fuori)
    (?:ben ik|ik ben) (?:afwezig|niet|met vakantie)
    izindeyim
    ofis d[ıi][şs][ıi]nda
    jestem nieobecn
    przebywam na urlopie
    jsem (?:mimo|na dovolen)
    (?:перебуваю|знаходжуся) у (?:\w+ )?відпустці
    休假
    不在
    """)
RETURN = any_of(r"""
    (?:limited|no|intermittent|without|not have) (?:regular )?access to (?:my )?e?-?mails?
    (?:respond|reply|answer|get back)[^\n]{0,60}(?:return|as soon as|when i)
    upon my return
    (?:return(?:ing)?|back) (?:on|to the office|in the office|until)
    (?:вернусь|выйду|выхожу)\b
    после (?:возвращения|отпуска)
    по возвращени\w+
    доступ к (?:электронной )?почте
    отвечу (?:на ваше|вам|по|после)
    до \d{1,2}[ .]
    оралған(?:нан|да)
    қайтып келген
    жауап бере(?:мін|тін)
    дейін\b
    melde mich
    r[üu]ckkehr
    wieder (?:erreichbar|im|da)
    bis (?:zum|einschlie)
    jusqu'au
    mon retour
    de retour
    mi regreso
    hasta el
    at[ée] (?:o )?dia
    retorno
    fino al
    rientro
    tot en met
    terug
    dön[üu][şs]
    do dnia
    po powrocie
    повернусь
    """)
INSTEAD = any_of(r"""
    (?:urgent|emergenc|immediate|in my absence)[^\n]{0,120}(?:contact|call|e?-?mail|reach|write|please)
    (?:if you need|for (?:any )?assistance)[^\n]{0,120}(?:contact|call|e?-?mail|reach|write|please)
    please (?:contact|e-?mail|call|reach out to|direct|send|use|write)
    (?:срочн|экстренн|неотложн|в мо[её] отсутстви)\w*
    (?:просьба|прошу|можете|пожалуйста,?) (?:обращаться|обратиться|обращайтесь|писать|связаться|звонить)
    обращайтесь
    замеща(?:ет|ющ)
    шұғыл
    жедел
    хабарласы(?:ңыз|ңыздар)
    жүгін(?:іңіз|уіңізді)
    dringend\w*
    wenden sie sich
    urgen(?:ce|t|te|ti|cia|ze)
    contact(?:er|ez|ar|e|are)\b
    rivolgersi
    neem (?:dan )?contact
    acil
    ba[şs]vur
    piln
    kontakt
    терміново
    звертай
    """)


# After the words of a subject that announce an answer by itself, rather than speak of one.
_ANNOUNCED = re.compile(
    r"\s*(?:$|[:：]|\W{0,3}(?:auto|re|aw|fwd?|from|until|untill|till|to|by|von|vom|bis|du|jusqu|hasta|message|notification"
    r"|response|notice|reply|до|с|по|от|на ваш|на сообщение)\b|[^\w\s])",
    re.IGNORECASE,
)


def announced_in(subject: str) -> bool:
    """Whether a subject says that an answer came by itself; a person who asks about such answers goes on in words."""
    found = SUBJECT.search(subject)
    return found is not None and (found[0].endswith(":") or _ANNOUNCED.match(subject, found.end()) is not None)


def says_absent(text: str, alone: bool) -> bool:
    """Whether absence is the whole point: said at the start, with when somebody returns and whom to ask instead; one of
    these will do where the mail holds nothing else (`alone`: no question, nothing quoted)."""
    absent = ABSENT.search(text[:500])
    if absent is None:
        return False
    # Of somebody else colleagues say so, too.
    alone = alone and not re.search(r"works|работает", absent[0], re.IGNORECASE)
    found = (RETURN.search(text) is not None) + (INSTEAD.search(text) is not None)
    return found == 2 or (found == 1 and alone)
