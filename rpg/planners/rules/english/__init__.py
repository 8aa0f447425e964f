"""English captions: what is a thing, where it stands, what belongs to it."""
