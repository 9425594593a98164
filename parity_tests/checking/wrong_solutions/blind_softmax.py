SOLUTIONS = [
 {'what': "As for a sigmoid, only each probability's dependence on its own score is "
          'counted, p(1-p); the other scores of the row, through the sum, are '
          'forgotten.',
  'step': '3',
  'kind': 'term',
  'edits': [('d_probs - mean_grad', 'd_probs * (1 - probs)')]},
 {'what': 'Plus instead of minus: the gradient through the sum that is divided by has '
          'the wrong sign.',
  'step': '3',
  'kind': 'sign',
  'edits': [('d_probs - mean_grad', 'd_probs + mean_grad')]},
 {'what': 'The weighted sum is taken over the whole array and not within each row.',
  'step': '3',
  'kind': 'axis',
  'edits': [('(d_probs * probs).sum(axis=-1, keepdims=True)',
             '(d_probs * probs).sum()')]},
 {'what': 'The derivative of exp is forgotten: no factor probs.',
  'step': '2',
  'kind': 'factor',
  'edits': [('d_shifted = probs * d_powers', 'd_shifted = d_powers')]}]
