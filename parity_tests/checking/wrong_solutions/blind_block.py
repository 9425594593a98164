SOLUTIONS = [
 {'what': "The sum's gradient is split in halves between its two terms; each gets all "
          'of it.',
  'step': '4',
  'kind': 'scale',
  'edits': [('d_x, d_mlp_out = d_y, d_y', 'd_x, d_mlp_out = d_y / 2, d_y / 2')]},
 {'what': "The path around the MLP is forgotten: d_x is replaced by the branch's "
          'gradient instead of added to.',
  'step': '3',
  'kind': 'term',
  'edits': [('layer_norm_backward(d_normed, saved_norm_2)\n    d_x = d_x + d_branch',
             'layer_norm_backward(d_normed, saved_norm_2)\n    d_x = d_branch')]},
 {'what': 'Attention gets d_y, the gradient at the output of the block, and so nothing '
          'that came back through the MLP.',
  'step': '2',
  'kind': 'value',
  'edits': [('d_attended = d_x', 'd_attended = d_y')]},
 {'what': "Norm and attention are gone back through in the forward order: the norm's "
          "backward first, then attention's.",
  'step': '1',
  'kind': 'order',
  'edits': [('d_normed, d_attention = multi_head_attention_backward(\n'
             '        d_attended, saved_attention)\n'
             '    d_branch, d_norm_1 = layer_norm_backward(d_normed, saved_norm_1)',
             'd_normed, d_norm_1 = layer_norm_backward(d_attended, saved_norm_1)\n'
             '    d_branch, d_attention = multi_head_attention_backward(\n'
             '        d_normed, saved_attention)')]}]
