"""Words in which mail servers say that a mail came back, in the languages that they are set up in."""

from mailbridge.wording import any_of

SUBJECT = any_of(r"""
    undeliver(?:able|ed)
    non[- ]?deliver
    not delivered
    (?:can|could) ?n[o']t be (?:delivered|sent)
    (?:mail|message|delivery|e-?mail|send(?:ing)?|smtp) (?:\w+ ){0,2}(?:fail|error|problem|reject)
    (?:mail|message|delivery|e-?mail|send(?:ing)?|smtp) (?:\w+ ){0,2}(?:delay|refus|denied|bounced)
    fail(?:ure|ed) (?:notice|notification|delivery|mail|message|to deliver)
    (?:failure|delivery|status) notif
    delivery (?:status|report|has failed|problems?|warning|notification|unsuccessful|incomplete|attempt)
    returned (?:mail|e-?mail|to sender)
    mail (?:system error|returned|failure|delivery)
    (?:user|host|recipient|mailbox|address) (?:unknown|unavailable|not found|full|over quota)
    unknown (?:user|recipient|address|mailbox)
    warning: (?:could not|message|mail)
    delayed (?:mail|delivery)
    bounced? (?:mail|message|e-?mail)
    mailbox (?:is )?full
    quota exceeded
    rejected (?:mail|message|posting|e-?mail)
    invalid (?:recipient|address)
    недостав
    не (?:может быть |был[оа]? |удалось |удаётся |удается )?достав
    (?:ошибка|отказ|сбой|задержка|невозможность) (?:при )?(?:в )?достав
    возврат(?: |\w* )?(?:письм|почт|сообщ)
    письмо возвращено
    отч[её]т о доставке
    уведомление о (?:недоставке|состоянии доставки|статусе|доставке)
    не доставлено
    жеткізілме
    жеткізу (?:мүмкін|қате|сәтсіз)
    недоставлен
    не вдалося достав
    не доставлен
    unzustellbar
    nicht zustellbar
    zustellung (?:fehl|verz)
    zustellungs?fehler
    rücksendung
    rückläufer
    non (?:remis|distribu|délivr)
    (?:échec|echec) (?:de la )?(?:remise|distribution)
    retour (?:de )?(?:mail|courrier)
    no (?:se ha (?:podido|entregado)|entregado|se puede entregar)
    devuelto
    (?:não|nao) (?:entregue|foi poss)
    falha na entrega
    devolvid
    mancata consegna
    non recapitabile
    impossibile (?:consegnare|recapitare)
    niet (?:besteld|bezorg|afgeleverd)
    onbestelbaar
    kan niet worden
    niedostarcz
    nie (?:można|dostarczono)
    zwrot
    nedoručitel
    doručení se
    nelze doručit
    kézbesíthetetlen
    nedoruč
    olevererbar
    kan inte levereras
    uleverbar
    kunne ikke leveres
    ikke leveret
    ei voitu toimittaa
    teslim edileme
    iletilemedi
    αδύνατη η παράδοση
    退信
    无法投递
    投递失败
    無法傳遞
    未送达
    送信(?:できません|エラー)
    配信不能
    配信エラー
    전송 ?실패
    배달되지
    배달할 수 없
    """)

