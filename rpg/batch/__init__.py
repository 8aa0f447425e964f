"""Many prompts: planned and generated beside one another, on this machine or by webuis, and continued where it was stopped."""
