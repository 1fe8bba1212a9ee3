"""Whether two questions can mean the same, by what the vectors of embedding models hardly tell apart.

Deliberately narrow: a question that is taken for another one costs a wrong answer, one that is not costs a request.
Figures of it are in tests/similar. Negations and opposites are known in English and German; numbers, names, quotations,
code and the order of words hold in any language.
"""

import re
from collections import Counter


def _words(text: str) -> list[str]:
    return text.split()


CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
QUOTED = re.compile(
    r"\"[^\"\n]+\"|“[^”\n]+”|„[^“”\n]+[“”]|«[^»\n]+»|»[^«\n]+«|‘[^’\n]+’|‚[^‘\n]+‘|(?<!\w)'[^'\n]+'(?!\w)"
)
WORD = re.compile(r"\d+(?:[.,:/-]\d+)*%?|[^\W\d_](?:[\w'’]|[._/@:+#-]+(?=\w)|[+#]+(?!\w))*|[$€£%=<>+*/^]")
"""A number with what is in it, a word or an identifier, or a sign that says how numbers belong together."""
IDENTIFIER = re.compile(r"[\w.]*(?:[_./@:#+\d]|[a-z][A-Z])")
SENTENCE = re.compile(r"(?:[.!?:]\s+|\n+|^)[\W_]*$")

DIGITS = _words("0 2 3 4 5 6 7 8 9 10 11 12 100 1000 1000000 1000000000 0.5")
NUMBERS = {
    word: digits
    for words in (
        "zero two three four five six seven eight nine ten eleven twelve hundred thousand million billion half",
        "null zwei drei vier fünf sechs sieben acht neun zehn elf zwölf hundert tausend million milliarde halb",
    )
    for word, digits in zip(_words(words), DIGITS, strict=True)
}
"""Without one: it is an article and a pronoun, too."""
NEGATIONS = frozenset(
    _words("""
not no never none nobody nothing nowhere neither nor without cannot except unless hardly nicht kein keine keinen
keinem keiner keines nie niemals niemand nichts nirgends weder ohne außer ne pas jamais rien sans sin nunca nada
senza nessun não sem
""")
)
OPPOSITES = """
who wer | whom wem | whose wessen | when wann | where wo | wherefrom woher | whereto wohin | why warum weshalb wieso
before vor bevor vorher | after nach nachdem nachher | since seit | until till bis | during während
more mehr | less fewer weniger | most meist meisten | least wenigsten | all every each alle jeder jede jedes | any some
both beide | only nur | always immer | often oft | rarely seldom selten | maximum max höchstens | minimum min mindestens
first erste ersten erster | second zweite zweiten | third dritte dritten | last letzte letzten letzter
next nächste nächsten | previous vorige vorigen | best beste besten | worst schlechteste schlechtesten | highest höchste
lowest niedrigste | largest biggest greatest größte | smallest kleinste | longest längste | shortest kürzeste
older älter | newer neuer | oldest älteste | newest latest neueste neuesten | higher höher | lower niedriger
bigger larger größer | smaller kleiner | better besser | worse schlechter | faster schneller | slower langsamer
up hinauf | down hinab | left links | right rechts | in into | out aus | on | off | over über | under below unter
inside innerhalb | outside außerhalb | above | with mit | from von | to | by | for für | against gegen
buy buying kaufen | sell selling verkaufen | start starting begin starten beginnen | stop stopping end beenden
open opening öffnen | close closing schließen | enable enabled einschalten aktivieren | disable disabled ausschalten
add adding hinzufügen | remove delete removing deleting entfernen löschen | increase raise erhöhen
decrease reduce senken verringern | import importing importieren | export exporting exportieren | send senden
receive empfangen | win gewinnen | lose verlieren | accept annehmen | reject refuse ablehnen | true wahr | false falsch
encode encoding kodieren | decode decoding dekodieren | encrypt verschlüsseln | decrypt entschlüsseln
install installieren | uninstall deinstallieren | upload hochladen | download herunterladen | private privat
public öffentlich | legal | illegal | possible möglich | impossible unmöglich | hot heiß | cold kalt | safe sicher
dangerous unsafe gefährlich | advantages advantage pros vorteile vorteil | disadvantages disadvantage cons nachteile
today heute | tomorrow morgen | yesterday gestern | now jetzt | daily täglich | weekly wöchentlich | monthly monatlich
yearly annual annually jährlich | day days tag tage tagen | week weeks woche wochen | month months monat monate monaten
year years jahr jahre jahren | hour hours stunde stunden | minute minutes minuten | monday montag | tuesday dienstag
wednesday mittwoch | thursday donnerstag | friday freitag | saturday samstag | sunday sonntag | january januar
february februar | march märz | april | june juni | july juli | august | september | october oktober | november
december dezember | i me my mine ich mich mir mein meine meinen meiner | you your du dir dich dein deine ihr
he him his er ihn ihm sein seine | she her hers sie | we us our wir uns unser unsere | they them their
north norden | south süden | east osten | west westen | male männlich | female weiblich | parent parents eltern
child children kind kinder | input eingabe | output ausgabe | black schwarz | white weiß | red rot | green grün
blue blau | yellow gelb
"""
"""Words of which both questions must have the same ones; those between two bars are one."""
POLITE = frozenset(
    _words("""
i me you we us to for in on by with from please could would can will do does did is are was were be tell explain
show give say know want need like let's hi hello thanks thank bitte kannst könntest können du mir ich wir sag
sage erkläre zeig zeige gib hallo danke
""")
)
"""Words that are in many an opposite above or around a question, and say nothing there about what is asked."""
LIGHT = POLITE | frozenset(
    _words("""
a an the this that these those there it its of at as and or if so than then what which how whats what's ein eine
einen einem einer eines der die das den dem des dies diese dieser dieses es und oder wenn als wie was welche
welcher welches ist sind war waren zu zum zur im am beim vom ob dass man
""")
)
"""Words without which a question asks the same."""
CLASS = {
    word: row.split()[0]
    for row in OPPOSITES.replace("\n", " | ").split("|")
    if row.strip()
    for word in row.split()
    if word not in POLITE
}
FROM = frozenset(
    _words("""
from into than von aus vom als
""")
)
"""Words that say of the one after them on which side of something it is."""
STEM_CHARS = 4
"""Words that begin with the same letters, so many or all but two, are forms of one word."""


