"""SVG 1.1 as text. What is written into it is escaped; colours and fonts come from the style sheet, by class."""

from collections.abc import Iterable

from markupsafe import Markup, escape


def element(name: str, *children: str, **attributes: str | int | float) -> Markup:
    """One element. A trailing underscore of an attribute is dropped, others become hyphens; text is escaped."""
    written = "".join(
        f' {attribute.rstrip("_").replace("_", "-")}="{escape(_shown(value))}"'
        for attribute, value in attributes.items()
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>") if inside else Markup(f"<{name}{written}/>")


def drawing(
    id_: str, title: str, description: str, width: int, height: int, shapes: Iterable[str], class_: str
) -> Markup:
    """A picture that reads out its title and description (WAI-ARIA: one image, its parts are not gone through)."""
    return element(
        "svg",
        element("title", title, id=f"{id_}-title"),
        element("desc", description, id=f"{id_}-desc"),
        *shapes,
        xmlns="http://www.w3.org/2000/svg",
        class_=class_,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{id_}-title {id_}-desc",
    )


def _shown(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
