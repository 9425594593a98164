SOLUTIONS = [
 {'what': 'd_v is computed with the probabilities before dropout in place of the '
          'weights that mixed the values.',
  'step': '6',
  'kind': 'value',
  'edits': [('weights.swapaxes(-1, -2) @ d_y', 'probs.swapaxes(-1, -2) @ d_y')]},
 {'what': 'Dropout is undone after the softmax and not before it: the mask multiplies '
          'the gradient of the scores.',
  'step': '5',
  'kind': 'order',
  'edits': [('d_weights * dropout_mask', 'd_weights'),
            ('softmax_backward(d_probs, (probs,))',
             'softmax_backward(d_probs, (probs,))\n'
             '    if dropout_mask is not None:\n'
             '        d_scores = d_scores * dropout_mask')]},
 {'what': 'Divided by D instead of by its square root.',
  'step': '2',
  'kind': 'scale',
  'edits': [('d_scores / math.sqrt(q.shape[-1])', 'd_scores / q.shape[-1]')]},
 {'what': 'd_k is q transposed times d_scores, the gradient of k transposed (D, S), '
          'and is not transposed back to (S, D).',
  'step': '1',
  'kind': 'transposed',
  'edits': [('d_scores.swapaxes(-1, -2) @ q', 'q.swapaxes(-1, -2) @ d_scores')]}]
