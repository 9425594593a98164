SOLUTIONS = [
 {'what': "Written with +=, of several equal ids only the last one's gradient is kept; "
          'they do not add up.',
  'step': '1',
  'kind': 'term',
  'edits': [('np.add.at(d_weight, ids, d_y)', 'd_weight[ids] += d_y')]},
 {'what': 'The gradient of a row is divided by how often its id occurs: a mean over '
          'equal ids where their sum is due.',
  'step': '1',
  'kind': 'mean',
  'edits': [('np.add.at(d_weight, ids, d_y)',
             'np.add.at(d_weight, ids, d_y)\n'
             '    counts = np.bincount(ids.reshape(-1), minlength=weight.shape[0])\n'
             '    d_weight /= np.maximum(counts, 1)[:, None]')]},
 {'what': 'd_y is multiplied by the row that was looked up, as if the lookup had been '
          'a product with the row.',
  'step': '1',
  'kind': 'factor',
  'edits': [('np.add.at(d_weight, ids, d_y)',
             'np.add.at(d_weight, ids, d_y * weight[ids])')]},
 {'what': 'd_y is summed over the batch and all of it goes to the ids of the first '
          'sequence, as if every sequence had the same ids.',
  'step': '1',
  'kind': 'axis',
  'edits': [('np.add.at(d_weight, ids, d_y)',
             'np.add.at(d_weight, ids[0], d_y.sum(axis=0))')]}]
