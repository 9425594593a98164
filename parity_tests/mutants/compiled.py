"""Mistakes in the compiled step: the text before and after. They are run by
the interpreter: nothing is compiled."""

from pathlib import Path
from types import ModuleType

LOOPS = [
    ("y[r, o] += bias[o]", "pass"),
    ("y[r, o] += bias[o]", "y[r, o] = bias[o]"),
    ("total[o] += d_y[r, o]", "total[o] = d_y[r, o]"),
    ("means[r] = mean = total * part", "means[r] = mean = total"),
    ("centred = x[r, c] - mean", "centred = x[r, c]"),
    ("math.sqrt(squares * part + kind(eps))", "math.sqrt(squares * part)"),
    ("(x[r, c] - mean) * inv_std * weight[c]", "x[r, c] * inv_std * weight[c]"),
    ("inv_std * weight[c] + bias[c]", "inv_std * weight[c]"),
    ("inv_std\n            d_weight[c] +=", "1\n            d_weight[c] +="),
    ("d_weight[c] += d_y[r, c] * normed", "d_weight[c] += d_y[r, c]"),
    ("d_bias[c] += d_y[r, c]\n            d_normed", "d_bias[c] = d_y[r, c]\n            d_normed"),
    ("mean_product *= part", "mean_product *= 1"),
    ("mean_grad = total * part", "mean_grad = 0 * part"),
    ("normed * mean_product) * inv_std", "normed * mean_product)"),
    ("(one + three * x[n] * x[n])", "(one + three * x[n])"),
    ("gate = kind(0.5) * tanh[n] + kind(0.5)", "gate = kind(0.5) * tanh[n]"),
    ("kind(2 * ROOT), kind(6 * ROOT * CUBIC)", "kind(2 * ROOT), kind(2 * ROOT * CUBIC)"),
    ("y[n] * (one - gate) * d_inner", "y[n] * gate * d_inner"),
    ("S - T + t + 1", "min(S, S - T + t + 2)"),
    ("S - T + t + 1", "t + 1"),
    ("(row[s] - top) * factor", "row[s] - top"),
    ("row[s] = -np.inf", "row[s] = 0"),
    ("total += row[s]", "total = row[s]"),
    ("row[s] * (d_row[s] - less) * factor", "row[s] * (d_row[s] - less)"),
    ("row[s] * (d_row[s] - less) * factor", "row[s] * d_row[s] * factor"),
    ("score[r] = shifted[r, targets[r]]", "score[r] = logits[r, targets[r]]"),
    ("total += powers[r, v]", "total = powers[r, v]"),
    ("powers[r, v] *= factor", "pass"),
    ("loss += math.log(total) - score[r]", "loss += math.log(total)"),
    ("loss += math.log(total) - score[r]", "loss = math.log(total) - score[r]"),
    ("if targets[r] != IGNORE:\n            loss", "if True:\n            loss"),
    ("kind(d_loss) if counts else kind(0)", "kind(d_loss)"),
    ("d_logits[r, targets[r]] -= factor", "d_logits[r, targets[r]] -= 1"),
    ("d_weight[ids[r], c] += d_y[r, c]", "d_weight[ids[r], c] = d_y[r, c]"),
]
LAYERS = [
    ("x if trainable else None", "x"),
    ("rows.T @ d_rows ", "2 * rows.T @ d_rows "),
    ("(d_rows.T @ rows).T", "2 * (d_rows.T @ rows).T"),
    ("(d_rows.T @ rows).T", "d_rows.T @ rows"),
    ("loops.column_sum(d_rows)", "loops.column_sum(rows)"),
    ("loops.column_sum(d_rows)", "0 * loops.column_sum(d_rows)"),
    ("eps=1e-5", "eps=1e-6"),
    ("if trainable else {}", "if True else {}"),
    ("return d_y * slope", "return d_y"),
    ("mask is not None or ", ""),
    ("not causal or ", ""),
    ("v, mask, causal, dropout_mask, size", "v, mask, causal, None, size"),
    ("end = S - T + rows.stop", "end = S"),
    ("weights = times(probs, dropout_mask, rows, end)", "weights = probs"),
    ("out=y[:, :, rows]", "out=y[:, :, :end - rows.start]"),
    ("for rows, end, probs, weights in", "for rows, end, weights, probs in"),
    ("add_product(weights.swapaxes", "add_product(probs.swapaxes"),
    ("d_v[:, :, :end], first", "d_v[:, :, :end], True"),
    ("d_k[:, :, :end], first", "d_k[:, :, :end], True"),
    ("v[:, :, :end].swapaxes(-1, -2), dropout_mask, rows",
     "v[:, :, :end].swapaxes(-1, -2), None, rows"),
    ("mean_grad[:, :, rows]", "mean_grad[:, :, :end - rows.start]"),
    ("probs * dropout_mask[:, :, rows, :end]",
     "probs * dropout_mask[:, :, :end - rows.start, :end]"),
    ("int((right != IGNORE).sum())", "right.size"),
    ("type(loss / count)", "type(loss / right.size)"),
    ("float(d_loss / count)", "float(d_loss)"),
]
ADAMW_LOOP = [
    ("g = grad[n] * kind(scale)", "g = grad[n]"),
    ("weight[n] *= kind(shrink)", "pass"),
    ("m[n] * kind(beta_1)", "m[n] * kind(beta_2)"),
    ("kind(1 - beta_1) * g", "kind(1 - beta_1) * grad[n]"),
    ("(g * g)", "g"),
    ("kind(1 - beta_2) * (g * g)", "(kind(1 - beta_2) * g) * g"),
    ("math.sqrt(v[n] / kind(bias_2)) + kind(eps)", "math.sqrt(v[n]) + kind(eps)"),
    ("math.sqrt(v[n] / kind(bias_2)) + kind(eps)", "math.sqrt(v[n] / kind(bias_2))"),
    ("weight[n] -= kind(rate) * (m[n] / size)", "weight[n] -= kind(rate) * m[n] / size"),
    ("weight[n] -= kind(rate) * (m[n] / size)", "weight[n] -= kind(rate) * (g / size)"),
]
ADAMW = [
    ("float(grad @ grad)", "float(grad @ grad) + 1e-6"),
    ("norm > max_norm", "norm < max_norm"),
    ("max_norm / norm if", "1 / norm if"),
    ("math.isfinite(norm) and ", ""),
    ("state[\"step\"] += 1", "pass"),
    ("params[name].ndim >= 2", "params[name].ndim >= 1"),
    ("params[name].ndim >= 2", "params[name].ndim >= 3"),
    ("lr / bias_1, bias_2", "lr, bias_2"),
    ("in_line(m[name]), in_line(v[name])", "in_line(v[name]), in_line(m[name])"),
]


def interpreted(module, old=None, new=None, **names):
    """A module's text, with a mistake in it, run without numba."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    if old:
        assert source.count(old) == 1, f"{source.count(old)} times: {old!r}"
        source = source.replace(old, new)
    for line in ("from numba import njit\n", "from npgpt.speed.compiled import loops\n"):
        source = source.replace(line, "")
    planted = ModuleType(module.__name__)
    vars(planted).update(names)
    exec(compile(source, module.__file__, "exec"), vars(planted))
    return planted


def as_it_is(**options):
    """In the place of njit."""
    return lambda function: function
