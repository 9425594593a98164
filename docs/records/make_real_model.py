"""The record docs/records/real_model.json: SmolLM2's sizes, layers, heads and answers.

    python docs/records/make_real_model.py        some minutes on one processor

Every text in it was written by the model in our NumPy code; each answer is what
`npgpt chat smollm2` gives with the same temperature and seed.
"""

import numpy as np
from npgpt.blocks import gated_mlp, grouped_query_attention
from npgpt.checking.attention_maps import attention_maps
from npgpt.families import llama as family
from npgpt.generation import generate
from npgpt.layers import embedding, linear, rms_norm, rope_angles, softmax
from npgpt.models import llama
from npgpt.random_stream import uniforms
from npgpt.tree import tree_leaves
from smollm2 import answer, ids_of, likeliest, logits_of, model, words_of, write

PROMPTS = ["The capital of France is", "The opposite of hot is", "Monday, Tuesday, Wednesday,",
           "Two plus two is", "Once upon a time, there was a", "I saw her duck"]
LENS = ["The capital of France is", "The opposite of hot is", "Monday, Tuesday, Wednesday,"]
CONTINUATIONS = {"I saw her duck": [
    " swim across the pond.", " under the table.", " and then her goose.", " and then jump.",
    " the of under."]}
# the best known first
CAPITALS = {
    "France": "Paris", "Italy": "Rome", "England": "London", "Japan": "Tokyo", "Spain": "Madrid",
    "Germany": "Berlin", "Russia": "Moscow", "China": "Beijing", "Egypt": "Cairo",
    "Greece": "Athens", "Norway": "Oslo", "Poland": "Warsaw", "Cuba": "Havana", "Peru": "Lima",
    "Kenya": "Nairobi", "Hungary": "Budapest", "Vietnam": "Hanoi", "Jordan": "Amman",
    "Nepal": "Kathmandu", "Latvia": "Riga", "Ghana": "Accra", "Bolivia": "Sucre",
    "Kazakhstan": "Astana", "Burkina Faso": "Ouagadougou", "Togo": "Lomé", "Palau": "Ngerulmud",
    "Tuvalu": "Funafuti", "Bhutan": "Thimphu", "Eritrea": "Asmara", "Suriname": "Paramaribo"}
ASKED = {
    "fact": ["What is the capital of France?", "Who wrote the novel Pride and Prejudice?"],
    "arithmetic": ["What is 2 + 3?", "What is 12 + 30?", "What is 483 + 759?",
                   "What is 123 times 456?"],
    "news": ["Who won the election yesterday?", "What is today's date?"],
    "invented": ["Who wrote the novel The Glass Lighthouse of Oslo?",
                 "Tell me about the Battle of Lake Veronia in 1743.",
                 "Who was the third person on Mars?"]}
DRAWN = "Where was Anna Petrova born?"
TOKENS, SUM_TOKENS, SUMS, DIGITS = 60, 8, 20, (1, 2, 3, 4)
SOLVED = "7 + 5 = 12\n31 + 46 = 77\n"
SENTENCE = "When Mary and John went to the shop, John gave a book to"
REPEATED = "The Zorblat of Quimby was small. Nobody liked the Zorblat of"
RANDOM_TOKENS, SEED = 30, 1


