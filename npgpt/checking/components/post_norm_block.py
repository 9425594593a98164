from dataclasses import replace

import numpy as np

from npgpt.checking.components._models import block_params
from npgpt.checking.components.block import block
from npgpt.checking.draw import Numbers
from npgpt.checking.edges import entered, run


def post_norm_block(draw):
    """The arguments of a block; only its norms stand elsewhere."""
    return replace(block(draw), component="post_norm_block", edges=(
        a_norm_comes_last, read_in_two_pieces))


def a_norm_comes_last(package):
    """With the second norm's weight 0 nothing but its bias is left of the input."""
    numbers = Numbers(1)
    x, params = numbers.normal(2, 3, 4), block_params(numbers, 4)
    params["norm_2"]["weight"] = np.zeros(4)
    y, _ = run(package, "post_norm_block", x, params, 2)
    yield "y", y, np.broadcast_to(params["norm_2"]["bias"], y.shape)


def read_in_two_pieces(package):
    """With a cache the second piece gives what the whole gives there."""
    numbers = Numbers(2)
    x, params = numbers.normal(2, 3, 4), block_params(numbers, 4)
    whole, _ = run(package, "post_norm_block", x, params, 2)
    storage = np.zeros((2, 2, 3, 2))
    past = entered(package, {"keys": storage, "values": storage})
    x, params = entered(package, [x, params])
    for start, end in (0, 2), (2, 3):
        found, _ = package.find("post_norm_block")(
            x[:, start:end], params, 2, past={**past, "start": start})
        yield f"y from {start} on", package.leave(found), whole[:, start:end], 1e-14
