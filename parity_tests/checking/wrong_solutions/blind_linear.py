SOLUTIONS = [
 {'what': 'The gradient of the bias is summed over the first axis of d_y only, so the '
          'positions of a sequence stay apart.',
  'step': '3',
  'kind': 'axis',
  'edits': [('d_rows.sum(axis=0)', 'd_y.sum(axis=0)')]},
 {'what': 'The gradient of the bias is multiplied by the bias, as if the bias had been '
          'a factor and not a term of the sum.',
  'step': '3',
  'kind': 'factor',
  'edits': [('d_bias = d_rows.sum(axis=0)', 'd_bias = bias * d_rows.sum(axis=0)')]},
 {'what': 'The gradient of the weight is averaged over the rows; it is their sum.',
  'step': '2',
  'kind': 'mean',
  'edits': [('x.reshape(-1, I).T @ d_rows',
             'x.reshape(-1, I).T @ d_rows / d_rows.shape[0]')]},
 {'what': 'd_x is weight times d_y as columns (W @ d_y.T), not d_y as rows times '
          'weight.T; the reshape after it hides that the result is transposed.',
  'step': '2',
  'kind': 'transposed',
  'edits': [('d_rows @ weight.T', 'weight @ d_rows.T')]}]
