"""Families: what a model is, without arithmetic and without arrays."""

from npgpt.families import encoder_decoder, gpt2, llama, recurrent

BY_TYPE = {"gpt2": gpt2, "llama": llama, "qwen2": llama, "qwen3": llama,
           "recurrent": recurrent}

__all__ = ["BY_TYPE", "encoder_decoder", "gpt2", "llama", "recurrent"]
