"""A GGUF file made into a directory: config.json, model.safetensors and the tokenizer's
files, as `transformers` would write them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from npgpt.errors import InputError, quote
from npgpt.files import write_atomically
from npgpt.runs.fetch.gguf import Gguf
from npgpt.text.tokenizers.byte_pairs import BytePairTokenizer
from npgpt.text.tokenizers.cutting import GPT2, LLAMA3, QWEN2, Cutting

# tokenizer.ggml.pre -> how it cuts text, and whether words that are tokens stay whole
CUTTINGS = {
    "gpt-2": (GPT2, False),
    "smollm": (Cutting(single_digits=True), False),
    "llama-bpe": (Cutting(LLAMA3), True),
    "qwen2": (Cutting(QWEN2, nfc=True), False),
}
CONTROL, USER_DEFINED = 3, 4  # token_type: special, and found in any text
# architecture -> model_type; and whether its q and k have RoPE's pairs side by side
ARCHITECTURES = {"llama": ("llama", True), "qwen2": ("qwen2", False), "qwen3": ("qwen3", False)}
# GGUF's name of a tensor -> that of transformers
NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def write_directory(source: Gguf, path: Path) -> None:
    """Write a model's directory, which is there and empty. InputError for an architecture
    or a tokenizer that is not read here."""
    from safetensors.numpy import save_file

    config = config_of(source)
    tokenizer = tokenizer_of(source.metadata)
    save_file(dict(tensors_of(source, config)), path / "model.safetensors",
              metadata={"format": "pt"})
    tokenizer.save(path / "tokenizer.json")
    about = tokenizer_config(source.metadata, tokenizer, config)
    for name, value in ("tokenizer_config.json", about), ("config.json", config):
        write_atomically(path / name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def architecture(source: Gguf) -> tuple[str, str, bool]:
    """GGUF's name of the architecture, the model_type, whether RoPE's pairs are side by side."""
    name = source.metadata.get("general.architecture")
    if name not in ARCHITECTURES:
        raise InputError(f"{source.path} holds a model of architecture {quote(name)}; read here"
                         f" are {', '.join(ARCHITECTURES)}")
    return (name, *ARCHITECTURES[name])


def config_of(source: Gguf) -> dict[str, Any]:
    """The fields of config.json."""
    name, model_type, _ = architecture(source)
    found = {key.removeprefix(f"{name}."): value for key, value in source.metadata.items()
             if key.startswith(f"{name}.")}
    if found.get("rope.scaling.type", "none") != "none":
        raise InputError(f"{source.path} scales RoPE by {quote(found['rope.scaling.type'])},"
                         " which is not done here")
    if "rope_freqs.weight" in source.tensors:
        raise InputError(f"{source.path} has frequencies of its own for RoPE (rope_freqs), which"
                         " is not done here")
    try:
        heads, channels = found["attention.head_count"], found["embedding_length"]
        size = found.get("attention.key_length", found.get(
            "rope.dimension_count", channels // heads))
        config = {
            "architectures": [f"{model_type.capitalize()}ForCausalLM"],
            "model_type": model_type,
            "vocab_size": source.tensors["token_embd.weight"][0][0],
            "max_position_embeddings": found["context_length"],
            "num_hidden_layers": found["block_count"],
            "num_attention_heads": heads,
            "num_key_value_heads": found.get("attention.head_count_kv", heads),
            "hidden_size": channels, "head_dim": size,
            "intermediate_size": found["feed_forward_length"],
            "rope_theta": float(found.get("rope.freq_base", 10_000.0)),
            "rms_norm_eps": shortest(found["attention.layer_norm_rms_epsilon"]),
            "tie_word_embeddings": "output.weight" not in source.tensors,
            "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
        }
    except (KeyError, TypeError, ZeroDivisionError) as error:
        raise InputError(f"{source.path} does not describe its model: {quote(error)}") from None
    ends = source.metadata
    return config | {"bos_token_id": ends.get("tokenizer.ggml.bos_token_id"),
                     "eos_token_id": ends.get("tokenizer.ggml.eos_token_id")}


def shortest(value: float) -> float:
    """The shortest number that is this one in float32: 1e-05, not 9.999999747378752e-06."""
    return float(str(np.float32(value)))


def tensors_of(source: Gguf, config: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields transformers' name and the tensor; each tensor of the file is used."""
    _, _, side_by_side = architecture(source)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for name in source.tensors:
        parts = name.split(".")
        layer, part, kind = ((f"model.layers.{parts[1]}.", parts[2], parts[3])
                             if parts[0] == "blk" and len(parts) == 4
                             else ("", parts[0], parts[-1]))
        if part not in NAMES or kind not in ("weight", "bias"):
            raise InputError(f"{source.path} holds {quote(name)}, which is not known here")
        value = source.tensor(name)
        if side_by_side and part in heads:
            value = split_pairs(value, heads[part])
        yield f"{layer}{NAMES[part]}.{kind}", np.ascontiguousarray(value)


def split_pairs(value: np.ndarray, heads: int) -> np.ndarray:
    """Rows in which RoPE turns 2i with 2i + 1 -> rows in which it turns i with i + D/2."""
    pairs = value.reshape(heads, -1, 2, *value.shape[1:])
    return pairs.swapaxes(1, 2).reshape(value.shape)


def tokenizer_of(metadata: dict[str, Any]) -> BytePairTokenizer:
    """The tokenizer in the metadata: byte-level byte pairs."""
    found = {key.removeprefix("tokenizer.ggml."): value for key, value in metadata.items()
             if key.startswith("tokenizer.ggml.")}
    if found.get("model") != "gpt2":
        raise InputError(f"its tokenizer is {quote(found.get('model'))}; read here is gpt2,"
                         " byte-level byte pairs")
    if found.get("pre") not in CUTTINGS:
        raise InputError(f"its tokenizer cuts text as {quote(found.get('pre'))}; known here are"
                         f" {', '.join(CUTTINGS)}")
    cutting, whole_words = CUTTINGS[found["pre"]]
    tokens, kinds = found["tokens"], found["token_type"]
    special = {token: id for id, (token, kind) in enumerate(zip(tokens, kinds))
               if kind in (CONTROL, USER_DEFINED)}
    added = [token for token, id in special.items() if kinds[id] == USER_DEFINED]
    plain = {token: id for id, token in enumerate(tokens) if token not in special}
    before = [tokens[found["bos_token_id"]]] if found.get("add_bos_token") else []
    return BytePairTokenizer.from_spelt(
        plain, found["merges"], special, added, cutting, whole_words, before)


def tokenizer_config(
    metadata: dict[str, Any], tokenizer: BytePairTokenizer, config: dict[str, Any]
) -> dict[str, Any]:
    """What tokenizer_config.json says: the roles of tokens, and the chat template."""
    names = {id: name for name, id in tokenizer.special_ids.items()}
    about: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
        "add_prefix_space": False, "model_max_length": config["max_position_embeddings"]}
    for role, key in (("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"),
                      ("pad_token", "padding")):
        id = metadata.get(f"tokenizer.ggml.{key}_token_id")
        if id in names:
            about[role] = names[id]
    if "tokenizer.chat_template" in metadata:
        about["chat_template"] = metadata["tokenizer.chat_template"]
    return about
