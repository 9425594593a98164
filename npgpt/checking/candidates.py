"""A whole package of someone's own: which of its components are right."""

from npgpt.checking.blame import explain
from npgpt.checking.components import CASES, functions_of, make_case
from npgpt.checking.draw import seeded_draw, telling_draw
from npgpt.checking.implementations import Stopped
from npgpt.checking.verdict import verdict

EXAMPLES = 30


def judged(candidate, witnesses, seed=1, examples=EXAMPLES):
    """-> {"right": components, "wrong": {component: lines that say why},
    "not_offered": functions}. witnesses: case -> the implementations that the
    candidate is held to."""
    found = {"right": [], "wrong": {}, "not_offered": []}
    for component in CASES:
        missing = [name for name in functions_of(component) if not candidate.find(name)]
        if missing:
            found["not_offered"] += missing
            continue
        lines = what_is_wrong(component, candidate, witnesses, range(seed, seed + examples))
        if lines:
            found["wrong"][component] = lines
        else:
            found["right"].append(component)
    return found


def what_is_wrong(component, candidate, witnesses, seeds):
    """Lines, none where all is well."""
    try:
        for seed in seeds:
            case = make_case(component, seeded_draw(seed))
            involved = [*witnesses(case), candidate]
            findings = verdict(case, involved, candidate, edges=seed == seeds[-1]).findings
            if findings:
                found = telling_example(component, candidate, witnesses, seeds, findings)
                text = explain(found or findings[:1], involved)
                return [line.strip() for line in text.split("\n")]
    except Stopped as error:
        return [f"{component}: {error}"]
    return []


def telling_example(component, candidate, witnesses, seeds, findings):
    """-> the first finding on an example for people, or None where none of these fails, or
    where the example makes no difference."""
    if findings[0].is_edge:
        return None
    for seed in seeds[:EXAMPLES]:
        case = make_case(component, telling_draw(seed))
        found = verdict(case, [*witnesses(case), candidate], candidate).findings
        if found:
            return found[:1]
    return None


def as_lines(found):
    """What is printed of such a verdict."""
    yield from (f"right        {component}" for component in found["right"])
    for component, lines in found["wrong"].items():
        yield f"wrong        {component}"
        yield from (f"             {line}" for line in lines)
    yield f"not offered  {', '.join(found['not_offered'])}"
