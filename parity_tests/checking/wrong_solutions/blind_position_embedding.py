SOLUTIONS = [
 {'what': 'The offset `start` is forgotten: the gradient goes to the first T rows '
          'whatever the first position was.',
  'step': '1',
  'kind': 'term',
  'edits': [('d_weight[start:start + T]', 'd_weight[:T]')]},
 {'what': 'The gradients of the sequences are averaged over the batch; they add up.',
  'step': '1',
  'kind': 'mean',
  'edits': [('d_y.sum(axis=0)', 'd_y.mean(axis=0)')]},
 {'what': 'd_y is summed over the positions as well as the batch, so every row gets '
          'the same gradient.',
  'step': '1',
  'kind': 'axis',
  'edits': [('d_y.sum(axis=0)', 'd_y.sum(axis=(0, 1))')]},
 {'what': 'With given positions, d_y is assigned instead of added up: of equal '
          'positions the last one wins.',
  'step': '1',
  'kind': 'value',
  'edits': [('np.add.at(d_weight, positions, d_y)', 'd_weight[positions] = d_y')]}]
