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
    you (?:are receiving|received|got) this (?:e?-?mail|message|notification) because
    your (?:verification|confirmation|security|one-time|login) code(?: is)?:? \d{4,8}\b
    ^\W{0,4}(?:ваш )?код (?:подтверждения|для входа|безопасности|доступа)\s*[:–-]?\s*\d{4,8}\b
    ^\W{0,4}(?:сіздің )?растау коды\w*\s*[:–-]?\s*\d{4,8}
    """.replace(" | ", "\n")
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
    root
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
