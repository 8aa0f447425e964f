"""The extension inside the stable-diffusion-webui. Only ``script.py`` and a host's file import its ``modules``."""
