"""An installation at work: one example, or several, of whatever a row can be in the middle of.

Everything is written by the product's own services, as requests, staff, the ticker and the workers call them. Where a
state is what a killed process leaves behind, the process's steps are called and the last ones left out.
"""

from tests.upgrades.scene.everything import scene_make

__all__ = ["scene_make"]
