SOLUTIONS = [
 {'what': 'The output projection is given d_y, before the dropout, in place of '
          'd_mixed.',
  'step': '5',
  'kind': 'value',
  'edits': [('linear_backward(d_mixed, saved_out)',
             'linear_backward(d_y, saved_out)')]},
 {'what': 'The channels are reshaped straight to (B, H, T, D): heads and positions are '
          'not swapped, and the entries get mixed up.',
  'step': '4',
  'kind': 'order',
  'edits': [('merge_heads_backward(d_merged, saved_merge)',
             'd_merged.reshape(\n'
             '        d_merged.shape[0], saved_merge[0], d_merged.shape[1], -1)')]},
 {'what': 'd_q and d_k are divided by the square root of D once more, which attention '
          'has already done.',
  'step': '2',
  'kind': 'scale',
  'edits': [('split_qkv_backward((d_q, d_k, d_v), saved_split)',
             'split_qkv_backward(\n'
             '        (d_q / d_q.shape[-1] ** 0.5, d_k / d_k.shape[-1] ** 0.5, d_v),\n'
             '        saved_split)')]},
 {'what': 'd_x is counted three times, once each for queries, keys and values, though '
          'the one product has already added the three up.',
  'step': '1',
  'kind': 'factor',
  'edits': [('return d_x, {', 'd_x = 3 * d_x\n    return d_x, {')]}]
