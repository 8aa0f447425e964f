"""A UNet and its regions: conditionings, attention, latents, and a job's state."""
