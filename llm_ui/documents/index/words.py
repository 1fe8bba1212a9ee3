"""The words of a question that carry its meaning."""

import re
from collections import Counter

from llm_ui.contract import MAX_LOOKED_UP_CHARS

MAX_WORDS = 32
"""Of one question. The longest of the 225 of the Cranfield collection has 23 that count."""
MAX_WORD_CHARS = 64
WORD = re.compile(r"[^\W_]+")

LANGUAGES = {
    "en": (
        "a about all also am an and any are as at be been before being between both but by can could did do does doing"
        " each for from had has have having he her here him his how i if in into is it its itself just may me might"
        " more most must my no nor not of on once only or other our over own per please same shall she should show"
        " so some such tell than that the their them then there these they this those through to too under until up"
        " upon us very was we were what when where whether which while who whom whose why will with would you"
        " your"
    ),
    "de": (
        "aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bitte da damit dann das dass"
        " dazu dein dem den denn der des die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem"
        " einen einer eines er es etwas euch für gegen gibt hab habe haben hat hatte hier ich ihr ihre im in ins ist"
        " ja jede jedem jeden jeder jedes kann kein keine können man mehr mein mich mir mit nach nicht noch nun nur ob"
        " oder ohne sein seine sich sie sind so soll sollen sondern über um und uns unser unter vom von vor wann war"
        " waren warum was weil welche welchem welchen welcher welches wem wen wenn wer werden wie wieso wird wir wird"
        " wo worden wurde wurden zu zum zur zwischen"
    ),
    "fr": (
        "à au aux avec ce ces cet cette ceux ci comme comment dans de des du elle elles en entre est et été être eu"
        " fait il ils j je l la le les leur leurs lui ma mais me mes moi mon n ne nos notre nous on ont ou où par pas"
        " plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son sont sous sur ta"
        " te tes toi ton tu un une vos votre vous y a d c m t"
    ),
    "es": (
        "a al algo ante como cómo con contra cual cuál cuáles cuando cuándo cuánto de del desde donde dónde durante e"
        " el él ella ellas ellos en entre era es esa ese eso esta está están este esto estos fue fueron ha hay la las"
        " le les lo los más me mi mis muy no nos o para pero por porque que qué quien quién se según ser si sí sin"
        " sobre son su sus también te tu tus un una uno unos y ya yo"
    ),
    "it": (
        "a ad ai al alla alle allo anche c che chi ci come con così cosa cui da dal dalla dalle dei del della delle"
        " dello di dove e è ed era essere gli ha hanno ho i il in io l la le lei lo loro lui ma mi mia mio ne nei nel"
        " nella nelle non o per perché più qual quale quali quando quanto quella quello questa queste questi questo"
        " se sei si sia sono su sua sue sugli sul sulla suo te ti tra tu un una uno"
    ),
    "nl": (
        "aan al als bij daar dan dat de deze die dit door een en er geen had heb hebben heeft het hier hij hoe hun ik"
        " in is je kan kunnen maar me meer men met mij mijn naar niet nog nu of om omdat onder ons ook op over te tot"
        " u uit van veel voor waar waarom wanneer want was wat we wel welke werd wie wij worden wordt ze zich zij zijn"
        " zo zou"
    ),
    "pt": (
        "a à ao aos as às até com como da das de dela dele deles do dos e é ela elas ele eles em entre era essa esse"
        " esta está este eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na nas não nem no nos nós"
        " o onde os ou para pela pelas pelo pelos por porque quais qual quando que quem se sem ser seu seus só sobre"
        " sua suas também te tem um uma umas uns você"
    ),
}
"""Words that say nothing of what is asked for. Those of one language are words of others (`war`, `die`, `men`)."""
STOP_WORDS = {code: frozenset(words.split()) for code, words in LANGUAGES.items()}


def question_words(question: str) -> list[str]:
    """Return the words to search for, each once, in lower case and in their order.

    Left out are the stop words of the language that has most of them in the question; unless there is no other.
    """
    said = [word[:MAX_WORD_CHARS].lower() for word in WORD.findall(question[:MAX_LOOKED_UP_CHARS])]
    counted = Counter({code: sum(word in words for word in said) for code, words in STOP_WORDS.items()})
    ((language, _),) = counted.most_common(1)
    words = list(dict.fromkeys(said))
    telling = [word for word in words if word not in STOP_WORDS[language]]
    return (telling or words)[:MAX_WORDS]
