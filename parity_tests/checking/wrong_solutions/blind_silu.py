SOLUTIONS = [
 {'what': "The gate's gradient is not multiplied by the other factor, x.",
  'step': '2',
  'kind': 'factor',
  'edits': [('d_gate = d_y * x', 'd_gate = d_y')]},
 {'what': 'The gradient through the sigmoid is subtracted: the minus of exp(-x) is '
          "kept though the quotient's minus cancels it.",
  'step': '1',
  'kind': 'sign',
  'edits': [('d_factor + d_gate * gate', 'd_factor - d_gate * gate')]},
 {'what': "The two gradients are added first and then both multiplied by the sigmoid's "
          'derivative, which belongs to d_gate alone.',
  'step': '1',
  'kind': 'order',
  'edits': [('d_factor + d_gate * gate * (1 - gate)',
             '(d_factor + d_gate) * gate * (1 - gate)')]},
 {'what': "The sigmoid's derivative is written with x, x(1-x), in place of the saved "
          'sigmoid.',
  'step': '1',
  'kind': 'value',
  'edits': [('d_gate * gate * (1 - gate)', 'd_gate * x * (1 - x)')]}]
