"""Writes what is generated in docs/, and checks what is written there."""
