"""JSON Schemas (2020-12) in words: each field with its type, codes, bounds and what it is about.

Only what the documents use: ``$ref``, ``properties``, ``items``, ``enum``, ``const``, ``anyOf`` and bounds.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from api import labels, private_labels
from api.web.developers.wording import Said, said
from api.web.texts import Texts
from registry.application.drafts import NO_CONTROLS
from registry.log.canonical import MAX_INTEGER
from registry.text import Text

Schema = Mapping[str, Any]

_MODELS: Final = "#/components/schemas/"

_LABELS: Final[Mapping[str, Mapping[str, Text]]] = {
    "Certainty": labels.CERTAINTIES,
    "CorrectionReason": labels.REASONS,
    "IncidentClass": labels.CLASSES,
    "Kind": labels.KINDS,
    "Manner": private_labels.MANNERS,
    "Means": private_labels.MEANS,
    "Nexus": private_labels.NEXUS,
    "Outcome": private_labels.OUTCOMES,
    "PerpetratorGroup": private_labels.PERPETRATORS,
    "ReportClass": labels.CLASSES,
    "Sex": labels.SEXES,
    "VictimRole": private_labels.ROLES,
}
"""What pages call the codes of these models."""

_OF_ALL: Final[Mapping[str, Text]] = {
    "UNKNOWN": labels.unknown(""),
    "NOT_REPORTED": private_labels.NOT_REPORTED,
    "NOT_APPLICABLE": private_labels.NOT_APPLICABLE,
}


class Code(NamedTuple):
    """A value that a field may have, and what it is called where it has a name."""

    value: str
    label: str


class Field(NamedTuple):
    """One field of an object. ``shape``: where its own fields are described, unless they are its ``children``."""

    name: str
    type: str
    required: bool
    codes: Sequence[Code]
    bounds: Sequence[str]
    said: Said | None
    shape: str | None
    children: Sequence["Field"]


class Shape(NamedTuple):
    """An object that is described on its own."""

    name: str
    said: Said | None
    fields: Sequence[Field]


class _Value(NamedTuple):
    """What a value may be: types in words, and the objects among them by name, if they have one."""

    types: Sequence[str]
    codes: Sequence[Code]
    bounds: Sequence[str]
    objects: Sequence[tuple[str | None, Schema]]


class Schemas:
    """The schemas of one document, in one language."""

    def __init__(self, document: Mapping[str, Any], words: Texts) -> None:
        self._document, self._words = document, words

    def resolve(self, schema: Schema) -> tuple[str | None, Schema]:
        """What a reference leads to, with its name where it is a model. What stands beside ``$ref`` counts, too."""
        name = None
        while (reference := schema.get("$ref")) is not None:
            found: Any = self._document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
            rest = reference.removeprefix(_MODELS)
            name = rest if reference.startswith(_MODELS) and "/" not in rest else None
            schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
        return name, schema

    def fields(self, schema: Schema, *, within: bool, above: tuple[str, ...] = ()) -> list[Field]:
        """Of an object. ``within``: the fields of objects inside are its children; else only where they have no name.

        :param above: the models that this one is inside of, which are not described again.
        """
        name, schema = self.resolve(schema)
        above = (*above, name) if name else above
        required = schema.get("required", ())
        return [
            self.field(field, inner, required=field in required, within=within, above=above)
            for field, inner in schema.get("properties", {}).items()
        ]

    def field(
        self, name: str, schema: Schema, *, required: bool, within: bool, above: tuple[str, ...] = ()
    ) -> Field:
        """One field, parameter or header."""
        value = self._value(schema)
        shape, children = None, list[Field]()
        for model, inner in value.objects:
            if model is None or (within and model not in above):
                children += self.fields(inner, within=within, above=(*above, model) if model else above)
            else:
                shape = model
        description = self.resolve(schema)[1].get("description") or next(
            (inner["description"] for _, inner in value.objects if "description" in inner), None
        )
        return Field(
            name,
            self._words.gettext(" o ").join(dict.fromkeys(value.types)),
            required,
            value.codes,
            [*value.bounds, *self._default(schema)],
            said(description, self._words.language) if description else None,
            shape,
            children,
        )

    def shape(self, name: str) -> Shape:
        """A model on its own; the models inside are to be found on their own, too."""
        schema = self.resolve({"$ref": _MODELS + name})[1]
        return Shape(name, self.said(schema), self.fields(schema, within=False))

    def said(self, schema: Schema) -> Said | None:
        """What a schema, or the model that it refers to, says of itself."""
        text = self.resolve(schema)[1].get("description")
        return said(text, self._words.language) if text else None

    def named(self, schemas: Iterable[Schema]) -> list[str]:
        """The models that hold objects and can be reached from the schemas, in the order of the reading."""
        found: dict[str, None] = {}
        for schema in schemas:
            self._reach(schema, found)
        return list(found)

    def objects(self, schema: Schema) -> list[str]:
        """The models that a value may be, itself or as the items of a list."""
        return [name for name, _ in self._value(schema).objects if name]

    def type(self, schema: Schema) -> str:
        """In words."""
        return self._words.gettext(" o ").join(dict.fromkeys(self._value(schema).types))

    def _reach(self, schema: Schema, found: dict[str, None]) -> None:
        for name, inner in self._value(schema).objects:
            if name in found:
                continue
            if name:
                found[name] = None
            for each in inner.get("properties", {}).values():
                self._reach(each, found)

    def _value(self, schema: Schema) -> _Value:
        name, schema = self.resolve(schema)
        if "anyOf" in schema:
            parts = [self._value(one) for one in schema["anyOf"]]
            told = {
                model or str(index): (model, inner)
                for index, part in enumerate(parts)
                for model, inner in part.objects
            }
            return _Value(
                [type_ for part in parts for type_ in part.types],
                [code for part in parts for code in part.codes],
                [bound for part in parts for bound in part.bounds],
                list(told.values()),
            )
        if schema.get("type") == "array":
            inner = self._value(schema.get("items", {}))
            what = self._words.gettext(" o ").join(dict.fromkeys(inner.types))
            listed = self._words.gettext("lista (%(what)s)") % {"what": what}
            return _Value([listed], inner.codes, [*inner.bounds, *self._bounds(schema)], inner.objects)
        objects = [(name, schema)] if schema.get("properties") else []
        return _Value([self._type(schema)], self._codes(schema), self._bounds(schema), objects)

    def _codes(self, schema: Schema) -> list[Code]:
        if "const" in schema:
            return [Code(_written(schema["const"]), "")]
        named = {**_OF_ALL, **_LABELS.get(schema.get("title", ""), {})}
        language = self._words.language
        return [
            Code(_written(value), named[value].in_(language) if value in named else "")
            for value in schema.get("enum", ())
        ]

    def _type(self, schema: Schema) -> str:
        _ = self._words.gettext
        if "enum" in schema:
            return _("código")
        if "const" in schema:
            return _("siempre")
        formats = {
            "uuid": "UUID",
            "date": _("fecha"),
            "date-time": _("fecha y hora"),
            "binary": _("archivo"),
        }
        types = {
            "string": _("texto"),
            "integer": _("entero"),
            "number": _("número"),
            "boolean": _("booleano"),
            "object": _("objeto"),
            "null": "null",
        }
        return formats.get(schema.get("format", "")) or types.get(
            schema.get("type", ""), _("cualquier valor")
        )

    def _bounds(self, schema: Schema) -> list[str]:
        _, number = self._words.gettext, self._words.number
        bounds = []
        if "maxLength" in schema and "minLength" in schema:
            given = {"least": number(schema["minLength"]), "most": number(schema["maxLength"])}
            bounds.append(_("de %(least)s a %(most)s caracteres") % given)
        elif "maxLength" in schema:
            bounds.append(_("hasta %(most)s caracteres") % {"most": number(schema["maxLength"])})
        most = schema.get("maximum", MAX_INTEGER)
        if "minimum" in schema and most < MAX_INTEGER:
            given = {"least": number(schema["minimum"]), "most": number(most)}
            bounds.append(_("de %(least)s a %(most)s") % given)
        elif "minimum" in schema:
            bounds.append(_("desde %(least)s") % {"least": number(schema["minimum"])})
        if "maxItems" in schema:
            bounds.append(_("hasta %(most)s") % {"most": number(schema["maxItems"])})
        if schema.get("pattern", NO_CONTROLS) != NO_CONTROLS:  # which every short text has
            bounds.append(Markup("<code>{}</code>").format(schema["pattern"]))
        return bounds

    def _default(self, schema: Schema) -> list[str]:
        default = self.resolve(schema)[1].get("default")
        if default in (None, [], {}):
            return []
        return [self._words.gettext("si no se dice, %(value)s") % {"value": _written(default)}]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
