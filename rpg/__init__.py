"""RPG: Recaption, Plan, Generate. Regional diffusion for the stable-diffusion-webui."""

__version__ = "0.1.0"