# In the notice itself.
BODY = any_of(r"""
    undeliver(?:able|ed)
    (?:could|can|was|were|has|have|is|will) ?(?:not|n['’]t) (?:be |been )?(?:able to be )?(?:deliver|relay|accepted)
    (?:could|can|was|were|has|have|is|will) ?(?:not|n['’]t) (?:be |been )?(?:able to be )?(?:sent\b|reach|transmit)
    (?:unable|failed|impossible|able) to (?:be )?(?:deliver|send|relay|reach)(?! you)
    did not reach
    (?:delivery|mail|message) (?:to [^\n]{1,120} )?(?:has |have )?(?:permanently )?failed
    (?:delivery|mail|message) (?:to [^\n]{1,120} )?(?:has |have )?been (?:delayed|rejected|returned)
    (?:delivery|mail|message) (?:to [^\n]{1,120} )?was (?:rejected|not delivered|undeliverable|returned)
    delivery (?:attempt|status|failure|error|to the following)
    permanent (?:fatal )?error
    transcript of (?:the )?session
    returned (?:to (?:the )?sender|mail|below|unopened|as undeliverable)
    bounced (?:back|by|message)
    (?:user|host|recipient|mailbox|address|account|domain) (?:is |was |has been )?(?:unknown|full|over quota|disabled)
    (?:user|host|recipient|mailbox|address|account) (?:is |was |has been )?(?:unavailable|not found|inactive|rejected)
    (?:user|host|recipient|mailbox|address|account|domain) (?:does ?n[o']t|does not|not) exist
    (?:user|host|recipient|mailbox|address|account) (?:is |was )?(?:invalid|not listed|unrecognized|non-?existent)
    (?:no such|unknown|invalid|unrecognized) (?:local )?(?:user|address|recipient|mailbox|account|domain|host)
    (?:quota|storage) (?:is )?(?:exceeded|full)
    (?:over|exceed\w*) (?:\w+ ){0,3}quota
    does ?n[o']t have an? \S+ account
    following (?:address|recipient|user|error|reason|mail)\w*[^\n]{0,40}(?:fail|error|reach|problem|reject|not|:)
    relay(?:ing)? (?:is )?(?:denied|not (?:allowed|permitted))
    message undelivered
    message (?:you sent|delayed)
    \b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}\b
    \brecipient\(s\)
    postponed
    advisory-only
    (?:full|exceeded \w+) mailbox
    failure reason
    mail server (?:said|reports)
    said: [45]\d\d
    retry timeout
    remote host said
    недостав
    не (?:может быть|был[оа]?|удалось|удаётся|удается|смогли|могли) (?:быть )?(?:достав|отправ)
    не доставл
    (?:ошибка|задержка|сбой) (?:при )?достав
    (?:ящик|адрес|пользователь|получатель|адресат)\w* (?:\S+ )?не (?:найден|существует|зарегистрирован)
    (?:ящик|адрес|пользователь|получатель|адресат)\w* (?:\S+ )?(?:переполнен|заблокирован|недоступ)
    жеткізілме
    жеткізу мүмкін
    не вдалося достав
    nicht (?:\w+ )?(?:zugestellt|zustell)
    unzustellbar
    n['’]a(?: pas)? (?:pu|été) (?:être )?(?:remis|distribu|délivr)
    pas (?:pu )?(?:être )?(?:remis|distribu|délivr|transmis)
    no (?:se )?(?:ha )?(?:podido|pudo|puede) (?:ser )?entreg
    n(?:ã|a)o (?:p[ôo]de ser|foi poss\S+|foi) entreg
    impossibile (?:consegnare|recapitare)
    niet (?:worden )?(?:bezorgd|afgeleverd|besteld)
    nie (?:można|mógł|została?) (?:\w+ )?dostarcz
    teslim edile
    kunde inte levereras
    kunne ikke leveres
    nelze doručit
    退回
    无法(?:投递|送达|发送)
    投递失败
    無法(?:傳遞|送達)
    送信できません
    配信(?:でき|不能)
    届けられ
    전송(?:하지|되지)
    배달
    """)

# The server has not given up.
STILL_TRYING = any_of(r"""
    (?:warning|advisory)[ -](?:message )?only
    postponed
    do not need to resend
    (?:will|shall) (?:continue|keep|be retried|retry)(?: \w+){0,2}
    (?:still|keep) trying
    not yet been delivered
    has been delayed
    delivery (?:is )?delayed
    delivery attempts will continue
    (?:no action is required|temporary (?:failure|problem)s? .{0,40}will)
    transient non-fatal
    could not send message for past
    попытк\w* (?:доставки|отправки|доставить)\S* (?:буд|продолж)
    (?:буд\w+|продолж\w+) (?:\S+ ){0,3}попыт
    пока не доставл
    ещё не доставл
    задерж\w+ (?:в )?достав
    """)

# After these words the notice lists those who failed; what stands before them may name ourselves.
LEAD = any_of(r"""
    did not reach the following
    could not be (?:reached|delivered to)
    following (?:recipient|address)\w*(?:\(\w+\))?[^\n]{0,160}$
    (?:permanent|fatal|delivery) (?:fatal |delivery )?(?:errors?|problems) -*
    not (?:be )?delivered to(?: the following)?
    (?:одному|нескольким)[^\n]{0,40}получател\w*
    следующ\w+ (?:адрес|получател|адресат)\w*
    folgende\w* (?:empfänger|adress)\w*
    destinataires? suivants?
    siguientes? destinatarios?
    """)

# Where the notice ends and what came back begins.
CUT = any_of(
    r"""
    -{2,} *(?:this is a copy|below this line|original message|returned message|unsent message|message header)
    -{2,} *(?:message text|the (?:header|first|body)|start of|headers? of|исходное|оригинал|копия|forwarded|begin)
    (?:message|mail) headers?(?: follow\w*)?\s*:\s*$
    (?:the )?(?:text|header|body|content|copy|beginning)s? of (?:the|your) (?:original|returned|message|mail)
    your (?:original )?message (?:is (?:below|attached)|follows|reads)
    received:\s*(?:from|by|\(qmail)
    return-path:\s*<
    исходное (?:сообщение|письмо)
    копия (?:вашего )?(?:сообщения|письма)
    заголовки (?:исходного|вашего|письма)
    原始邮件
    原信
    (?:original|returned|rejected|unsent) (?:message|mail)(?: (?:headers?|text|contents?|body))?(?: follows)?\W*$
    """,
    before=r"^[ \t>]*",
)
