"""Blocks: made of layers, with no arithmetic but sums."""

from npgpt.blocks.block import block, block_backward
from npgpt.blocks.cross_attention import (
    cross_attention,
    cross_attention_backward,
    project_heads,
    project_heads_backward,
)
from npgpt.blocks.decoder import decoder, decoder_backward
from npgpt.blocks.decoder_block import (
    decoder_block,
    decoder_block_backward,
)
from npgpt.blocks.encoder import encoder, encoder_backward
from npgpt.blocks.encoder_block import (
    encoder_block,
    encoder_block_backward,
)
from npgpt.blocks.gated_mlp import gated_mlp, gated_mlp_backward
from npgpt.blocks.grouped_query_attention import (
    grouped_query_attention,
    grouped_query_attention_backward,
)
from npgpt.blocks.llama_block import llama_block, llama_block_backward
from npgpt.blocks.mlp import mlp, mlp_backward
from npgpt.blocks.multi_head_attention import (
    multi_head_attention,
    multi_head_attention_backward,
)
from npgpt.blocks.post_norm_block import (
    post_norm_block,
    post_norm_block_backward,
)

__all__ = [
    "block", "block_backward", "cross_attention",
    "cross_attention_backward", "decoder", "decoder_backward",
    "decoder_block", "decoder_block_backward", "encoder",
    "encoder_backward", "encoder_block", "encoder_block_backward",
    "gated_mlp", "gated_mlp_backward",
    "grouped_query_attention", "grouped_query_attention_backward",
    "llama_block", "llama_block_backward", "mlp", "mlp_backward",
    "multi_head_attention", "multi_head_attention_backward",
    "post_norm_block", "post_norm_block_backward", "project_heads",
    "project_heads_backward",
]
