"""What both readers keep while they walk over a caption."""

from __future__ import annotations

from rpg.planners.rules.reading import Place, Reading, Surrounding, Thing


class Claims:
    """Things named so far, and where the next one stands."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.current: Thing | None = None
        """What the words that come next describe."""
        self.scene: Surrounding | None = None
        """Surroundings that the words that come next continue."""
        self.pending: Place | None = None
        """The place that the caption named for what comes next."""
        self.row: Place | None = None
        """The row of the picture that everything belongs to until another place is named."""
        self.leading: tuple[Place, Thing] | None = None
        """The relation that the next thing has to one named before."""

    def several(self) -> bool:
        """Whether more than one entity was named."""
        return len(self.reading.things) > 1 or any(thing.count > 1 for thing in self.reading.things)

    def grouped(self, noun: str) -> bool:
        """Whether a noun was named with a number, so that one of them is not the whole."""
        return any(thing.noun == noun and thing.count > 1 for thing in self.reading.things)

    def new(self, thing: Thing) -> Thing:
        """Add a thing, at the place that is pending for it."""
        thing.place = thing.place or self.pending or self.row
        if self.leading:
            thing.relation, self.leading = self.leading, None
        self.reading.things.append(thing)
        self.current, self.scene = thing, None
        return thing

    def surround(self, text: str, kind: str, owner: Thing | None = None, leads: bool = False) -> Surrounding:
        """Add surroundings."""
        scene = Surrounding(text, kind, owner, leads)
        self.reading.scenes.append(scene)
        return scene


def opposite(place: Place) -> Place:
    """The direction back."""
    return Place(-place.row if place.row else None, -place.column if place.column else None)
