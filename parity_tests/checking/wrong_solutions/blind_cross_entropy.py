SOLUTIONS = [
 {'what': 'Divided by the number of all targets, also of those that are ignored, '
          'instead of by count.',
  'step': '4',
  'kind': 'mean',
  'edits': [('(d_loss / count)', '(d_loss / counted.size)')]},
 {'what': 'Ignored targets get a gradient too: the mask of those that count is '
          'forgotten.',
  'step': '4',
  'kind': 'term',
  'edits': [('counted.astype(probs.dtype) * (d_loss / count)',
             'np.ones(counted.shape) * (d_loss / count)')]},
 {'what': 'Only the derivative of -log p is taken, -1/p for the right token; the '
          'softmax before it is missing from the chain.',
  'step': '3, 2, 1',
  'kind': 'factor',
  'edits': [('probs - one_hot.astype(probs.dtype)',
             '-one_hot.astype(probs.dtype) / probs')]},
 {'what': 'The softmax is differentiated once more: p less 1 is multiplied by p(1-p) '
          "though it already holds the softmax's derivative.",
  'step': '3, 2, 1',
  'kind': 'scale',
  'edits': [('probs - one_hot.astype(probs.dtype)',
             '(probs - one_hot.astype(probs.dtype)) * probs * (1 - probs)')]}]
