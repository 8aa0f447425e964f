"""Chinese captions: what is a thing, where it stands, what belongs to it, and its English."""
