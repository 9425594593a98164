"""Models: blocks, from token ids to logits and back. A model is a
module: its family's Config and shapes, `forward` and `backward`."""

from npgpt.models import encoder_decoder, gpt2, llama, recurrent

BY_TYPE = {"gpt2": gpt2, "llama": llama, "qwen2": llama, "qwen3": llama,
           "recurrent": recurrent}

__all__ = ["BY_TYPE", "encoder_decoder", "gpt2", "llama", "recurrent"]
