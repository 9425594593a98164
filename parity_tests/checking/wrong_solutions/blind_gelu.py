SOLUTIONS = [
 {'what': 'The two factors are swapped: the gate gets d_y times the gate, x gets d_y '
          'times x.',
  'step': '2',
  'kind': 'order',
  'edits': [('d_gate = d_y * x', 'd_gate = d_y * gate'),
            ('d_factor = d_y * gate', 'd_factor = d_y * x')]},
 {'what': 'The derivative 1 - tanh^2 is taken with the gate in place of tanh.',
  'step': '1',
  'kind': 'value',
  'edits': [('2 * d_gate * gate * (1 - gate)', '0.5 * d_gate * (1 - gate * gate)')]},
 {'what': 'The 3 of the derivative of x^3 is forgotten.',
  'step': '1',
  'kind': 'factor',
  'edits': [('3 * CUBIC * x * x', 'CUBIC * x * x')]},
 {'what': 'Half of the product rule: the gradient through the gate is returned, that '
          'of x as a factor is left out.',
  'step': '1',
  'kind': 'term',
  'edits': [('d_factor + d_inner * slope', 'd_inner * slope')]}]
