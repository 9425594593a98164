SOLUTIONS = [
 {'what': 'The gradient of the weight is the sum of d_y alone, as for the bias; the '
          'factor normed is missing.',
  'step': '3',
  'kind': 'factor',
  'edits': [('(d_y * normed).reshape(-1, C)', 'd_y.reshape(-1, C)')]},
 {'what': 'The mean that corrects for the standard deviation is taken of d_y in place '
          'of d_normed: without the weight.',
  'step': '2',
  'kind': 'value',
  'edits': [('(d_normed * normed).mean', '(d_y * normed).mean')]},
 {'what': 'Brackets: only d_normed is divided by the standard deviation, the term that '
          'is subtracted is not.',
  'step': '2',
  'kind': 'order',
  'edits': [('(d_normed - normed * mean_grad) * inv_std',
             'd_normed * inv_std - normed * mean_grad')]},
 {'what': 'The mean subtracted in centring is taken over the first axis and not over '
          'the channels.',
  'step': '1',
  'kind': 'axis',
  'edits': [('d_centred.mean(axis=-1, keepdims=True)',
             'd_centred.mean(axis=0, keepdims=True)')]}]
