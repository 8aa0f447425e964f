"""Where regions lie: split ratios, the boxes they stand for, and the tokens that each region owns."""
