"""TRL's SFT loss on the same conversations, and its gradients, are ours."""

import numpy as np
import pytest

from npgpt.finetuning import rows
from npgpt.models import gpt2
from npgpt.runs.chat_data import chat_of
from npgpt.runs.checkpoint import load_checkpoint, save_checkpoint
from npgpt.text import BytePairTokenizer
from npgpt.text.corpora.chats import load_chats
from npgpt.training import init, loss_and_grads
from npgpt.tree import tree_leaves

# as our default one, with the marks by which TRL knows what is learned
TEMPLATE = """\
{%- for message in messages %}
{%- if message.role == 'user' %}{{ 'Q: ' + message.content + '\\n' }}
{%- else %}{{ 'A:' }}{% generation %}{{ ' ' + message.content + eos_token }}{% endgeneration %}
{{- '\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ 'A:' }}{% endif %}
"""


@pytest.mark.acceptance
def test_the_loss_is_that_of_trl(tmp_path):
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    chats = load_chats("stories:chat:4").train
    texts = [message["content"] for chat in chats for message in chat]
    tokenizer = BytePairTokenizer.train(texts, 300)
    config = gpt2.Config(tokenizer.vocab_size, 512, 2, 2, 16)
    params = init(gpt2, config, 3)
    save_checkpoint(tmp_path / "base", config, params, tokenizer)
    (tmp_path / "base" / "chat_template.jinja").write_text(TEMPLATE)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    trainer = trl.SFTTrainer(
        model=theirs, processing_class=AutoTokenizer.from_pretrained(tmp_path / "base"),
        train_dataset=datasets.Dataset.from_list([{"messages": chat} for chat in chats]),
        args=trl.SFTConfig(
            output_dir=str(tmp_path / "trl"), per_device_train_batch_size=4, max_length=512,
            assistant_only_loss=True, use_cpu=True, report_to=[], bf16=False))
    batch = next(iter(trainer.get_train_dataloader()))
    theirs.eval()
    expected = trainer.compute_loss(theirs, batch)
    expected.backward()
    expected = float(expected.detach())

    chat, _ = chat_of(tmp_path / "base", load_checkpoint(tmp_path / "base").tokenizer)
    examples = [rows.example(*chat.learnt(each)) for each in chats]
    learned = sum((targets != -100).sum() for _, targets in examples)
    assert learned == int((batch["labels"][:, 1:] != -100).sum())
    loss, grads = loss_and_grads(gpt2, params, config=config, **rows.padded(examples))
    assert float(loss) == pytest.approx(expected, abs=1e-5)
    found = dict(tree_leaves(grads))
    for path, name in (("tokens.weight", "transformer.wte.weight"),
                       ("blocks.0.attention.qkv.weight", "transformer.h.0.attn.c_attn.weight"),
                       ("blocks.1.feed_forward.down.bias", "transformer.h.1.mlp.c_proj.bias")):
        grad = dict(theirs.named_parameters())[name].grad.numpy()
        assert np.abs(found[path] - grad).max() < 1e-5, path
