SOLUTIONS = [
 {'what': 'Only the zeros of the mask are applied; the scale 1/(1-p) of the features '
          'that were kept is forgotten.',
  'step': '1',
  'kind': 'factor',
  'edits': [('d_y * dropout_mask', 'd_y * (dropout_mask != 0)')]},
 {'what': 'The gradient is passed on as it is; the mask is forgotten altogether.',
  'step': '1',
  'kind': 'term',
  'edits': [('d_y if dropout_mask is None else d_y * dropout_mask', 'd_y')]},
 {'what': 'The mask is applied twice, so the features that were kept are scaled by '
          '1/(1-p) squared.',
  'step': '1',
  'kind': 'scale',
  'edits': [('d_y * dropout_mask', 'd_y * dropout_mask * dropout_mask')]},
 {'what': 'The mask is the wrong way round: the gradient passes where the features '
          'were dropped.',
  'step': '1',
  'kind': 'value',
  'edits': [('d_y * dropout_mask', 'd_y * (dropout_mask == 0)')]}]
