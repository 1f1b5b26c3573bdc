"""Words by which the world's mail programs announce what they quote: pure data, in small letters."""


def _words(text: str) -> list[str]:
    return text.split()


def _split(text: str) -> list[str]:
    return [word.strip() for word in text.replace("\n", "").split("|")]


_FROM = """
    from|von|de|da|van|od|fra|från|lähettäjä|от|от кого|отправитель|від|від кого|відправник|кімнен|кімнен келді|
    жіберуші|gönderen|kimden|feladó|差出人|发件人|寄件者|寄件人|보낸 사람|보낸사람|từ|người gửi|expéditeur|
    remitente|mittente|afzender|
    absender|nadawca|odesílatel|από|מאת|من|de la|ад каго|от:|送信者|送信元
"""
_DATE = """
    sent|date|sent at|sent on|gesendet|gesendet am|datum|envoyé|envoyé le|enviado|enviado el|enviado em|enviada em|
    enviada|fecha|inviato|inviato il|data|verzonden|verzonden op|wysłano|wysłane|data wysłania|odesláno|odoslané|
    skickat|skickat den|sendt|dato|lähetetty|päivämäärä|päiväys|pvm|отправлено|отправлен|дата|дата отправки|
    надіслано|відправлено|жіберілді|жіберілген|жіберілген күні|жіберу күні|күні|gönderildi|gönderilme tarihi|
    gönderme tarihi|tarih|elküldve|küldve|dátum|送信日時|送信日|日付|日時|发送时间|发送日期|日期|傳送日期|寄件日期|
    보낸 날짜|보낸날짜|날짜|đã gửi|ngày|
    ngày gửi|trimis|εστάλη|ημερομηνία|נשלח|تاريخ|sendt den|дата и время
"""
_TO = """
    to|an|à|a|para|aan|do|komu|till|til|vastaanottaja|кому|получатель|отримувач|кімге|алушы|alıcı|kime|címzett|宛先|
    收件人|收件者|받는 사람|받는사람|đến|tới|người nhận|către|destinataire|destinatario|empfänger|adresat|προς|אל|إلى|
    送信先
"""
_COPY = """
    cc|kopie|копия|копия:|копію|копія|көшірме|көшірмесі|copie|copie à|kopi|kopia|kopio|dw|bilgi|másolat|ccn|cco|bcc|
    抄送|副本|参照|참조|с копией|κοινοποίηση
"""
_SUBJECT = """
    subject|betreff|objet|asunto|oggetto|assunto|onderwerp|temat|předmět|predmet|ämne|emne|aihe|тема|тема сообщения|
    тема письма|тақырып|тақырыбы|konu|tárgy|件名|主题|主旨|제목|chủ đề|tiêu đề|subiect|θέμα|נושא|الموضوع|re
"""
_OTHER = """
    reply-to|reply to|importance|priority|attachments|organization|важность|вложения|приоритет|anlagen|anhänge|
    wichtigkeit|priorität|pièces jointes|répondre à|rispondi a|responder a|allegati|adjuntos|anexos|bijlagen|
    ответить|organisation|mailed-by|signed-by|replyto|antwort an
"""


#: What a line of a quoted header means, by its key.
ROLES = {
    key: role
    for role, keys in (
        ("other", _OTHER),
        ("subject", _SUBJECT),
        ("copy", _COPY),
        ("to", _TO),
        ("date", _DATE),
        ("from", _FROM),
    )
    for key in _split(keys)
}

#: Keys that only machines write: a block with one of them was pasted on purpose.
MACHINE_KEYS = frozenset(
    _words(
        """
    received message-id return-path mime-version content-type content-transfer-encoding delivered-to dkim-signature
    authentication-results in-reply-to references user-agent x-mailer x-spam-status envelope-to status http/1.1 host
    accept content-length connection cookie date-local
    """
    )
)

