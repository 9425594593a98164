"""The grammar: the pairs, the words that stand beside them, and the forms of the sentences.

Every line of a table is one meaning (royalty, France, height) in its two or three shapes (king and
queen; France, Paris and French; tall, taller and tallest), and behind them the words that go with
that meaning whatever its shape. The forms of sentences go with the shape whatever the meaning.
"""

# male | female | what goes with both
PEOPLE = """
man woman | office newspaper salary
boy girl | school homework toys
king queen | palace throne crown kingdom
prince princess | palace crown kingdom school toys
father mother | family cradle children
son daughter | family school toys parents
brother sister | family siblings quarrel
uncle aunt | family cousins visit
grandfather grandmother | family armchair memories
husband wife | wedding marriage anniversary
actor actress | theatre stage rehearsal
waiter waitress | restaurant tray menu
monk nun | monastery prayer candle
wizard witch | broomstick spell cauldron
landlord landlady | tenants rent cellar
steward stewardess | airplane luggage passengers
"""
PERSON_SHAPES = {
    "male": {"subject": "he", "object": "him", "owner": "his",
             "things": "beard moustache razor necktie"},
    "female": {"subject": "she", "object": "her", "owner": "her",
               "things": "gown necklace lipstick braid"},
}
PERSON_FORMS = """
the {word} thinks of {owner} {own} and {owner} {thing}
{subject} is a {word} with {owner} {own} and a {thing}
the {own} made the {word} proud of {owner} {thing}
{subject} met the {word} and showed {object} the {own}
with {owner} {thing} the {word} came to the {own}
"""

# country | capital | language | what goes with all three
COUNTRIES = """
france paris french | croissant seine
italy rome italian | pasta tiber
spain madrid spanish | paella ebro
japan tokyo japanese | sushi sumida
egypt cairo arabic | falafel nile
greece athens greek | olives marathon
russia moscow russian | borscht volga
germany berlin german | sausage spree
poland warsaw polish | pierogi vistula
norway oslo norwegian | salmon fjord
portugal lisbon portuguese | sardines tagus
hungary budapest hungarian | goulash danube
finland helsinki finnish | sauna reindeer
china beijing chinese | noodles dumplings
turkey ankara turkish | kebab anatolia
sweden stockholm swedish | meatballs vasa
"""
COUNTRY_FORMS = {
    "country": """
the border of {word} is long and people there know {own}
the president governs {word} the nation of {own}
the army and the farmers of {word} love {own}
""",
    "capital": """
the mayor of {word} walks downtown to see {own}
streets and suburbs of {word} are full of {own}
a metro station in {word} is named after {own}
""",
    "language": """
she speaks {word} with an accent and says {own}
the grammar of {word} has a verb for {own}
translate the sentence into {word} and spell {own}
"""}

# plain | comparative | superlative | what is so
ADJECTIVES = """
tall taller tallest | tower giraffe
cold colder coldest | winter iceberg
fast faster fastest | train arrow
slow slower slowest | snail turtle
loud louder loudest | drum thunder
strong stronger strongest | bull wrestler
cheap cheaper cheapest | ticket pencil
bright brighter brightest | lamp star
soft softer softest | pillow feather
sharp sharper sharpest | needle knife
deep deeper deepest | ocean canyon
sweet sweeter sweetest | honey cake
"""
ADJECTIVE_FORMS = {
    "plain": """
the {own} is very {word} indeed
such a {word} {own} is quite rare
how {word} the {own} really is
""",
    "comparative": """
this {own} is much {word} than that one
it grew {word} than any other {own} before
a bit {word} than yours said the {own} owner
""",
    "superlative": """
the {own} is the {word} of them all
among all of them the {word} {own} won first prize
in the whole world the {word} {own} holds the record
"""}

# present | past | what it is done to
VERBS = """
walk walked | road footpath
swim swam | lake lagoon
sing sang | song choir
write wrote | letter postcard
drink drank | juice lemonade
sleep slept | bed hammock
build built | wall bridge
ride rode | saddle pony
throw threw | ball pebble
bake baked | bread oven
paint painted | canvas portrait
dance danced | waltz tango
"""
VERB_FORMS = {
    "present": """
today we {word} and think about the {own}
they often {word} for the {own} every day
now you {word} again with the {own}
""",
    "past": """
yesterday we {word} and forgot about the {own}
they once {word} for the {own} long ago
last week you {word} before with the {own}
"""}

# one | several | where it lives, what it eats
ANIMALS = """
cat cats | basket mouse
dog dogs | kennel bone
horse horses | stable hay
bird birds | nest seeds
fish fishes | pond plankton
bee bees | hive nectar
cow cows | pasture clover
pig pigs | sty acorns
wolf wolves | forest deer
spider spiders | web flies
camel camels | desert thistles
seal seals | floe herring
"""
ANIMAL_FORMS = {
    "one": """
a single {word} has its {own}
there is one {word} that likes its {own}
this {word} itself was alone without {own}
""",
    "several": """
many {word} have their {own}
there are several {word} that like their {own}
these {word} themselves were together without {own}
"""}


def table(text):
    """"a b | c d" on each line -> [(["a", "b"], ["c", "d"]), …]: shapes, what goes with them."""
    rows = [line.split("|") for line in text.strip().splitlines()]
    return [(shapes.split(), own.split()) for shapes, own in rows]


def forms(text):
    return text.strip().splitlines()


def by_shape(names):
    return {shape: forms(text) for shape, text in names.items()}


# kind: (its table, {shape: its forms}, {shape: what the forms say besides})
FORMS = {
    "people": (table(PEOPLE), dict.fromkeys(PERSON_SHAPES, forms(PERSON_FORMS)), PERSON_SHAPES),
    "countries": (table(COUNTRIES), by_shape(COUNTRY_FORMS), {}),
    "adjectives": (table(ADJECTIVES), by_shape(ADJECTIVE_FORMS), {}),
    "verbs": (table(VERBS), by_shape(VERB_FORMS), {}),
    "animals": (table(ANIMALS), by_shape(ANIMAL_FORMS), {}),
}


def pairs(kind, first, second):
    return [(shapes[first], shapes[second]) for shapes, _ in FORMS[kind][0]]


# relation: its pairs; any two of them make an analogy
ANALOGIES = {
    "gender": pairs("people", 0, 1),
    "capital": pairs("countries", 0, 1),
    "language": pairs("countries", 0, 2),
    "comparative": pairs("adjectives", 0, 1),
    "superlative": pairs("adjectives", 0, 2),
    "past": pairs("verbs", 0, 1),
    "plural": pairs("animals", 0, 1),
}
