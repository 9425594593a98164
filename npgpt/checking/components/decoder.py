from npgpt.checking.components._encoder_decoder import part_masks, part_params
from npgpt.checking.components.decoder_block import decoder_case


def decoder(draw):
    return decoder_case(draw, "decoder", part_params, part_masks, layers=draw("layers", [2, 1]))
