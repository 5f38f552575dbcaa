"""Frames of each library in turn."""

import pytest
from stocktests import FRAMES, Frame


@pytest.fixture(params=FRAMES)
def frame(request: pytest.FixtureRequest) -> Frame:
    """Makes a frame of columns."""
    return FRAMES[request.param]
