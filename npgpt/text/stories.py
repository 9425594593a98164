"""Short simple stories from a small grammar, so that what a tiny model writes can be measured.

Every story has two characters who keep their names, and facts that follow
from who they are: a king lives in a castle and wears a crown, a girl plays, a
woman works. So the words of `CUBE` differ by sex, age and rank in otherwise
equal sentences, and `ANALOGIES` (king − man + woman = queen) can be learned.
The same seed gives the same bytes on every machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations
from math import lcm

from npgpt.random_stream import uniforms

BLOCK = 256  # stories drawn together
MEAN_BYTES = 1554  # a story's length with the blank line after it, on average

# noun: (sex, grown up, royal)
CUBE = {
    "king": ("he", True, True),
    "queen": ("she", True, True),
    "prince": ("he", False, True),
    "princess": ("she", False, True),
    "man": ("he", True, False),
    "woman": ("she", True, False),
    "boy": ("he", False, False),
    "girl": ("she", False, False),
}
KIN = {  # the second character
    "father": "he",
    "mother": "she",
    "brother": "he",
    "sister": "she",
    "uncle": "he",
    "aunt": "she",
    "grandfather": "he",
    "grandmother": "she",
    "nephew": "he",
    "niece": "she",
}
NAMES = {
    sex: names.split()
    for sex, names in {
        "he": "Adam Ben Carl Dan Eric Finn Gus Hugo Ivan Jack Leo Max Noah Otto Paul Sam",
        "she": "Amy Beth Clara Dora Emma Fay Grace Hanna Ida Jane Kate Lily Mia Nora Rose Sue",
    }.items()
}
PRONOUNS = {"he": ("he", "his", "him"), "she": ("she", "her", "her")}
ANIMALS = {  # grown animal: (its young, its voice)
    "dog": ("puppy", "barked"),
    "cat": ("kitten", "purred"),
    "horse": ("foal", "neighed"),
    "cow": ("calf", "mooed"),
    "sheep": ("lamb", "bleated"),
    "duck": ("duckling", "quacked"),
    "hen": ("chick", "clucked"),
    "bear": ("cub", "growled"),
    "swan": ("cygnet", "hissed"),
    "deer": ("fawn", "snorted"),
}
WORDS = {
    slot: words.split()
    for slot, words in {
        "place": "river forest hill lake garden market bridge meadow mill well beach barn",
        "thing": "ball book box bell cup kite key lamp map ring rope shell spoon stone kettle",
        "adj": "red blue green yellow small big shiny round heavy soft strange pretty",
        "food": "bread soup cake cheese honey apples plums nuts pears porridge",
        "weather": "sunny rainy windy cold warm cloudy foggy snowy",
        "time": "morning afternoon evening",
        "feeling": "happy glad proud calm cheerful merry",
        "sorrow": "sad tired afraid lonely angry worried",
    }.items()
}
FACTS = ("home", "wear", "deed", "folk", "age", "call", "child")


def facts(noun: str) -> dict[str, str]:
    """What follows from a noun of the cube."""
    sex, grown, royal = CUBE[noun]
    return {
        "home": "castle" if royal else "cottage",
        "wear": "crown" if royal else "hat",
        "folk": "people bowed" if royal else "neighbours waved",
        "deed": "worked" if grown else "played",
        "age": "old" if grown else "young",
        "call": "sir" if sex == "he" else "madam",
        "child": {True: {"he": "father", "she": "mother"}, False: {"he": "son", "she": "daughter"}}[
            grown
        ][sex],
    }


# {A} is the hero, with {he} {his} {him} {noun}; {B} the other, with {bhe} {bhis} {bhim} {kin}.
# A paragraph is one choice from each of its lists.
TITLE = "{A} the {noun} and the {adj} {thing}"
OPENING = [
    ["Once there was {age_a} {noun} named {A}.", "Long ago there lived {age_a} {noun} named {A}."],
    [
        "{He} lived in a {home} near the {place}.",
        "The {noun} had a {home} by the {place}.",
        "{His} home was a {home} close to the {place}.",
    ],
    [
        "{He} wore a {adj} {wear} every day.",
        "On {his} head {he} wore a {wear}.",
        "The {noun} was known by {his} {wear}.",
    ],
    ["{A} was a good {child}.", "Everyone said that {he} was a kind {child}."],
    [
        "{His} {kin} was called {B}.",
        "{He} had a {kin} named {B}.",
        "{He} lived with {his} {kin} {B}.",
    ],
]
EPISODES = [
    [  # a find
        [
            "One {time} {A} went to the {place}.",
            "In the {time} the {noun} walked to the {place}.",
            "{A} got up early and ran to the {place}.",
        ],
        ["It was a {weather} day.", "The day was {weather}.", "Outside it was {weather}."],
        [
            "{He} found a {adj} {thing} under a tree.",
            "There {he} saw a {adj} {thing}.",
            "On the ground lay a {adj} {thing}.",
        ],
        [
            "{He} put the {thing} in {his} bag.",
            "{A} took the {thing} home.",
            "The {noun} gave the {thing} to {B}.",
        ],
    ],
    [  # a loss
        [
            "{A} could not find {his} {adj} {thing}.",
            "{B} had lost {bhis} {adj} {thing}.",
            "The {adj} {thing} was gone.",
        ],
        [
            "{He} looked for it at the {place}.",
            "{A} and {B} searched the {place}.",
            "The {noun} asked everyone near the {place}.",
        ],
        [
            "{B} was {sorrow}.",
            "{He} felt {sorrow}.",
            "The {noun} became {sorrow}.",
        ],
        [
            "At last {A} found the {thing} behind the {home}.",
            "In the {time} {B} found the {thing} in the {home}.",
            "Then {he} saw it in {his} own bag.",
        ],
    ],
    [  # an animal
        [
            "A {animal} came to the {home}.",
            "{A} heard a {animal} near the {place}.",
            "The {noun} met a {animal} at the {place}.",
        ],
        [
            "The {animal} {voice} loudly.",
            "The {animal} {voice} at {him}.",
            "The {animal} looked at {A} and {voice}.",
        ],
        [
            "It had a little {young} with it.",
            "A {young} hid behind the {animal}.",
            "The {animal} was looking for its {young}.",
        ],
        [
            "{He} gave the {animal} some {food}.",
            "{A} fed the {young} with {food}.",
            "{B} gave {bhis} {food} to the {young}.",
        ],
    ],
    [  # a meal
        [
            "{A} was hungry.",
            "In the {time} {he} wanted to eat.",
            "{B} came home with {food}.",
        ],
        [
            "{He} made {food} with {his} {kin}.",
            "{B} cooked {food} for {him}.",
            "The {noun} bought {food} at the {place}.",
        ],
        [
            "They ate the {food} together.",
            "{A} shared the {food} with {B}.",
            "{B} ate more than {A}.",
        ],
        [
            "After the meal they were {feeling}.",
            "{B} thanked the {noun}.",
            "{He} thanked {his} {kin}.",
        ],
    ],
    [  # a day's work
        [
            "The {noun} {deed} in the {home} all day.",
            "{A} {deed} from {time} to night.",
            "{He} {deed} near the {place}.",
        ],
        [
            "The {folk} when the {noun} came by.",
            "The {folk} and {A} smiled.",
            "In the {time} the {folk} at {him}.",
        ],
        [
            "{His} {wear} was {adj} and fine.",
            "The {noun} lost {his} {wear} in the wind.",
            "{B} cleaned the {wear} for {him}.",
        ],
        [
            "{He} was {feeling} in {his} {home}.",
            "The {noun} went back to the {home}.",
            "{A} slept well in the {home}.",
        ],
    ],
    [  # talk
        [
            '"Good {time}, {B}," said {A}.',
            '"Good {time}, {call}," said {B}.',
            '"Where are you, {A}?" asked {B}.',
        ],
        [
            '"I saw a {adj} {thing} at the {place}," said {B}.',
            '"I want to go to the {place}," said the {noun}.',
            '"My {thing} is {adj}," said {A}.',
        ],
        [
            '"Let us go to the {place}," {he} said.',
            '"You are a good {child}," {bhe} said.',
            '"You are a good {kin}," said {A}.',
        ],
        [
            "{B} took {his} hand.",
            "{A} laughed and {B} laughed too.",
            "Then {he} told {bhim} a story.",
        ],
    ],
    [  # a gift
        [
            "{B} had a gift for {A}.",
            "{A} wanted to give {B} a gift.",
            "The {noun} made a gift for {his} {kin}.",
        ],
        [
            "It was a {adj} {thing}.",
            "In the {adj} box was a {thing}.",
            "The gift was a {thing} from the {place}.",
        ],
        [
            "{He} held the {thing} in {his} hands.",
            "{B} held the {thing} in {bhis} hands.",
            "They looked at the {thing} for a long time.",
        ],
        [
            "Nobody had such a {adj} {thing}.",
            "{A} was {feeling}.",
            "{B} was {feeling}.",
        ],
    ],
    [  # bad weather
        [
            "One {weather} {time} {A} was at the {place}.",
            "On a {weather} day the {noun} stood by the {place}.",
            "{He} was far from the {home} when it became {weather}.",
        ],
        [
            "{He} was {sorrow} and called for {B}.",
            "{B} was {sorrow} and looked for {him}.",
            "The {animal} was {sorrow} too.",
        ],
        [
            "{B} brought {him} a {adj} coat.",
            "A {animal} showed {him} the way.",
            "{He} followed the {animal} to the {place}.",
        ],
        [
            "Soon {he} was safe in the {home}.",
            "They came home and ate {food}.",
            "{A} was {feeling} to be back.",
        ],
    ],
]
CLOSING = [
    [
        "That night {A} was {feeling}.",
        "In the end the {noun} was {feeling}.",
        "From that day on {he} was {feeling}.",
    ],
    [
        "{B} kept the {adj} {thing} in the {home}.",
        "{He} never forgot the {place}.",
        "{A} and {B} often went to the {place}.",
    ],
    ["The end."],
]

ANALOGIES: list[tuple[str, str, str, str]] = []
"""(a, b, c, d): a is to b as c is to d."""


def _analogies() -> Iterator[tuple[str, str, str, str]]:
    pairs: dict[str, list[tuple[str, str]]] = {"sex": [], "age": [], "rank": [], "young": []}
    for noun, features in CUBE.items():
        for axis, values in (
            ("sex", ("she", *features[1:])),
            ("age", (features[0], False, features[2])),
            ("rank", (*features[:2], False)),
        ):
            if values != features:
                other = next(word for word, theirs in CUBE.items() if theirs == values)
                pairs[axis].append((noun, other))
    kin = list(KIN)
    pairs["sex"] += [(kin[i], kin[i + 1]) for i in range(0, len(kin), 2)]
    pairs["young"] = [(animal, young) for animal, (young, _) in ANIMALS.items()]
    for same in pairs.values():
        for first, second in permutations(same, 2):
            yield *first, *second


ANALOGIES.extend(_analogies())


def _every_choice(paragraph: list[list[str]]) -> list[str]:
    """All texts of a paragraph, as %-templates."""
    texts = [""]
    for choices in paragraph:
        texts = [f"{text} {choice}".strip() for text in texts for choice in choices]
    return [re.sub(r"\{(\w+)\}", r"%(\1)s", text) for text in texts]


_TITLE = _every_choice([[TITLE]])[0]
_OPENING, _CLOSING = _every_choice(OPENING), _every_choice(CLOSING)
_EPISODES = [_every_choice(episode) for episode in EPISODES]
_COUNTS = {key: len(words) for key, words in WORDS.items()} | {"animal": len(ANIMALS)}


def stories(count: int, seed: int = 0, start: int = 0) -> Iterator[str]:
    """Stories number `start` to `start + count`, each a text of some 1,550 characters.

    A line is a paragraph; the first is the title.
    """
    for block in range(start // BLOCK, -(-(start + count) // BLOCK)):
        first = block * BLOCK
        texts = _block(seed, block)
        yield from texts[max(0, start - first) : start + count - first]


def story_count(size: int) -> int:
    """How many stories make about `size` bytes."""
    return max(1, round(size / MEAN_BYTES))


_PARAGRAPHS = 10
_CHOICES = lcm(*map(len, (_OPENING, _CLOSING, *_EPISODES)))
_SLOTS = ("paragraph", "choice", *_COUNTS)


def _block(seed: int, block: int) -> list[str]:
    """The 256 stories number 256·block and on."""
    draws = uniforms((BLOCK, 4 + (_PARAGRAPHS + 2) * len(_SLOTS)), seed, block, "stories")
    people, rest = draws[:, :4].tolist(), draws[:, 4:].reshape(BLOCK, -1, len(_SLOTS))
    columns = []
    for slot, key in enumerate(_SLOTS):
        size = {"paragraph": len(_EPISODES), "choice": _CHOICES}.get(key) or _COUNTS[key]
        columns.append((rest[:, :, slot] * size).astype(int).tolist())
    nouns, kin, animals = list(CUBE), list(KIN), list(ANIMALS)
    words = [animals if key == "animal" else WORDS[key] for key in _COUNTS]
    texts = []
    for index, (u_noun, u_kin, u_a, u_b) in enumerate(people):
        noun, relation = nouns[int(u_noun * 8)], kin[int(u_kin * len(kin))]
        sex, other = CUBE[noun][0], KIN[relation]
        name = NAMES[sex][int(u_a * 16)]
        names = [theirs for theirs in NAMES[other] if theirs != name]
        slots = facts(noun)
        slots.update(A=name, B=names[int(u_b * len(names))], noun=noun, kin=relation)
        slots["age_a"] = "an old" if slots["age"] == "old" else "a young"
        slots["he"], slots["his"], slots["him"] = PRONOUNS[sex]
        slots["bhe"], slots["bhis"], slots["bhim"] = PRONOUNS[other]
        slots["He"], slots["His"] = slots["he"].title(), slots["his"].title()
        which, choice, *fillers = (column[index] for column in columns)
        lines = []
        for paragraph in range(_PARAGRAPHS + 2):
            for key, choices, filler in zip(_COUNTS, words, fillers):
                slots[key] = choices[filler[paragraph]]
            slots["young"], slots["voice"] = ANIMALS[slots["animal"]]
            if paragraph == 0:
                lines.append(_TITLE % slots)
                templates = _OPENING
            elif paragraph <= _PARAGRAPHS:
                templates = _EPISODES[which[paragraph]]
            else:
                templates = _CLOSING
            lines.append(templates[choice[paragraph] % len(templates)] % slots)
        texts.append("\n".join(lines))
    return texts


# ---- reading stories -------------------------------------------------------------------


def _patterns() -> list[re.Pattern[str]]:
    """One expression a sentence of the grammar; a slot is a group named slot_number."""
    choices = {key: sorted(words) for key, words in WORDS.items()}
    choices |= {
        "A": sorted(NAMES["he"] + NAMES["she"]),
        "B": sorted(NAMES["he"] + NAMES["she"]),
        "noun": list(CUBE),
        "kin": list(KIN),
        "animal": list(ANIMALS),
        "young": [young for young, _ in ANIMALS.values()],
        "voice": [voice for _, voice in ANIMALS.values()],
        "age_a": ["an old", "a young"],
        "He": ["He", "She"],
        "His": ["His", "Her"],
    }
    for place, key in enumerate(("he", "his", "him")):
        choices[key] = choices["b" + key] = [forms[place] for forms in PRONOUNS.values()]
    for key in FACTS:
        choices[key] = sorted({facts(noun)[key] for noun in CUBE})
    sentences = [TITLE]
    for paragraph in (OPENING, *EPISODES, CLOSING):
        sentences += [sentence for alternatives in paragraph for sentence in alternatives]
    patterns = []
    for sentence in dict.fromkeys(sentences):
        parts = re.split(r"\{(\w+)\}", sentence)
        for i in range(1, len(parts), 2):
            parts[i] = f"(?P<{parts[i]}_{i}>{'|'.join(choices[parts[i]])})"
        parts[::2] = map(re.escape, parts[::2])
        patterns.append(re.compile("".join(parts)))
    return patterns


_PATTERNS: list[re.Pattern[str]] = []


@dataclass
class StoryScore:
    """How well a text keeps the stories' grammar.

    `grammatical` of the `sentences` are ones that the grammar makes; in
    `consistent` of them names, pronouns and facts agree with what came
    before. `problems` holds the others.
    """

    sentences: int = 0
    grammatical: int = 0
    consistent: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def well_formed(self) -> bool:
        return 0 < self.sentences == self.consistent


def score_story(text: str) -> StoryScore:
    """Score every whole sentence of one story or of several, also of a torn-out piece.

    What follows the last full stop, or comes before the first sentence (it
    begins with a small letter), is not counted. A title begins a new story.
    """
    if not _PATTERNS:
        _PATTERNS.extend(_patterns())
    score = StoryScore()
    readings: list[dict[str, str]] = [{}]  # what may be known: a torn piece has several
    titled = False  # the sentence before was a title
    lines = text.split("\n")
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        if not line.strip():
            continue
        for sentence in re.split(r"(?<=[.!?])\s+(?=\S)|(?<=[.!?]\")\s+(?=[A-Z\"])", line.strip()):
            whole = sentence.rstrip('"').endswith((".", "!", "?"))
            if (last and not whole) or (score.sentences == 0 and sentence[0].islower()):
                continue
            score.sentences += 1
            found = [match for p in _PATTERNS if (match := p.fullmatch(sentence))]
            if not found:
                score.problems.append(f"not a sentence of the grammar: {sentence}")
                continue
            score.grammatical += 1
            opens = sentence.startswith(("Once there was", "Long ago there lived"))
            if not whole or (opens and not titled):
                readings = [{}]
            titled = not whole
            after: list[dict[str, str]] = []
            for state in (_agree(state, match) for state in readings for match in found):
                if state is not None and state not in after:
                    after.append(state)
            if after:
                readings = after
                score.consistent += 1
            else:
                score.problems.append(f"does not agree with what came before: {sentence}")
    return score


def _agree(known: dict[str, str], match: re.Match[str]) -> dict[str, str] | None:
    """What is known after a sentence, or None where it contradicts what was known."""
    after = dict(known)
    animal: dict[str, str] = {}
    for group, value in match.groupdict().items():
        slot = group.split("_")[0]
        learned: dict[str, str] = {}
        if slot in ("A", "B"):
            learned = {slot: value, f"sex of {slot}": "he" if value in NAMES["he"] else "she"}
        elif slot == "noun":
            learned = {"noun": value, "sex of A": CUBE[value][0], **facts(value)}
        elif slot == "kin":
            learned = {"kin": value, "sex of B": KIN[value]}
        elif slot in FACTS:
            learned = {"age": value.split()[-1]} if group.startswith("age") else {slot: value}
        elif slot.lower() in ("he", "his", "him", "bhe", "bhis", "bhim"):
            sex = "he" if value.lower() in PRONOUNS["he"] else "she"
            learned = {"sex of B" if slot.startswith("b") else "sex of A": sex}
        elif slot in ("animal", "young", "voice"):
            animal[slot] = value
        for key, word in learned.items():
            if after.setdefault(key, word) != word:
                return None
    if after.get("A") is not None and after.get("A") == after.get("B"):
        return None
    fits = any(
        animal.get("animal", name) == name
        and animal.get("young", young) == young
        and animal.get("voice", voice) == voice
        for name, (young, voice) in ANIMALS.items()
    )
    return after if fits else None
