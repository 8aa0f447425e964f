"""A UNet and its regions: conditionings, attention, latents, what is kept from step to step, a job's state, hooks."""
