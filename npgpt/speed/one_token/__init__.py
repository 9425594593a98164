"""One token: a family's step for generation, on vectors."""
