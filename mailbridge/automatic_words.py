"""How programs that send mail call themselves, and what they write at its foot."""

import re

from mailbridge.wording import any_of

ANSWERED = re.compile(
    r"^\s*(?:re|aw|sv|vs|odp|rif|ynt|отв|ответ|жауап|回复|答复)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
FORWARDED = re.compile(
    r"^\s*(?:(?:re|отв)\s*:\s*)?(?:fwd?|wg|tr|rv|enc|пересл|пер|fw|转发)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)

# A program says that nobody reads what is sent back, or that nobody wrote this.
DO_NOT_REPLY = any_of(
    r"""
    (?:do not|don['’]t|cannot) (?:directly )?(?:reply|respond) (?:directly )?to this (?:auto\w+ )?(?:e?-?mail|message)
    replies to this (?:e?-?mail|message|address)[^\n]{0,60}(?:not|un)
    this (?:e?-?mail|message|notification) (?:was|is|has been) (?:sent )?auto(?:matically|-) ?(?:generated|sent|created)
    this (?:mailbox|address|e?-?mail address|inbox) is (?:not |un)monitored
    (?:e?-?mail|message|notification) (?:is|was) (?:generated|sent|created) automatically
    ^\W{0,4}(?:this is an )?automatically generated (?:e?-?mail|message|notification)
    this is an automat(?:ed|ic) (?:e?-?mail|message|notification|alert)
    this is a system[- ]generated
    не (?:нужно |надо |следует |требуется )?отвеча(?:йте|ть) на (?:это|данное) (?:письмо|сообщение|уведомление|e-?mail)
    отвечать на (?:него|это письмо|данное письмо|это сообщение) не (?:нужно|надо|требуется|следует)
    (?:письмо|сообщение|уведомление) (?:было )?(?:сформирован|создан|отправлен|сгенерирован|составлен)\w* автоматически
    ^\W{0,4}(?:это |данное |внимание! ?)?автоматическ(?:ое|ая) (?:уведомление|сообщение|письмо|рассылка)
    (?:это|данное) (?:письмо|сообщение|уведомление)[^\n]{0,20} (?:отправлено|создано|является) автоматическ\w+
    бұл (?:хат|хабарлама)\w*[^\n]{0,40}(?:автоматты|жауап (?:бермеңіз|берудің|жазбаңыз|қажет емес))
    (?:хат|хабарлама)\w* автоматты түрде (?:жіберілді|жасалды|құрылды|қалыптастырылды)
    diese (?:e-?mail|nachricht)[^\n]{0,40}automatisch (?:generiert|erstellt|erzeugt|versendet)
    antworten sie (?:bitte )?nicht auf diese
    ne pas r[ée]pondre [àa] ce
    (?:envoy|g[ée]n[ée]r)[ée]e? automatiquement
    no responda a este
    generado autom[áa]ticamente
    n[ãa]o responda (?:a )?est[ea]
    gerad[oa] automaticamente
    non rispondere a questa
    bu (?:e-?posta|mesaj)\w*[^\n]{0,30}(?:yan[ıi]tlamay|cevaplamay|otomatik)
    не відповідайте на (?:цей|це)
    (?:請勿|请勿)(?:直接)?回[覆复]
    自動(?:送信|配信)
    返信(?:しないで|できません)
    to unsubscribe[^\n]{0,40}(?:click|visit|follow|reply|go to|here|:)
    (?:click here|here) to unsubscribe | unsubscribe from this list
    (?:чтобы|для того чтобы|если вы хотите) (?:отписаться|отказаться от (?:рассылки|подписки|получения))
    вы получили это (?:письмо|сообщение|уведомление),? (?:потому что|так как|поскольку)
    (?:click|press|follow|button|link)[^\n]{0,60} to (?:confirm|verify|activate) your (?:e-?mail|account|registration)
    (?:confirm|verify|activate) your (?:e-?mail|account|registration)[^\n]{0,40} by (?:click|follow|open|visit)ing
    (?:you|someone|somebody)(?: has| have| recently)* requested (?:to (?:reset|change)|(?:a|your) password|a reset)
    request (?:was|has been) (?:made|received) to (?:reset|change)
    if you (?:did not|didn['’]t|have not|haven['’]t) (?:request|make|initiate|sign|create|ask|attempt)[^\n]{0,60}ignore
    если вы не (?:запрашивал|отправлял|регистрировал|совершал|делал|создавал)\w+[^\n]{0,60}(?:игнорир|сообщите|удалите)
    (?:егер )?(?:сіз )?(?:сұратпаған|жібермеген|тіркелмеген) болсаңыз
    we noticed an? (?:new|unusual|recent)[^\n]{0,20} (?:sign-?in|login|device)
    your order[^\n]{0,40} (?:has (?:been )?shipped|is on its way|has been (?:dispatched|confirmed))
    (?:was|scanned and) sent to you (?:from|using|by) (?:an? )?[^\n]{0,40}(?:multifunction|scanner|copier|mfp|aficio)
    this e-?mail (?:was sent from "|contains a secure link)
    has (?:just )?(?:replied|posted|commented)[^\n]{0,20} (?:thread|topic|discussion)[^\n]{0,30} (?:subscribed|follow)
    if you (?:no longer (?:wish|want)|wish to no longer|do not (?:wish|want)|don['’]t want)(?: to)?\s(?:to )?receiv
    ^\W{0,4}to (?:discontinue|stop) receiving (?:this|these|our|further|future|such)
    if you (?:wish|want|would like) to unsubscribe
    https?://\S{0,200}(?:unsubscri|opt-?out\b|/optout)
    this (?:e-?mail|message|newsletter) (?:was|is being|has been) sent to (?:you|\S+@\S+) (?:because|as an?|since)\b
    (?:remove yourself|^\W{0,4}to be removed) from (?:this|our|the|any|future|all)[^\n]{0,30}(?:list|mailing|offer)
    если вы (?:больше )?не (?:хотите|желаете) (?:больше )?получать [^\n]{0,20}(?:рассылк|уведомлени|сообщени|новост)
    вы (?:подписаны|подписались) на (?:рассылку|новости|уведомления|наши)
    ^\W{0,4}unsubscribe\W{1,3}(?:https?:|manage|update|view|preferences|privacy|contact us)
    \|\s*unsubscribe\b
    ^\W{0,4}view (?:this (?:e-?mail|message|newsletter) )?(?:online|in (?:your )?(?:web )?browser)\W{0,3}(?:$|https?:)
    отписаться(?: от (?:этой |данной |нашей )?(?:рассылки|уведомлений|писем))?\W{0,3}https?:
    please (?:take a moment to )?rate your (?:recent |last )?(?:support |shopping )?(?:experience|visit|purchase|order)
    оцените (?:качество|работу|обслуживание)[^\n]{0,60}(?:https?:|по ссылке|по шкале)
    you (?:are receiving|received|got) this (?:e?-?mail|message|notification) because
    your (?:verification|confirmation|security|one-time|login) code(?: is)?:? \d{4,8}\b
    ^\W{0,4}(?:ваш )?код (?:подтверждения|для входа|безопасности|доступа)\s*[:–-]?\s*\d{4,8}\b
    ^\W{0,4}(?:сіздің )?растау коды\w*\s*[:–-]?\s*\d{4,8}
    """.replace(" | ", "\n")
)

# Subjects that programs alone write.
NOTICE = any_of(
    r"""
    cron <\S+@
    \[(?:firing|resolved|alerting|ok)(?::\d+)?\]
    (?:\*\* )?(?:problem|recovery|acknowledgement) (?:service|host) alert
    monitor is (?:down|up):
    monit alert
    disk (?:usage|space) (?:warning|alert)\b[^\n]{0,40}\d ?%
    \[[^\]\n]{1,40}\] disk space alert
    message from "?(?:km|rnp|brn|hp|np|ricoh|canon|kyocera|xerox|sharp|konica|epson)[\w-]{0,30}"?$
    scanned (?:\w+ )?from an? [^\n]{0,40}(?:printer|scanner|device|copier)$
    send data from mfp
    (?:new )?(?:voice ?mail|voice message|e?fax)(?: message)?(?: received)? from \+?[\d( ]
    complaint about message from \d
    """,
    before=r"^\W{0,3}",
)

# Local parts that no person has.
ROBOT = any_of(
    r"""
    .*(?:no|not|dont|donot|never)[-_.]?(?:to[-_.]?)?repl(?:y|ies).*
    .*(?:noresponse|no[-_.]response|nicht[-_.]?antworten|keine[-_.]?antwort|ne[-_.]?pas[-_.]?repondre).*
    .*(?:no[-_.]?responder|nao[-_.]?responda|ne[-_.]?otvecha|unmonitored|non[-_.]?rispondere).*
    .*(?:notification|notify|notifier|autoreply|auto[-_.]reply|autoresponder).*
    .*(?:mailer[-_.]?daemon|automailer|autoconfirm|automated).*
    (?:.*[-_.+])?(?:alerts?|newsletters?|bounces?|mailbot|daemon|mailer|postmaster)(?:[-_+].*)?
    (?:auto|ship(?:ment)?|order|payment|booking|delivery)[-_.]?(?:confirm|update|tracking|status)\w*
    (?:.*[-_.+])?(?:listserv|majordomo|digest|receipts?)(?:[-_+].*)?
    (?:.*[-_.+])?(?:rassylka|uvedomlenie|informer|campaigns?|reply-to|verification|otp|monitoring)(?:[-_+].*)?
    cron|anacron|nagios|zabbix|grafana|jenkins|prometheus|sentry|munin|icinga
    www-data|apache|nobody|httpd|nginx|wwwrun|logwatch|logcheck
    .*-request
    jira|confluence|gitlab|github|bitbucket|bugzilla|bugzilla-daemon|redmine|mailman(?:-owner)?
    wordpress|drupal|smartd|fail2ban|backuppc
    """,
    before="^",
    after="$",
)
# Local parts that a person may have, though rarely.
LIKE_ROBOT = any_of(
    r"""
    (?:.*[-_.])?(?:robot|bot|news|promo|deals|offers|updates?|reminders?|mailing)
    (?:.*[-_.])?(?:monitor|automation|system|password|build|ci|backup)
    root|server|monit|uptime|alertmanager|synology|nas\d*|asterisk|pbx|voicemail
    scan|scans|scanner|copier|mfp\d*|xerox|ricoh|kyocera|canon|e?fax
    """,
    before="^",
    after="$",
)
BULK_MAILER = any_of(r"""
    mailchimp
    campaign
    \bbulk
    sendblaster
    phplist
    acymail
    \bmailman
    sendy\b
    interspire
    unisender
    sendpulse
    getresponse
    aweber
    constant contact
    emarsys
    exacttarget
    salesforce
    marketo
    hubspot
    eloqua
    mailerlite
    sendinblue|brevo
    mandrill
    mailjet
    swiftmailer|phpmailer|nodemailer|javamail
    zabbix|nagios|\bjira\b|atlassian
    osticket|\botrs\b|redmine|gitlab|zammad
    bitrix
    \bcron\b
    \bblat\b|sendemail|swaks|massmail|groupmail|newsletter
    dada mail|listserv
    """)
BULK_PATH = any_of(r"""
    amazonses\.com
    sendgrid\.net
    mailgun\.(?:org|net)
    mandrillapp
    mcsv\.net|mcdlv\.net|rsgsv\.net
    mailjet
    sparkpostmail
    unisender|sendpulse|sendsay
    exacttarget|mktomail
    ^<?bounces?[-+=@]
    ^<?(?:bnc|msprvs1)[-.=@]
    newsletter
    """)
PEOPLES_MAILER = any_of(r"""
    outlook|thunderbird|\bowa\b|windows mail|microsoft-macoutlook|entourage
    apple mail|iphone|ipad|airmail|\bmail \d+\.\d
    android|k-9|fairemail|aquamail|bluemail|samsung
    \bmutt\b|evolution|kmail|claws|sylpheed|geary|gnus|\bpine\b|alpine|git-send-email
    postbox|seamonkey|eudora|opera mail
    the bat|becky|foxmail|em ?client|lotus notes release|ibm notes|hcl notes|\bdomino
    mozilla|webmail|groupwise|pegasus|\bnmh\b|\bmew\b|emacs|mailmate|internet mail service|ximian|forte agent
    roundcube|squirrelmail|horde|rainloop|snappymail|zimbra|communigate|open-xchange|sogo|kerio|icewarp
    yamail|yandex|mail\.ru mailer|yahoomail|webservice|web-based|protonmail|tutanota
    myoffice|мойофис
    """)
