"""What a caption says: things, where they stand, and what all of them share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from rpg.areas.layout import MAX_REGIONS
from rpg.planners.rules.lexicon import BEINGS, LANDMARKS, NAME, is_adjective, plain


@dataclass(frozen=True)
class Place:
    """A direction: rows count downwards, columns to the right; ``None`` where nothing is said."""

    row: int | None = None
    column: int | None = None


@dataclass(eq=False)
class Thing:
    """One entity, or ``count`` equal ones.

    ``name`` is the noun phrase of a single one ("a red apple"), ``tail`` what the caption adds to it, with the
    punctuation that joins it (", silver hair"; " in a black dress").
    """

    name: str
    noun: str
    kind: str
    count: int = 1
    tail: str = ""
    place: Place | None = None
    relation: tuple[Place, Thing] | None = None
    definite: bool = False
    pronoun: bool = False
    members: list[Thing] = field(default_factory=list)
    many: str = ""
    """The phrase as the caption has it ("three red apples")."""

    lists: bool = False
    """Whether a colon follows, so that the next things are those that it counts."""

    @property
    def new(self) -> bool:
        """Whether the caption says "a girl" or "another girl"."""
        return self.many.startswith(("a ", "an ", "another "))

    @property
    def root(self) -> Thing:
        """The thing at the end of the relations."""
        thing, seen = self, {id(self)}
        while thing.relation and id(thing.relation[1]) not in seen:
            thing = thing.relation[1]
            seen.add(id(thing))
        return thing

    @property
    def being(self) -> bool:
        return self.kind in BEINGS

    @property
    def person(self) -> bool:
        return self.kind in ("person", "group")


@dataclass(eq=False)
class Surrounding:
    """A phrase about the surroundings; ``owner`` is the thing it was said of, if any."""

    text: str
    kind: str
    owner: Thing | None = None
    leads: bool = False
    """Whether it was said before its owner: of that one alone if others have their own, else of all."""


@dataclass
class Reading:
    """All that one caption says, in its order."""

    things: list[Thing] = field(default_factory=list)
    scenes: list[Surrounding] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    joint: str = " "
    """What stands between words."""
    counted: set[str] = field(default_factory=set)
    """Nouns of which the caption says the number."""
    order: str = ""
    """``row``, ``reversed row``, ``column``, ``reversed column``, ``grid``, ``X`` or nothing."""

    @property
    def full(self) -> bool:
        """Whether there are more things than a plan has regions: reading on would change nothing."""
        return len(self.things) > MAX_REGIONS

    def limit(self, most: int, prose: bool = False) -> bool:
        """Leave out what a long caption names beyond ``most`` things, the placed, living and related last.

        A list whose things have places or numbers is taken as it is; ``prose`` is not. Whether there were more.
        """
        listed = not prose and any(thing.place or thing.count > 1 for thing in self.things)
        if len(self.things) <= most or self.order or listed:
            return False

        def rank(thing: Thing) -> tuple[bool, ...]:
            return not thing.place, not thing.being, not (thing.relation or self._anchors(thing))

        kept = sorted(self.things, key=rank)[:most]
        self.things = [thing for thing in self.things if thing in kept]
        for thing in self.things:
            thing.relation = thing.relation if thing.relation and thing.relation[1] in kept else None
        return True

    def settle_tags(self) -> None:
        """Merge tags such as "1girl" with what the caption says of her later: "1girl, 1boy, girl with pink hair, ..."."""
        tags = [thing for thing in self.things if thing.name == f"1{thing.noun}" and thing.count == 1]
        named = [thing for thing in self.things if not thing.kind and thing.place and NAME.match(thing.name[-1:])]
        if len(tags) == len(named) and not any(tag.tail.strip(" ,") or tag.place or self._anchors(tag) for tag in tags):
            self.things = [
                thing for thing in self.things if thing not in tags
            ]  # "1girl, 1boy, misty \\(pokemon\\) on the left, ..."
            return
        for tag in tags:
            later = self.things[self.things.index(tag) + 1 :]
            told = [thing for thing in later if thing.noun == tag.noun and thing.count == 1 and thing.name != tag.name]
            if len(told) == 1 and not told[0].new and not self._anchors(tag):
                told[0].tail += (", " if tag.tail else "") + tag.tail.lstrip(" ,")
                told[0].place = told[0].place or tag.place
                self.things.remove(tag)
                for scene in self.scenes:
                    scene.owner = told[0] if scene.owner is tag else scene.owner

    def _anchors(self, thing: Thing) -> bool:
        """Whether another one stands in relation to it."""
        return any(other.relation and other.relation[1] is thing for other in self.things)

    def settle_members(self) -> None:
        """Find the things that only describe one of a group: "two girls, the girl on the left ...".

        A group that is described completely leaves the list; the others keep what was said in ``members``.
        """
        for group in list(self.things):
            if group.count < 2:
                continue
            self.counted.add(group.noun)
            if _distribute(group):
                continue
            later = self.things[self.things.index(group) + 1 :]
            alike = [thing for thing in later if thing.count == 1 and _belongs(thing, group)]
            if len(alike) != group.count:
                tag = group.name.startswith("1")
                alike = [t for t in alike if t.definite or t.pronoun or (tag and not t.new)][: group.count]
            for thing in alike:
                self.things.remove(thing)
                bare = re.sub("^an? ", "", plain(thing.name.lower())) == thing.noun
                if thing.pronoun or (bare and thing.noun == group.noun):
                    thing.name, thing.noun, thing.kind = group.name + group.tail, group.noun, group.kind
                    thing.tail = _COPULA.sub(", ", thing.tail)
            if len(alike) == group.count:
                position = self.things.index(group)
                self.things[position : position + 1] = alike
                for scene in self.scenes:
                    scene.owner = None if scene.owner is group else scene.owner
            else:
                group.members = alike

    def settle_scenes(self) -> None:
        """Decide which surroundings are shared by all (no owner) and which stay with the thing they were said of."""
        if sum(thing.count for thing in self.things if thing.person) > 1:
            self._leave_to_base()
        self._leave_scenery()
        self._leave_unplaced()
        owners = {id(scene.owner) for scene in self.scenes if scene.owner}
        leads = sum(scene.leads for scene in self.scenes)
        last = self.things[-1] if self.things else None
        for scene in self.scenes:
            owner = scene.owner
            if owner is not None and (owner not in self.things or len(self.things) == 1):
                scene.owner = None
            elif owner is not None and scene.leads:
                scene.owner = owner if leads > 1 else None
            elif owner is not None and len(owners) == 1 and not self._carries(owner) and (scene.kind in _WIDE or owner is last):
                scene.owner = None
            if scene.owner is not None:
                scene.owner.tail += (", " if "," in scene.owner.tail and self.joint else self.joint) + scene.text
        self.scenes = [scene for scene in self.scenes if scene.owner is None]

    def _leave_scenery(self) -> None:
        """A place that the caption begins with surrounds the beings that it goes on to name: "a beach, a girl and a dog"."""
        if not self.things:
            return
        first, *others = self.things
        if first.kind != "place" or first.noun in LANDMARKS or first.place or first.relation or self.order:
            return
        if any(thing.being for thing in others) and not any(thing.relation and thing.relation[1] is first for thing in others):
            self.things.remove(first)
            self.scenes.insert(0, Surrounding(first.name + first.tail, "place"))

    def _leave_unplaced(self) -> None:
        """Many of something, named last and without a place where all others have theirs, are everywhere: "a samurai on the left,
        a ninja on the right, cherry blossoms"."""
        if len(self.things) < 3:
            return
        *others, last = self.things
        if last.place or last.relation or last.being or last.count > 1 or self._anchors(last):
            return
        several = self.joint and last.name == last.many and last.name.split(" ")[-1].lower() != last.noun.split(" ")[-1]
        if several and all(thing.place or thing.relation for thing in others):
            self.things.remove(last)
            self.scenes.insert(0, Surrounding(last.name + last.tail, "ambience"))

    def _carries(self, owner: Thing) -> bool:
        """Whether something stands above or below a thing that is not the last."""
        related = [thing.relation for thing in self.things if thing.relation]
        return owner is not self.things[-1] and any(offset.row and anchor is owner for offset, anchor in related)

    def _leave_to_base(self) -> None:
        """Behind people, what hangs on a wall needs no region: the base prompt names it."""
        walls = [
            scene for scene in self.scenes if scene.owner and not scene.owner.being and re.search(r"\bwalls?\b|墙", scene.text)
        ]
        tied = [thing.relation[1] for thing in self.things if thing.relation]
        for scene in walls:
            owner = scene.owner
            if owner in self.things and not owner.place and not owner.relation and owner not in tied:
                self.things.remove(owner)
                self.scenes.remove(scene)


