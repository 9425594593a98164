"""Speed: what is done for speed alone, tested equal to the readable code."""
