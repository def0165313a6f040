"""The map keeps what matters when it is made small: shapes, borders that both sides share, and every state."""

import json
import re
from collections import Counter
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.start import open_services
from api.web.charts.geography import PATH_CHARACTERS, WIDTH, Outlines, Point, kept_corners, outlines, project
from registry.catalogs.boundaries import read_states
from registry.catalogs.errors import CatalogRefused
from registry.catalogs.states import BY_CODE
from registry.errors import StartRefused
from registry.settings import Settings
from tests.boundaries import geojson, neighbours

NUMBERS = re.compile(r"-?\d+")
corners = st.tuples(st.integers(0, 500), st.integers(0, 500))


def invented() -> Outlines:
    return outlines(read_states(json.dumps(geojson()).encode()))


def rings(path: str) -> list[list[Point]]:
    """A path as its corners."""
    found = []
    for part in path.split("M")[1:]:
        x, y, *steps = (int(number) for number in NUMBERS.findall(part))
        ring = [(x, y)]
        for right, down in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + right, y + down
            ring.append((x, y))
        found.append([*ring, ring[0]])
    return found


def area(ring: list[Point]) -> float:
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in pairwise(ring))) / 2


def sides(path: str) -> Counter[frozenset[Point]]:
    return Counter(frozenset(side) for ring in rings(path) for side in pairwise(ring))


@given(st.floats(-118, -86), st.floats(14, 32.7))
def test_the_projection_keeps_angles_and_at_its_parallels_lengths(longitude: float, latitude: float) -> None:
    step = 1e-5
    (x, y), (east, _), (west, north) = (
        project(longitude, latitude),
        project(longitude + step, latitude),
        project(longitude, latitude + step),
    )
    along = hypot(east - x, project(longitude + step, latitude)[1] - y) / cos(radians(latitude))
    assert along == pytest.approx(hypot(west - x, north - y), rel=1e-4)
    for parallel in (17.5, 29.5):
        (x, y), (x2, y2) = project(longitude, parallel), project(longitude + step, parallel)
        assert hypot(x2 - x, y2 - y) == pytest.approx(radians(step) * cos(radians(parallel)), rel=1e-4)


@given(st.lists(corners, min_size=2, max_size=60), st.floats(0.5, 50))
def test_no_corner_that_is_left_out_lay_farther_from_the_line_than_the_tolerance(
    line: list[Point], tolerance: float
) -> None:
    kept = sorted(kept_corners(tuple(line), tolerance))
    assert (kept[0], kept[-1]) == (0, len(line) - 1)
    for first, last in pairwise(kept):
        (x1, y1), (x2, y2) = line[first], line[last]
        length = hypot(x2 - x1, y2 - y1)
        for x, y in line[first + 1 : last]:
            assert length
            assert abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length <= tolerance


def test_neighbours_share_their_border_and_every_state_is_there() -> None:
    drawn = invented()
    assert drawn.paths.keys() == BY_CODE.keys()
    for one, other in neighbours():
        assert sum((sides(drawn.paths[one]) & sides(drawn.paths[other])).values()) >= 5, (one, other)
    met = sum((sides(path) for path in drawn.paths.values()), Counter())
    assert set(met.values()) == {1, 2}
    for path in drawn.paths.values():
        for ring in rings(path):
            assert all(0 <= x <= WIDTH * 10 and 0 <= y <= drawn.height * 10 for x, y in ring)


def test_the_real_map_is_small_and_whole(shared_data: Path) -> None:
    drawn = outlines(read_states((shared_data / "geo" / "mx_states.topo.json").read_bytes()))
    assert drawn.paths.keys() == BY_CODE.keys()
    assert sum(map(len, drawn.paths.values())) <= PATH_CHARACTERS
    met = sum((sides(path) for path in drawn.paths.values()), Counter())
    # Most sides are borders between states, each drawn the same from both.
    assert sum(number == 2 for number in met.values()) > len(met) / 2


def test_a_map_whose_neighbours_have_corners_of_their_own_becomes_as_small() -> None:
    chance = Random(1)
    document = geojson()
    for feature in document["features"]:
        (ring,) = feature["geometry"]["coordinates"]
        moved = [
            (x + (x2 - x) * step / 20 + chance.uniform(-0.01, 0.01), y + (y2 - y) * step / 20)
            for (x, y), (x2, y2) in pairwise(ring)
            for step in range(20)
        ]
        feature["geometry"]["coordinates"] = [[*moved, moved[0]]]
    drawn, shared = outlines(read_states(json.dumps(document).encode())), invented()
    assert sum(map(len, drawn.paths.values())) <= PATH_CHARACTERS
    for code, path in drawn.paths.items():
        (ring,), (other,) = rings(path), rings(shared.paths[code])
        assert area(ring) == pytest.approx(area(other), rel=0.02)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found["features"].pop(), "Missing: 32"),
        (lambda found: found["features"][0].update(id="00"), "Missing: 01. Too many: 00"),
        (lambda found: found["features"][0]["geometry"].update(coordinates=[]), "Missing: 01"),
        (
            lambda found: found["features"][4]["geometry"]["coordinates"][0].append([2_500_000, 800_000]),
            "degrees",
        ),
        (lambda found: found["features"][7]["geometry"]["coordinates"][0].clear(), "Missing: 08"),
        (lambda found: found["features"][7]["geometry"]["coordinates"][0].append(["x", 1]), "cannot be read"),
        (lambda found: found.clear(), "cannot be read"),
        (
            lambda found: (found["features"][0].pop("id"), found["features"][0].update(properties={})),
            "cannot be read",
        ),
        (lambda found: found.update(type="Topology", arcs=[], objects=[]), "cannot be read"),
        (
            lambda found: found["features"][7]["geometry"]["coordinates"][0].append([10**400, 1]),
            "cannot be read",
        ),
    ],
    ids=[
        "one-too-few",
        "another",
        "without-area",
        "in-metres",
        "without-corners",
        "in-words",
        "nothing",
        "without-a-name",
        "without-layers",
        "beyond-numbers",
    ],
)
async def test_what_is_no_map_of_the_states_is_refused_at_the_start(
    change: object, says: str, tmp_path: Path
) -> None:
    document = geojson()
    change(document)  # type: ignore[operator]
    path = tmp_path / "states.json"
    path.write_text(json.dumps(document))
    with pytest.raises(CatalogRefused, match=says):
        read_states(path.read_bytes())
    with pytest.raises(StartRefused, match=f"CONSTANCIA_STATE_BOUNDARIES.*{says}"):
        async with open_services(Settings(state_boundaries=path, data=tmp_path / "data")):
            pass
    assert not (tmp_path / "data").exists()


async def test_a_file_that_is_not_there_is_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match=r"(?s)no-such\.json.*Correct the path"):
        async with open_services(
            Settings(state_boundaries=tmp_path / "no-such.json", data=tmp_path / "data")
        ):
            pass