def is_alike(one: str, other: str) -> bool:
    """Return whether nothing says that the two mean different things: numbers with what they count, dates, negations,
    opposites, names, quotations and code are the same, words that both have stand in the same order, and what differs
    is more than one word put in the place of another one."""
    mine, theirs = _Told(one), _Told(other)
    if mine.marks != theirs.marks or not (mine.names <= theirs.every and theirs.names <= mine.every):
        return False
    return _in_order(mine.words, theirs.words) and not _is_exchanged(mine.words, theirs.words)


class _Told:
    """What a question says beyond doubt."""

    def __init__(self, text: str) -> None:
        code, text = _apart(CODE, text)
        quoted, text = _apart(QUOTED, text)
        found = list(WORD.finditer(text))
        small = [_plain(match.group()) for match in found]
        pairs = list(zip(small, [*small[1:], ""], strict=False))
        self.every = frozenset(small)
        self.words = [word for word in small if word not in LIGHT and word not in NEGATIONS]
        """Those that carry what is asked, in their order."""
        self.names = frozenset(
            word for match, word in zip(found, small, strict=True) if word[0].isalpha() and _is_name(match, text)
        )
        numbers = [pair for pair in pairs if not pair[0][0].isalpha()]
        sides = sorted(pair for pair in pairs if pair[0] in FROM)
        negations = sum(word in NEGATIONS or word.endswith(("n't", "n’t")) for word in small)
        self.marks = code, quoted, numbers, sides, negations, Counter(CLASS[word] for word in small if word in CLASS)


def _apart(pattern: re.Pattern[str], text: str) -> tuple[list[str], str]:
    """Return what a pattern finds, and the text without it."""
    return [" ".join(one.split()).strip("\"'`“”„«»‘’‚") for one in pattern.findall(text)], pattern.sub(" ", text)


def _plain(word: str) -> str:
    """Return a word small, and a number in digits."""
    word = word.casefold()
    return NUMBERS.get(word, word.replace(",", ".") if word[0].isdigit() else word)


def _is_name(match: re.Match[str], text: str) -> bool:
    """Return whether a word is written like a name: large within a sentence, or put together as in code."""
    word = match.group()
    if IDENTIFIER.match(word) or (len(word) > 1 and word.isupper()):
        return True
    return word[0].isupper() and word != "I" and not SENTENCE.search(text[: match.start()])


def _in_order(mine: list[str], theirs: list[str]) -> bool:
    """Return whether words that both have once stand in the same order in both: from A to B is not from B to A."""
    once = {word for word in mine if mine.count(word) == 1 == theirs.count(word)}
    return [word for word in mine if word in once] == [word for word in theirs if word in once]


def _is_exchanged(mine: list[str], theirs: list[str]) -> bool:
    """Return whether one word stands in the place of another one and all others are the same: a red for a green one.

    That is what near vectors differ by most, be it a synonym or not.
    """
    left, right = Counter(mine), Counter(theirs)
    only_mine, only_theirs = list((left - right).elements()), list((right - left).elements())
    if len(only_mine) != 1 or len(only_theirs) != 1:
        return False
    (one,), (other,) = only_mine, only_theirs
    stem = max(STEM_CHARS, min(len(one), len(other)) - 2)
    return one[:stem] != other[:stem]
