"""How people end a mail, and how their post is called: the words by which a signature is known."""

import re

_CLOSINGS = """
(?:with |my |many |our )?(?:very )?(?:best|kind|kindest|warm|warmest|sincere)?(?: ?(?:and|&) ?(?:best|kind|
warm))? ?regards|best|all the best|best wishes|with best wishes|(?:many |kind )?thanks(?: (?:and|&) (?:best |
kind |warm )?regards)?|thanks (?:in advance|again|so much|a lot|very much)|thank you(?: (?:in advance|again|
very much|so much))?|thx|cheers|(?:yours )?sincerely(?: yours)?|yours(?: truly| faithfully| sincerely)?|
respectfully(?: yours)?|rgds|br|с (?:большим |глубоким )?уважением(?: и [а-яё ]{3,40})?|с (?:наилучшими|добрыми|
лучшими) пожеланиями|с ув|с благодарностью|(?:заранее )?(?:большое )?спасибо(?: большое| заранее)?|
(?:заранее )?благодарю(?: вас)?(?: заранее)?|всего (?:доброго|хорошего)|хорошего дня|искренне ваш[аи]?|
құрметпен|зор құрметпен|ізгі (?:ниетпен|тілекпен)|(?:көп |алдын ала )?рахмет(?: айтамын)?|ізгі тілектермен|
сәлеммен|з повагою|з найкращими побажаннями|(?:щиро )?дякую|(?:mit )?(?:vielen |den )?(?:freundlichen|
freundliche|besten|beste|viele|liebe|lieben|herzliche|herzlichen|schöne) (?:grüßen|grüße|grüssen|grüsse|gruß|
gruss|dank)|gruß|grüße|lg|vg|mfg|bg|danke(?: (?:im voraus|schön))?|hochachtungsvoll|vielen dank(?: im voraus)?|
(?:bien |très )?cordialement|bien à vous|(?:bonne|excellente) (?:journée|soirée)|merci(?: d'avance| beaucoup)?|
sincères salutations|salutations(?: distinguées)?|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|
(?:muchas )?gracias|atte|(?:cordiali|distinti) saluti|saluti|grazie(?: mille)?|cordialmente|atenciosamente|
(?:muito )?obrigad[oa]|cumprimentos|abraços?|att|(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|
jes)?|mvg|(?:alvast )?bedankt|pozdrawiam(?: serdecznie)?|z poważaniem|dziękuję|s pozdravem|s úctou|děkuji|
s pozdravom|ďakujem|(?:med )?(?:vänliga?|bästa) hälsning(?:ar)?|mvh|hälsningar|tack|(?:med )?(?:venlig|venlige|
bedste) hilsen|hilsen|tak|(?:med )?vennlig hilsen|takk|(?:ystävällisin )?terveisin|t|kiitos|saygılarımla|
saygılarımızla|iyi (?:çalışmalar|günler)|teşekkürler|üdvözlettel|tisztelettel|köszönöm|cu stimă|mulțumesc|
με εκτίμηση|trân trọng|cảm ơn|敬具|よろしくお願いします|此致|谢谢|祝好|감사합니다"""

_LAST_WORDS = r"""
regards|wishes|gr(?:u|ü|ue)(?:ß|ss)e?n?|terveisin|уважением|пожеланиями|құрметпен|тілекпен|тілектермен|повагою|
побажаннями|hilsen|hilsner|hälsning|hälsningar|groet|groeten|saluti|saludos|salutations|cordialement|
cordialmente|atentamente|atenciosamente|cumprimentos|pozdravem|pozdravom|pozdrowieniami|poważaniem|üdvözlettel|
saygılarımla|saygılarımızla"""

_POSITIONS = r"""
\b(?:director|manager|engineer|administrator|accountant|specialist|consultant|developer|president|ceo|cto|cfo|
coo|head of|team lead|vice|assistant|secretary|officer|analyst|architect|coordinator|sales|ltd|llc|inc|gmbh|
corp|s\.?a\.?r\.?l|директор|менеджер|инженер|администратор|бухгалтер|специалист|консультант|разработчик|
начальник|заместитель|руководитель|главный|ведущий|старший|методист|секретарь|юрист|аналитик|отдел|департамент|
управление|ооо|оао|зао|пао|ао|тоо|ип|гку|гкп|кгу|мектеп|школа|директоры|бөлім|бөлімі|маманы|маман|меңгерушісі|
бас есепші|жшс|ақ|мемлекеттік|инженері|әкімші|geschäftsführer|leiter|abteilung|mitarbeiter|ingenieur|directeur|
responsable|ingénieur|gerente|direttore|керівник|фахівець|тов|відділ|kierownik|müdür)\b"""


def _pattern(text: str) -> str:
    return text.replace("\n", "")


#: A line that is a closing: alone, with a comma, or with the name behind the comma. What isn't in the list is known
#: by its last word: «Mit freundlichem Gruß», «Parhain terveisin».
CLOSING = re.compile(
    rf"^[\s*_]*(?:{_pattern(_CLOSINGS)}|(?:[^\W\d_]{{1,20}},? ){{0,4}}(?:{_pattern(_LAST_WORDS)}))"
    rf"(?: ?[/|] ?(?:{_pattern(_CLOSINGS)}))?\s*[*_]*(?:[,.!;…]*\s*$|"
    rf"[,.!;…]\s*(?:[^\W\d_][\w.'’-]*\s*){{1,4}}[,.]?\s*$)",
    re.IGNORECASE,
)
OPENS_WITH_CLOSING = re.compile(
    rf"^[\s*_]*(?:{_pattern(_CLOSINGS)}|(?:[^\W\d_]{{1,20}} ){{0,4}}(?:{_pattern(_LAST_WORDS)})), ?\w",
    re.IGNORECASE,
)
POSITION = re.compile(_pattern(_POSITIONS), re.IGNORECASE)
