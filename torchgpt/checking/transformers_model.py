"""A model of `transformers` over a text and back: what each of its modules gives, and the
gradient of it, under the module's name."""

import sys

import torch

from npgpt.errors import InputError

# {our call: their module}, in a block and around the blocks; "NAME input": what that module
# is handed. A call is (function, which of its caller's calls), and its caller's before it.
BLOCKS = {
    "gpt2": ("block", "transformer.h", {
        (("layer_norm", 0),): "ln_1",
        (("multi_head_attention", 0), ("linear", 0)): "attn.c_attn",
        (("multi_head_attention", 0), ("merge_heads", 0)): "attn.c_proj input",
        (("multi_head_attention", 0), ("linear", 1)): "attn.c_proj",
        (("layer_norm", 1),): "ln_2",
        (("mlp", 0), ("linear", 0)): "mlp.c_fc",
        (("mlp", 0), ("gelu", 0)): "mlp.act",
        (("mlp", 0), ("linear", 1)): "mlp.c_proj"}),
    "llama": ("llama_block", "model.layers", {
        (("rms_norm", 0),): "input_layernorm",
        (("grouped_query_attention", 0), ("linear", 0)): "self_attn.q_proj",
        (("grouped_query_attention", 0), ("linear", 1)): "self_attn.k_proj",
        (("grouped_query_attention", 0), ("linear", 2)): "self_attn.v_proj",
        (("grouped_query_attention", 0), ("rms_norm", 0)): "self_attn.q_norm",
        (("grouped_query_attention", 0), ("rms_norm", 1)): "self_attn.k_norm",
        (("grouped_query_attention", 0), ("rope", 0)): "self_attn rotated q",
        (("grouped_query_attention", 0), ("rope", 1)): "self_attn rotated k",
        (("grouped_query_attention", 0), ("merge_heads", 0)): "self_attn.o_proj input",
        (("grouped_query_attention", 0), ("linear", 3)): "self_attn.o_proj",
        (("rms_norm", 1),): "post_attention_layernorm",
        (("gated_mlp", 0), ("linear", 0)): "mlp.gate_proj",
        (("gated_mlp", 0), ("linear", 1)): "mlp.up_proj",
        (("gated_mlp", 0), ("swiglu", 0)): "mlp.down_proj input",
        (("gated_mlp", 0), ("linear", 2)): "mlp.down_proj"}),
}
AROUND = {
    "gpt2": {(("embedding", 0),): "transformer.wte",
             (("position_embedding", 0),): "transformer.wpe",
             (("layer_norm", 0),): "transformer.ln_f", (("linear", 0),): "lm_head",
             (("cross_entropy", 0),): "the loss"},
    "llama": {(("embedding", 0),): "model.embed_tokens", (("rope_angles", 0),): "model.rotary_emb",
              (("rms_norm", 0),): "model.norm", (("linear", 0),): "lm_head",
              (("cross_entropy", 0),): "the loss"},
}


def pairs_of(model, layers):
    """-> {our call: the name of theirs}."""
    block, room, inside = BLOCKS[model]
    pairs = dict(AROUND[model])
    for i in range(layers):
        pairs[((block, i),)] = f"{room}.{i}"
        pairs |= {((block, i), *path): f"{room}.{i}.{name}" for path, name in inside.items()}
    return pairs


def load(path):
    """-> the model in float32. Raises InputError where transformers cannot open it."""
    import transformers
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(
            path, dtype=torch.float32, local_files_only=True).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"transformers cannot open {path}: {error}") from error


def values_of(theirs, ids, targets, weights):
    """-> {name: value}, of a gradient "d NAME". weights: {our path: (their tensor's name, is
    it transposed)}."""
    found = {}

    def note(name, value):
        if not torch.is_tensor(value):
            return
        heads = name.endswith(("q_norm", "k_norm"))     # (B, T, H, D): ours has H before T
        found[name] = in_numpy(value.swapaxes(1, 2) if heads else value)
        if value.requires_grad:
            value.register_hook(lambda grad: found.__setitem__(
                f"d {name}", in_numpy(grad.swapaxes(1, 2) if heads else grad)))

    def given_and_made(name):
        def hook(module, args, made):
            if args:
                note(f"{name} input", args[0])
            made = made[0] if isinstance(made, tuple) else made
            # the angles: ours come once for each pair, and for all heads
            note(name, made[:, None, :, :made.shape[-1] // 2] if "rotary" in name else made)

        return hook

    hooks = [module.register_forward_hook(given_and_made(name))
             for name, module in theirs.named_modules() if name]
    space = vars(sys.modules[type(theirs).__module__])
    rotate, layer = space.get("apply_rotary_pos_emb"), [0]

    def watched(*args, **options):
        made = rotate(*args, **options)
        for name, value in zip("qk", made):
            note(f"model.layers.{layer[0]}.self_attn rotated {name}", value)
        layer[0] += 1
        return made

    if rotate:
        space["apply_rotary_pos_emb"] = watched
    try:
        logits = theirs(torch.from_numpy(ids)).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), torch.from_numpy(targets).flatten())
        loss.backward()
    finally:
        space |= {"apply_rotary_pos_emb": rotate} if rotate else {}
        for hook in hooks:
            hook.remove()
    found["the loss"] = in_numpy(loss)
    named = dict(theirs.named_parameters())
    for path, (name, transposed) in weights.items():
        if name in named:
            grad = named[name].grad.numpy()
            found[f"d {path}"] = grad.T if transposed else grad
    return found


def in_numpy(tensor):
    return tensor.detach().double().numpy()
