"""Python's garbage collector in a program that runs for long and makes many objects that live shortly.

Nearly all of them go when nothing refers to them any more; the collector is there for the few that refer to one another
in a circle, an error and its traceback say. What it looks through in vain is lost time.
"""

import gc
from typing import Final

YOUNG_OBJECTS: Final = 10_000
"""How many containers must have been made and not have gone before the collector looks through them; Python says 700.

A hundred commands under way, or one answer from the database, are more than 700, all of them in use. Measured in this
process's time on a busy machine, two pairs of runs in turns: a report took 298 µs instead of 352 with 64 submitters,
277 instead of 341 with 256; replaying a stream of 100, 389 instead of 412. With 50,000 it was 324, 305 and 367:
circles, and what hangs on them, would stay five times as long for no certain gain.
"""


def forget_what_is_loaded() -> None:
    """What the program has loaded by now lasts as long as the process: the collector never looks at it again, which
    would take milliseconds in the midst of an answer, and at what is made from now on less often.

    To be called once, when everything has started.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
