"""Lessons: short experiments on data that are made here, with the picture each leaves.

A lesson is handed the functions that learn, `npgpt.foundations`' or
`torchgpt.foundations`', as functions of NumPy's arrays."""
