"""A collection shaped like SciFact (Wadden et al. 2020): claims of one sentence, and abstracts that speak to them.

It is made by chance, the same each time: what is studied, in whom and with what outcome is drawn, and said in other
words in the claim than in the abstract. For each abstract there are others about the same thing in others, or about
another thing in the same.
"""

import random
from collections.abc import Iterator

from llm_ui.documents.evaluate import Collection

THINGS = (
    "zinc", "vitamin D", "caffeine", "statins", "metformin", "green tea", "magnesium", "melatonin", "insulin",
    "probiotics", "aspirin", "omega-3 fats", "iron", "resistance training", "fasting", "bright light", "selenium",
    "nitrate", "walking", "mindfulness", "early feeding", "vaccination", "oxygen therapy", "antibiotics",
    "bed rest", "compression stockings",
)  # fmt: skip
OUTCOMES = (
    ("sleep", "sleeping poorly"), ("fractures", "broken bones"), ("blood pressure", "hypertension"),
    ("migraine", "headaches"), ("infection", "infections"), ("mortality", "deaths"),
    ("anxiety", "anxious symptoms"), ("weight", "body weight"), ("inflammation", "inflammatory markers"),
    ("memory", "memory decline"), ("falls", "falling"), ("asthma", "asthma attacks"),
    ("kidney function", "renal failure"), ("wound healing", "healing of wounds"), ("fatigue", "tiredness"),
)  # fmt: skip
PEOPLE = (
    ("nurses who work at night", "night nurses"), ("older adults", "elderly people"),
    ("pregnant women", "pregnancy"), ("children under five", "young children"), ("athletes", "trained athletes"),
    ("patients with diabetes", "diabetic patients"), ("mice", "a mouse model"), ("smokers", "people who smoke"),
    ("survivors of stroke", "stroke patients"),
)  # fmt: skip
EFFECTS = (("reduces", "was reduced"), ("increases", "was increased"), ("does not change", "did not differ"))
FILLING = (
    "Participants were assigned at random to one of two groups.", "Data were collected over a period of {n} months.",
    "The mechanisms behind this are poorly understood.", "Secondary endpoints included quality of life.",
    "We searched {n} registries and pooled the estimates.", "Adherence was {n} per cent in both arms.",
    "Earlier studies were small and gave conflicting results.", "Adverse events were rare and mild.",
    "The median age was {n} years.", "Further trials with longer follow-up are needed.",
)  # fmt: skip
ABSTRACTS, CLAIMS = 3_000, 300


def claims() -> Collection:
    """Return the collection."""
    chance = random.Random(7)
    drawn: dict[str, tuple[int, int, int]] = {}
    documents: dict[str, tuple[str, str]] = {}
    effects: dict[tuple[int, int, int], int] = {}
    for number in range(ABSTRACTS):
        of = chance.randrange(len(THINGS)), chance.randrange(len(OUTCOMES)), chance.randrange(len(PEOPLE))
        effects.setdefault(of, chance.randrange(len(EFFECTS)))
        drawn[f"d{number}"] = of
        documents[f"d{number}"] = _abstract(chance, of, effects[of])
    asked = chance.sample(sorted(set(drawn.values())), CLAIMS)
    questions = {f"c{number}": _claim(chance, of, effects[of]) for number, of in enumerate(asked)}
    gains = {f"c{number}": {name: 1 for name, it in drawn.items() if it == of} for number, of in enumerate(asked)}
    return Collection(documents, questions, gains)


def _claim(chance: random.Random, of: tuple[int, int, int], effect: int) -> str:
    """Return a claim; each of what it names is called by either of its names."""
    thing, outcome, people = of
    return (
        f"{THINGS[thing]} {EFFECTS[effect][0]} {chance.choice(OUTCOMES[outcome])} in {chance.choice(PEOPLE[people])}."
    )


def _abstract(chance: random.Random, of: tuple[int, int, int], effect: int) -> tuple[str, str]:
    """Return a title and a text of some ten sentences, of which two or three say what was found."""
    thing, outcome, people = THINGS[of[0]], chance.choice(OUTCOMES[of[1]]), chance.choice(PEOPLE[of[2]])
    other = chance.choice(THINGS)
    said = [
        f"We studied whether {thing} affects {outcome} in {people}.",
        f"{outcome.capitalize()} {EFFECTS[effect][1]} with {thing} compared with placebo.",
        f"Use of {other} was recorded at baseline.",
        *_filling(chance),
    ]
    return f"{thing.capitalize()} and {chance.choice(OUTCOMES[of[1]])}: a study", " ".join(said)


def _filling(chance: random.Random) -> Iterator[str]:
    for sentence in chance.sample(FILLING, chance.randint(5, 8)):
        yield sentence.format(n=chance.randint(2, 90))
