"""A line: guess, measure how wrong it is, step downhill, again."""


def line(x, weight, bias, targets):
    """x (M,), weight (), bias (), targets (M,) -> loss (), the mean
    squared error of weight · x + bias (Legendre, 1805)."""
    # (1) what the line predicts
    predicted = weight * x + bias                     # (M,)
    # (2) how far off it is
    error = predicted - targets                       # (M,)
    # (3) the mean of the squares
    loss = (error * error).mean()                     # ()
    return loss, (x, weight, error)


def line_backward(d_loss, saved):
    """d_loss () -> d_x (M,), {"weight": (), "bias": ()}"""
    x, weight, error = saved
    # (3) the mean of the squares
    d_error = d_loss * (2 / len(x)) * error           # (M,)
    # (2, 1) the slope of the prediction is x, and 1
    d_weight = (d_error * x).sum()                    # ()
    d_bias = d_error.sum()                            # ()
    d_x = d_error * weight                            # (M,)
    return d_x, {"weight": d_weight, "bias": d_bias}


def fit_line(x, targets, weight, bias, rate=0.2, steps=10):
    """Gradient descent (Cauchy, 1847) from weight () and bias () ->
    [(weight, bias, loss), ...], the start and each step."""
    path = []
    for _ in range(steps):
        # (1) how wrong the line is, and which way is uphill
        loss, saved = line(x, weight, bias, targets)
        _, grads = line_backward(1.0, saved)
        path.append((weight, bias, loss))
        # (2) a step downhill
        weight = weight - rate * grads["weight"]      # ()
        bias = bias - rate * grads["bias"]            # ()
    # (3) how wrong the last line is
    loss, _ = line(x, weight, bias, targets)
    return [*path, (weight, bias, loss)]