#: «-----Original Message-----»
ORIGINAL = frozenset(
    _split(
        """
    original message|original email|original mail|original|reply message|message|quoted message|
    ursprüngliche nachricht|originalnachricht|original-nachricht|originalnachrichten|antwort nachricht|
    urspr. nachricht|message d'origine|message d’origine|message original|message initial|mensaje original|
    messaggio originale|messaggio originario|mensagem original|oorspronkelijk bericht|originele bericht|
    origineel bericht|oryginalna wiadomość|wiadomość oryginalna|treść oryginalnej wiadomości|původní zpráva|
    původní e-mail|
    pôvodná správa|originalmeddelande|ursprungligt meddelande|oprindelig meddelelse|oprindelig besked|
    original meddelelse|opprinnelig melding|original melding|alkuperäinen viesti|исходное сообщение|
    оригинальное сообщение|первоначальное сообщение|исходное письмо|оригинал сообщения|оригинальное письмо|
    оригінальне повідомлення|вихідне повідомлення|початкове повідомлення|оригінал повідомлення|бастапқы хабар|
    бастапқы хабарлама|бастапқы хат|түпнұсқа хабар|түпнұсқа хабарлама|түпнұсқа хат|özgün ileti|orijinal mesaj|
    orijinal ileti|eredeti üzenet|mesaj original|mesajul original|元のメッセージ|元のメール|原始邮件|原始郵件|
    原邮件|原始訊息|邮件原件|원본 메시지|
    원본 메일|original message from|tin nhắn gốc|thư gốc|αρχικό μήνυμα|הודעה מקורית|الرسالة الأصلية
"""
    )
)

#: «---------- Forwarded message ----------»
FORWARDED = frozenset(
    _split(
        """
    forwarded message|forwarded mail|forwarded email|forwarded by|begin forwarded message|forwarding messages|
    begin included message|
    weitergeleitete nachricht|anfang der weitergeleiteten nachricht|anfang der weitergeleiteten e-mail|
    message transféré|début du message transféré|début du message réexpédié|message réexpédié|mensaje reenviado|
    inicio del mensaje reenviado|messaggio inoltrato|inizio messaggio inoltrato|mensagem encaminhada|
    mensagem reencaminhada|início da mensagem encaminhada|doorgestuurd bericht|begin doorgestuurd bericht|
    przekazana wiadomość|wiadomość przekazana dalej|początek przekazywanej wiadomości|treść przekazanej wiadomości|
    přeposlaná zpráva|preposlaná správa|vidarebefordrat meddelande|vidarebefordrat mail|videresendt meddelelse|
    videresendt besked|videresendt melding|start på videresendt besked|välitetty viesti|пересылаемое сообщение|
    пересланное сообщение|переадресованное сообщение|перенаправленное сообщение|пересылаемое письмо|
    пересланное письмо|начало переадресованного сообщения|начало пересылаемого сообщения|
    начало перенаправленного сообщения|переслане повідомлення|початок листа, що пересилається|пересланий лист|
    перенаправлене повідомлення|қайта жіберілген хабар|қайта жіберілген хабарлама|бағытталған хабар|жолданған хабар|
    қайта бағытталған хабар|қайта жолданған хат|iletilen mesaj|yönlendirilmiş ileti|iletilmiş ileti|
    továbbított üzenet|转发的邮件|转发邮件|轉寄郵件|転送メッセージ|転送されたメッセージ|メッセージを転送|전달된 메시지|
    tin nhắn được chuyển tiếp|mesaj redirecționat
"""
    )
)

#: Where some programs end what they forward: what follows is the person's again.
FORWARD_ENDS = frozenset(
    _split(
        """
    end included message|end of forwarded message|end forwarded message|
    конец пересылаемого сообщения|конец пересланного сообщения|
    завершение пересылаемого сообщения|ende der weitergeleiteten nachricht|end of original message|
    кінець пересланого повідомлення|қайта жіберілген хабардың соңы
"""
    )
)

