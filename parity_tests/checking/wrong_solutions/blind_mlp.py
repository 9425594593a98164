SOLUTIONS = [
 {'what': 'The dropout of the last forward step is applied last in the backward pass '
          'too, to d_x, instead of first, to d_y.',
  'step': '4',
  'kind': 'order',
  'edits': [('dropout_backward(d_y, saved_dropout)', 'd_y'),
            ('return d_x, {',
             'd_x = dropout_backward(d_x, saved_dropout)\n    return d_x, {')]},
 {'what': 'The down projection is gone back through with what the up projection saved '
          '(shape error).',
  'step': '3',
  'kind': 'shape',
  'edits': [('linear_backward(d_out, saved_down)',
             'linear_backward(d_out, saved_up)')]},
 {'what': "gelu_backward's result is multiplied by d_activated once more, as if it "
          'were the bare derivative.',
  'step': '2',
  'kind': 'factor',
  'edits': [('gelu_backward(d_activated, saved_gelu)',
             'd_activated * gelu_backward(d_activated, saved_gelu)')]},
 {'what': 'd_y is added to d_x as for a residual connection, which the MLP itself does '
          'not have.',
  'step': '1',
  'kind': 'term',
  'edits': [('return d_x, {', 'd_x = d_x + d_y\n    return d_x, {')]}]
