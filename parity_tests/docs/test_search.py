"""The search finds the field's words, each on the page that explains it; the glossary has them."""

import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
sys.path[:0] = [str(HERE), str(DOCS / "_ext")]

from test_site import book, chromium, search  # noqa: E402, F401

FIRST = {
    "activation function": "chapters/gelu",
    "AdamW": "chapters/adamw",
    "adamw_step": "chapters/adamw",
    "attention weights": "chapters/attention",
    "autograd": "proof",
    "autoregressive": "chapters/sampling",
    "backpropagation": "maths",
    "backprop": "maths",
    "attention sink": "real_model",
    "backpropagation through time": "chapters/recurrence",
    "batch size": "chapters/batches",
    "bigram": "bigram",
    "BPE": "chapters/tokenizers",
    "BPTT": "chapters/recurrence",
    "broadcasting": "maths",
    "byte-pair encoding": "chapters/tokenizers",
    "byte pair encoding": "chapters/tokenizers",
    "calibration": "chapters/logistic",
    "catastrophic forgetting": "before_after",
    "causal mask": "chapters/attention",
    "chain rule": "maths",
    "context window": "chapters/position_embedding",
    "cross-attention": "chapters/cross_attention",
    "cross-entropy": "chapters/cross_entropy",
    "data leakage": "chapters/data_pipeline",
    "deduplication": "chapters/data_pipeline",
    "dropout": "chapters/dropout",
    "how does dropout work?": "chapters/dropout",
    "early stopping": "chapters/overfitting",
    "encoder-only": "trophy",
    "epoch": "chapters/batches",
    "exact match": "before_after",
    "feed-forward network": "chapters/mlp",
    "few-shot": "when_not_to_finetune",
    "generalization": "chapters/overfitting",
    "generate": "chapters/sampling",
    "gradient accumulation": "chapters/training_loop",
    "gradient clipping": "chapters/clip",
    "gradient descent": "maths",
    "greedy decoding": "chapters/sampling",
    "hallucination": "limits",
    "in-context learning": "when_not_to_finetune",
    "induction head": "real_model",
    "KV cache": "chapters/kv_cache",
    "key-value cache": "chapters/kv_cache",
    "laws": "laws",
    "layer normalization": "chapters/layer_norm",
    "learning rate": "chapters/schedule",
    "linear regression": "chapters/line",
    "logistic regression": "chapters/logistic",
    "logit lens": "real_model",
    "logits": "chapters/cross_entropy",
    "mean squared error": "chapters/line",
    "momentum": "chapters/adamw",
    "multi-head attention": "chapters/multi_head_attention",
    "nat": "maths",
    "no_grad": "survival_guide",
    "nucleus sampling": "chapters/sampling",
    "NaN": "troubleshooting",
    "negative log-likelihood": "chapters/cross_entropy",
    "one-hot": "chapters/embedding",
    "PCA": "neighbours",
    "optimizer": "chapters/adamw",
    "overfitting": "chapters/overfitting",
    "perplexity": "chapters/cross_entropy",
    "positional encoding": "chapters/position_embedding",
    "post-norm": "chapters/post_norm_block",
    "pre-norm": "chapters/block",
    "query": "chapters/attention",
    "RAG": "when_not_to_finetune",
    "residual connection": "chapters/block",
    "retrieval-augmented generation": "when_not_to_finetune",
    "self-attention": "chapters/attention",
    "skip connection": "chapters/block",
    "softmax": "chapters/softmax",
    "softmax_backward": "chapters/softmax",
    "silent bug": "museum",
    "speed": "speed",
    "split_heads": "chapters/heads",
    "subword": "chapters/tokenizers",
    "temperature": "chapters/sampling",
    "tensor": "maths",
    "top-k": "chapters/sampling",
    "unknown token": "first_program",
    "validation set": "chapters/data_pipeline",
    "vanishing gradient": "chapters/block",
    "vocabulary": "chapters/tokenizers",
    "warmup": "chapters/schedule",
    "weight decay": "chapters/adamw",
    "what is attention": "chapters/attention",
    "weight tying": "chapters/gpt2",
}

