"""Where regions lie: split ratios, the areas they stand for, and who takes how much of each token."""
