"""`torchgpt train --dropout P` drops the share P, where torch draws the masks itself."""

import pytest
import torch
from torch.nn import functional as F

from parity_tests.runs.run_checks import flags, write_corpus
from torchgpt.cli.main import main
from torchgpt.modules import GPT

LAYERS = 2


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """-> of each dropout in one step: (P that it is given, share of what was set to 0)."""
    found = []
    dropout, attention = F.dropout, F.scaled_dot_product_attention

    def watched_dropout(x, p, training):
        y = dropout(x, p, training)
        if training:
            found.append((p, float((y == 0)[x != 0].double().mean())))
        return y

    def watched_attention(q, k, v, is_causal, dropout_p=0.0):
        if dropout_p:
            # queries and keys of zeros, values of the identity: the output is the mask
            T = q.shape[-2]
            alike, each = torch.zeros_like(q), torch.eye(T).expand(*q.shape[:-1], T)
            state = torch.get_rng_state()
            weights = attention(alike, alike, each, is_causal=True, dropout_p=dropout_p)
            torch.set_rng_state(state)
            lower = torch.ones(T, T).tril().bool().expand_as(weights)
            found.append((dropout_p, float((weights == 0)[lower].double().mean())))
        return attention(q, k, v, is_causal=is_causal, dropout_p=dropout_p)

    def run(rate):
        monkeypatch.setattr(F, "dropout", watched_dropout)
        monkeypatch.setattr(F, "scaled_dot_product_attention", watched_attention)
        corpus = write_corpus(tmp_path / "corpus.txt")
        line = flags(corpus=corpus, steps=1, dropout=rate, layers=LAYERS, batch_size=16)
        line += ["--device", "cpu", "--out", str(tmp_path / "run")]
        assert main(["train", *line]) == 0
        return found

    return run


def check(found, rate):
    """An embedding's dropout, and a block's three; the shares within five standard errors."""
    assert len(found) == 1 + 3 * LAYERS
    for given, share in found:
        assert given == rate and share == pytest.approx(rate, abs=0.05), (given, share)


@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_the_share_that_torch_drops_is_the_one_that_is_asked_for(train, rate):
    check(train(rate), rate)


@pytest.mark.parametrize("mistake", [
    lambda rate: 1 - rate, lambda rate: rate / 2, lambda rate: rate * rate])
def test_another_share_is_noticed(train, monkeypatch, mistake):
    rate, init = 0.4, GPT.__init__

    def wrong(self, config, dropout=0.0, params=None):
        init(self, config, mistake(dropout), params)

    monkeypatch.setattr(GPT, "__init__", wrong)
    with pytest.raises(AssertionError):
        check(train(rate), rate)