_PARTITIONS = frozenset({"panel", "scene", "frame", "part", "section", "picture", "image", "photo"})
_LISTED = re.compile(r" with ((?:[\w-]+, )*[\w-]+,? and [\w-]+) (.+)", re.DOTALL)
_WIDE = frozenset({"place", "ambience", "action"})
_COPULA = re.compile(r"^[\s,]*(?:(?:is|are|has|have|being|was|wears|with)\b|是)?\s*(?=\S)")


def _distribute(group: Thing) -> bool:
    """Give each of "three girls with red, blue and green hair" one of what is listed; False where it lists no such thing."""
    listed = _LISTED.fullmatch(group.tail)
    each = re.split(r",\s*(?:and )?|\s+and\s+", listed[1]) if listed else []
    if not listed or len(each) != group.count or not all(map(is_adjective, each)):
        return False
    group.members = [replace(group, count=1, tail=f" with {one} {listed[2]}", members=[]) for one in each]
    return True


def _belongs(thing: Thing, group: Thing) -> bool:
    return (
        thing.pronoun
        or thing.noun == group.noun
        or (group.name.startswith("1") and not thing.kind and thing.place is not None)
        or (group.lists and (thing.person == group.person or group.noun in _PARTITIONS))
        or (group.kind == "group" and thing.kind == "person")
    )
