"""The one home of Hypothesis strategies: it draws a component's choices
(shape, regime, seed); the arrays come from the seed. Sizes above 1 and benign
numbers stand first, so a failure shrinks to an example that shows the mistake."""

from hypothesis import strategies as st

from npgpt.checking.components import make_case
from npgpt.checking.draw import Draw, telling_first


@st.composite
def cases(draw, component):
    return make_case(component, Draw(lambda options: draw(st.sampled_from(telling_first(options)))))
