from npgpt.checking.components._encoder_decoder import part_masks, part_params
from npgpt.checking.components.encoder_block import encoder_case


def encoder(draw):
    return encoder_case(draw, "encoder", part_params, part_masks, layers=draw("layers", [1, 2]))
