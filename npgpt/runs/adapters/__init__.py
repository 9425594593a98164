"""Adapters: a directory in the format of `peft`, written and read.

    adapter_config.json        rank, alpha, the layers, the base model's name
    adapter_model.safetensors  A and B of each adapted layer, under the family's names
    training.safetensors       the same with AdamW's means, where it is in training
"""

from npgpt.runs.adapters.adapter import Adapter, dropout_note, merged
from npgpt.runs.adapters.read import is_adapter, load_adapter
from npgpt.runs.adapters.write import load_adapter_training, save_adapter

__all__ = [
    "Adapter", "dropout_note", "is_adapter", "load_adapter", "load_adapter_training", "merged",
    "save_adapter",
]
