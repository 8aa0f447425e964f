"""The other half of the paper: a picture is checked against what it was to show, and repaired or edited where that is wrong."""
