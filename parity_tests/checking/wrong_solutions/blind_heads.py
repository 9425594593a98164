SOLUTIONS = [
 {'what': 'The axes of heads and positions are not swapped back: (B, H, T, D) is '
          'reshaped at once, which gives the right shape and mixes up the entries.',
  'step': '2',
  'kind': 'order',
  'edits': [('d_split = d_y.swapaxes(1, 2)', 'd_split = d_y'),
            ('B, T, H, D = d_split.shape', 'B, H, T, D = d_split.shape')],
  'exercise': 'split_heads'},
 {'what': 'The axes of positions and heads are not swapped back: d_x keeps the shape '
          '(B, T, H, D).',
  'step': '1',
  'kind': 'shape',
  'edits': [('d_x = d_swapped.swapaxes(1, 2)', 'd_x = d_swapped')],
  'exercise': 'merge_heads'},
 {'what': 'Queries, keys and values are stacked behind the axis of the heads, so they '
          'lie side by side for each head instead of one after the other.',
  'step': '1',
  'kind': 'axis',
  'edits': [('np.stack(d_split, axis=2)', 'np.stack(d_split, axis=3)'),
            ('B, T, _, H, D = d_x.shape', 'B, T, H, _, D = d_x.shape')],
  'exercise': 'split_qkv'},
 {'what': 'The copies of a head are looked for K apart (as if the heads had been '
          'tiled) and not next to each other, so gradients of different heads are '
          'added.',
  'step': '1',
  'kind': 'order',
  'edits': [('d_y.reshape(B, K, H // K, T, D)', 'd_y.reshape(B, H // K, K, T, D)'),
            ('groups.sum(axis=2)', 'groups.sum(axis=1)')],
  'exercise': 'repeat_heads'}]
