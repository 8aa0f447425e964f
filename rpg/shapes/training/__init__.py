"""Trains the embedded model from nothing but a seed: ``python -m rpg.shapes.training``.

``scenes`` draws and captions the pictures, ``autoencoder`` learns to compress them, ``denoiser`` learns to make them
from their captions, ``single_file`` writes the result in the layout of Stable Diffusion 1.x.
"""
