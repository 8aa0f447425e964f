"""The extension inside the stable-diffusion-webui. The only place that imports the host's ``modules``."""