USUAL = (
    "activation", "autograd", "autoregressive", "backpropagation", "batch", "broadcasting",
    "byte-pair encoding", "catastrophic forgetting", "causal",
    "chain rule", "checkpoint", "context window", "cross-entropy",
    "data leakage", "deduplication", "early stopping", "embedding", "epoch", "feed-forward network",
    "fine-tuning", "generalisation", "gradient accumulation", "gradient clipping",
    "greedy decoding", "hidden state", "key–value cache", "learning rate", "logit", "momentum",
    "nat", "nucleus sampling", "one-hot", "overfitting", "parameter", "perplexity",
    "positional encoding", "prompt", "relu", "residual connection", "self-attention",
    "skip connection", "subword", "temperature", "tensor", "top-k", "train/validation split",
    "vocabulary", "warm-up", "weight decay", "weight tying")


def glossary():
    """{name: definition}, every name of every term."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    return {name.lower(): definition for names, definition in re.findall(
        r"^(\S.*)\n: (.*)$", text, re.M) for name in names.split(", ")}


def test_the_glossary_has_the_usual_words():
    assert not [word for word in USUAL if word not in glossary()]


def test_each_word_of_the_glossary_ends_in_its_page():
    for name, definition in glossary().items():
        match = re.search(r"\[[^]]+\]\(([\w/]+)\.md(#[\w-]+)?\)$", definition)
        assert match, f"{name}: its definition does not end in a link"
        page = DOCS / f"{match[1]}.md"
        assert page.exists(), f"{name}: there is no page {match[1]}"
        if match[2]:
            headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
            anchors = ["#" + re.sub(r"[^\w -]", "", each).lower().replace(" ", "-")
                       for each in headings]
            assert match[2] in anchors, f"{name}: {page.name} has no {match[2]}"


def test_the_glossary_is_in_alphabetical_order():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = [re.sub(r"[^a-z0-9]", "", term.split(",")[0].lower())
             for term in re.findall(r"^(\S.*)\n: ", text, re.M)]
    assert terms == sorted(terms)


def test_formulas_as_plain_text():
    from words import plain, without_marks

    assert plain(r"C = H \cdot D") == "C = H · D"
    assert plain(r"\mathrm{d}u = \mathrm{d}y\,v") == "du = dy v"
    assert plain(r"e^{\text{loss}}") == "e^loss"
    assert plain(r"\begin{pmatrix}1\end{pmatrix}") is None
    assert without_marks("the *rate*, [`lr`](x.md), in formulas $\\eta$") == (
        "the rate, lr, in formulas η")


@pytest.mark.acceptance
@pytest.mark.parametrize("words", FIRST)
def test_search_finds_the_words_of_the_field(book, chromium, words):  # noqa: F811
    found = search(chromium, book, words)
    assert found.partition("#")[0] == f"{FIRST[words]}.html"


@pytest.mark.acceptance
def test_each_title_says_where_the_page_stands(book):  # noqa: F811
    from chapters import road

    for caption, pages in road().items():
        for page in pages:
            text = (book / f"{page}.html").read_text(encoding="utf-8")
            title = re.search(r"<title>(.*?)</title>", text)[1]
            assert title.endswith(" · npgpt ∥ torchgpt")
            if page.startswith("chapters/"):
                assert f" · {caption} · " in title
    text = (book / "source" / "npgpt" / "layers" / "softmax.html").read_text(encoding="utf-8")
    assert "<title>npgpt/layers/softmax.py · source · npgpt ∥ torchgpt</title>" in text


@pytest.mark.acceptance
@pytest.mark.parametrize("width, scheme", [(1440, "light"), (390, "dark")])
def test_each_result_says_where_and_what(book, chromium, width, scheme):  # noqa: F811
    import browsing

    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults = []
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.goto((book / "search.html").as_uri() + "?q=learning rate")
    page.wait_for_selector("#search-results li a")
    results = page.eval_on_selector_all("ul.search > li", """all => all.map(e => [
        e.querySelector('.at a').textContent, e.querySelector('.at span')?.textContent,
        e.querySelector('.context').textContent, e.querySelector('.at a').href.split('#')[0]])""")
    assert len(results) >= 5
    assert len({link for *_, link in results}) == len(results), "a page stands twice"
    for title, part, context, link in results:
        assert len(context) >= 20, f"{title}: no line of context"
        assert part or link.endswith("index.html"), f"{title}: no part of the road"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title().startswith("learning rate · Search")
    page.add_script_tag(content=browsing.axe_script())
    faults += browsing.serious(page)
    page.close()
    assert not faults, "\n".join(faults)