def sizes():
    found = model()
    config, parts = found.config, {}
    for name, weight in tree_leaves(found.params):
        part = name.split(".")
        part = part[2] if part[0] == "blocks" else part[0]
        parts[part] = parts.get(part, 0) + weight.size
    cache = sum(int(np.prod(shape)) for block in family.cache_shapes(config, 1)["blocks"]
                for shape in block.values())
    return {"config": vars(config), "parts": parts, "parameters": sum(parts.values()),
            "tensors": len(list(tree_leaves(found.params))),
            "cache_numbers_per_token": cache // config.context_length}


def way(prompt):
    """The last token's way: after the embedding and after each block, what the model would
    answer if it ended there; how long the residual stream is and what was added to it."""
    found = model()
    params, config = found.params, found.config
    ids = ids_of(prompt)
    x, _ = embedding(ids, **params["tokens"])
    cos, sin = rope_angles(np.arange(ids.shape[1])[None], config.head_size, config.theta, x)
    stops = [{"stream": x[0, -1], "attention": None, "mlp": None}]
    for block in params["blocks"]:
        normed, _ = rms_norm(x, eps=config.eps, **block["norm_1"])
        attended, _ = grouped_query_attention(
            normed, block["attention"], config.heads, config.kv_heads, cos, sin, config.eps,
            causal=True)
        x = x + attended
        normed, _ = rms_norm(x, eps=config.eps, **block["norm_2"])
        mlp_out, _ = gated_mlp(normed, block["feed_forward"])
        x = x + mlp_out
        stops.append({"stream": x[0, -1], "attention": attended[0, -1], "mlp": mlp_out[0, -1]})
    rows = np.stack([stop["stream"] for stop in stops])
    normed, _ = rms_norm(rows, eps=config.eps, **params["norm"])
    logits, _ = linear(normed, params["tokens"]["weight"].T)
    right = int(logits[-1].argmax())
    assert right == int(logits_of(prompt)[-1].argmax())
    probs, _ = softmax(logits.astype(np.float64))
    layers = []
    for stop, row, prob in zip(stops, logits, probs):
        lengths = {key: round(float(np.linalg.norm(value)), 3)
                   for key, value in stop.items() if value is not None}
        layers.append({"best": likeliest(row, 3), "right": round(float(prob[right]), 5),
                       "rank": int((row > row[right]).sum()) + 1, **lengths})
    return {"prompt": prompt, "answer": words_of([right])[0], "layers": layers}


def drawn(count, shape, step, name):
    """Whole numbers below count."""
    return (uniforms(np.atleast_1d(shape), SEED, step, name) * count).astype(int)


def head_scores():
    """Three scores (layers, heads), 0 to 1: attention to the first token, to the one before,
    and, on random tokens that come twice, to what followed the same token the first time."""
    found = model()
    ids = drawn(found.config.vocab_size, RANDOM_TOKENS, 0, "tokens")
    maps = np.array(attention_maps(llama, found.params, [*ids, *ids], found.config))
    T, late = RANDOM_TOKENS, np.arange(RANDOM_TOKENS, 2 * RANDOM_TOKENS)
    scores = {"first": maps[:, :, late, 0], "before": maps[:, :, late, late - 1],
              "induction": maps[:, :, late, late - T + 1]}
    return {name: np.round(part.mean(axis=-1).astype(float), 3).tolist()
            for name, part in scores.items()}


def attention(text, layer, head):
    found = model()
    ids = found.tokenizer.encode(text)
    maps = attention_maps(llama, found.params, ids, found.config)
    return {"text": text, "layer": layer, "head": head, "tokens": words_of(ids),
            "weights": np.round(maps[layer][head].astype(float), 3).tolist(),
            "next": likeliest(logits_of(text)[-1], 3)}


def log_prob(start, more):
    """Of a continuation, given the start, in nats."""
    ids, given = ids_of(start + more)[0], ids_of(start).shape[1]
    probs, _ = softmax(logits_of(start + more).astype(np.float64))
    return float(sum(np.log(probs[t - 1, ids[t]]) for t in range(given, len(ids))))


def capital(country, right):
    prompt = f"The capital of {country} is"
    first = ids_of(f" {right}")[0, 0]
    probs, _ = softmax(logits_of(prompt)[-1].astype(np.float64))
    return {"country": country, "right": right, "probability": round(float(probs[first]), 5),
            "said": likeliest(logits_of(prompt)[-1], 1)[0]}


def sums(digits):
    """Drawn sums of two numbers with so many digits, after two that are solved."""
    low = 10 ** (digits - 1) if digits > 1 else 1
    rows = []
    for a, b in (low + drawn(10 ** digits - low, (SUMS, 2), digits, "sums")).tolist():
        start = ids_of(f"{SOLVED}{a} + {b} =")[0].tolist()
        ids = [*generate(llama, model().params, model().config, start, SUM_TOKENS, temperature=0)]
        said = model().tokenizer.decode(ids).strip().split("\n")[0]
        rows.append({"a": a, "b": b, "said": said, "right": said == str(a + b)})
    return {"digits": digits, "right": sum(row["right"] for row in rows), "sums": rows}


def main():
    scores = head_scores()
    layer, head = np.unravel_index(np.argmax(scores["induction"]), np.shape(scores["induction"]))
    before = np.unravel_index(np.argmax(scores["before"]), np.shape(scores["before"]))
    answers = [{"kind": kind, "question": question, "temperature": 0.0, "seed": 1,
                "tokens": TOKENS, "answer": answer(question, TOKENS)}
               for kind, questions in ASKED.items() for question in questions]
    answers += [{"kind": "three times", "question": DRAWN, "temperature": 0.8, "seed": seed,
                 "tokens": TOKENS, "answer": answer(DRAWN, TOKENS, 0.8, seed)}
                for seed in (1, 2, 3)]
    write("real_model", {
        "sizes": sizes(),
        "next": [{"prompt": prompt, "tokens": words_of(ids_of(prompt)[0]),
                  "best": likeliest(logits_of(prompt)[-1], 8)} for prompt in PROMPTS],
        "answers": answers,
        "solved": SOLVED, "sums": [sums(digits) for digits in DIGITS],
        "capitals": [capital(country, right) for country, right in CAPITALS.items()],
        "continuations": [{"start": start, "more": more, "nats": round(log_prob(start, more), 3)}
                          for start, rest in CONTINUATIONS.items() for more in rest],
        "lens": [way(prompt) for prompt in LENS],
        "heads": scores,
        "attention": [attention(REPEATED, int(layer), int(head)),
                      attention(SENTENCE, int(layer), int(head)),
                      attention(SENTENCE, *map(int, before))]})


if __name__ == "__main__":
    main()