#: «… wrote:»
VERBS = _split(
    """
    wrote|writes|said|says|has written|wrote the following|schrieb|schrieben|schrieben sie|hat geschrieben|
    geschrieben|schrieb folgendes|a écrit|écrit|a ecrit|nous a dit|escribió|escribio|ha escrito|ha scritto|scritto|
    scrive|escreveu|schreef|het volgende geschreven|schreef het volgende|napisał|napisała|napisał(a)|napisali|pisze|
    napsal|napsala|napsal(a)|píše|napísal|napísala|napísal(a)|skrev|skrev följande|kirjoitti|написал|написала|
    написал(а)|написали|написал(-а)|написал(а) следующее|написал следующее|пишет|писал|писала|писал(а)|писали|
    пишете|сообщает|сообщил|сообщила|ответил|ответила|пише|написав|написала|написав(ла)|написав(-ла)|пишуть|жазды|
    жазған|деп жазды|былай деп жазды|жазып жіберді|напісаў|написа|написао је|je napisao/la|je napisao|je napisala|
    napisao|írta|ezt írta|a következőt írta|a scris|yazdı|şunu yazdı|şunları yazdı|έγραψε|כתב|כתבה|كتب|書きました|
    さんは書きました|のメッセージ|のメール|写道|寫道|作成|작성|님이 작성|님이 작성함|님이 씀|썼습니다|đã viết|viết|
    เขียนว่า|menulis|rašė|rakstīja|kirjutas|
    va escriure|ha escrit|نوشت|sent|sent the following|ha enviado
"""
)

#: Small words between a date and a name that betray no sentence.
CONNECTIVES = frozenset(
    _words(
        """
    user пользователь пользователя користувач użytkownik użytkowniczka odesílatel odesílateľ heeft volgende
    following следующее folgendes følgende följande tarihinde кезінде күні сағат notandi alle kello klockan ore
    utente usuário usuario időpont időpontban message article newsgroup monday tuesday wednesday thursday friday
    saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi
    samedi dimanche lunes martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì
    sabato domenica segunda terça quarta quinta sexta segunda-feira terça-feira quarta-feira quinta-feira
    sexta-feira maandag dinsdag woensdag donderdag vrijdag zaterdag zondag poniedziałek wtorek środa czwartek piątek
    sobota niedziela pondělí úterý středa čtvrtek pátek neděle måndag tisdag onsdag torsdag fredag lördag söndag
    mandag tirsdag lørdag søndag maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai maanantaina
    tiistaina keskiviikkona torstaina perjantaina lauantaina sunnuntaina понедельник вторник среда среду четверг
    пятница пятницу суббота субботу воскресенье понеділок вівторок середа середу четвер п'ятниця п'ятницю субота
    суботу неділя неділю дүйсенбі сейсенбі сәрсенбі бейсенбі жұма сенбі жексенбі pazartesi salı çarşamba perşembe
    cuma cumartesi pazar hétfő kedd szerda csütörtök péntek szombat vasárnap mailto via сообщество группа from
    """
    )
)

#: First letters of the months' names, in every tongue above.
MONTHS = frozenset(
    _words(
        """
    jan feb mar apr may jun jul aug sep oct nov dec mär mrz mai okt dez fév fev avr jui aoû aou déc ene abr ago dic
    gen mag giu lug set ott out mrt mei maa sty lut kwi maj cze lip sie wrz paź lis gru led úno bře dub kvě čer čvn
    čvc srp zář říj pro tam hel huh tou kes hei elo syy lok jou des янв фев мар апр мая май июн июл авг сен окт ноя
    дек січ лют бер кві тра чер лип сер вер жов лис гру қаң ақп нау сәу мам мау шіл там қыр қаз қар жел oca şub nis
    haz tem ağu eyl eki kas ara már ápr máj jún júl sze ian iun iul thg ιαν φεβ μαρ απρ μαΐ ιου αυγ σεπ οκτ νοε δεκ
    sij velj ožu svi srp kol ruj stu pro ינו בינ פבר בפב מרץ במר אפר באפ במא מאי יונ ביו יול אוג באו ספט בספ אוק נוב
    בנו דצמ בדצ ينا فبر مار أبر ماي يون يول أغس سبت أكت نوف ديس
    """
    )
)

#: Words that open an attribution.
LEADS = frozenset(
    _words(
        """
    on at le am el il em op den dne dnia w på i pe ma ti ke to la su vào 在 於 于 в во у о в: in a de pada dňa kl
    kuupäeval el: wiadomość dnia: ngày fre fredag den: date
    """
    )
)
