"""OpenSLO's objects by kind and name, and what one of them calls another by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.specs.foreign import Told
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.openslo_forms import FORMS
from sloforge.specs.project import Context
from sloforge.specs.words import did_you_mean


@dataclass(frozen=True, slots=True)
class Found:
    """An object of one kind: its form and its place."""

    form: Any
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Every object by kind and name, and what was said while they were read."""

    told: Told
    context: Context
    named: dict[tuple[str, str], Found] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)

    def read(self, document: Node) -> None:
        """Take one document in."""
        place = Place(document)
        kind, name = place.at("kind").node, place.at("metadata", "name").node
        word = "" if kind is None else str(kind.value)
        if word not in FORMS:
            remedy = did_you_mean(word, FORMS)
            what = f"unknown kind {shown(word)}"
            self.told.wrong.append(place.at("kind").wrong(what, remedy, id_="S002"))
            return
        key = (word, "" if name is None else str(name.value))
        form = validated(FORMS[word], document, self.told.wrong)
        if isinstance(form, tuple):
            self.broken.add(key)
            return
        if getattr(form, "metadata", None) is None:
            what = "missing key `metadata`"
            self.told.wrong.append(place.wrong(what, id_="S002"))
            return
        if key in self.named:
            remedy = f"it is already at {self.named[key].place.at('metadata', 'name').where}"
            here = place.at("metadata", "name")
            what = f"duplicate {word} `{key[1]}`"
            self.told.wrong.append(here.wrong(what, remedy, id_="S004"))
            return
        self.named[key] = Found(form, place)

    def find(self, kind: str, place: Place) -> Found | None:
        """The object that the name at a place refers to; a missing one is told."""
        assert place.node is not None
        name = str(place.node.value)
        found = self.named.get((kind, name))
        if found is None and (kind, name) not in self.broken:
            known = [other for of, other in self.named if of == kind]
            remedy = did_you_mean(name, known) if known else f"write the {kind}"
            what = f"unknown {kind} {shown(name)}"
            self.told.wrong.append(place.wrong(what, remedy, id_="S005"))
        return found
