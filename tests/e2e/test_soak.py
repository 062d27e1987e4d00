# SPDX-License-Identifier: GPL-2.0-only
"""The short form of `make soak`: see soak.py."""
import pytest

import soak

SECONDS = 120
WARM_SECONDS = 65  # what ended programs leave is forgotten after a minute
# The table of stacks has not been full by then; and threads that close links come
# and go, which so few samples do not average out.
TOLERANCES = {**soak.TOLERANCES, "resident": (0, 100 << 20),
              "threads": (0, 8)}


@pytest.mark.timeout(SECONDS + 120)
def test_a_service_over_what_comes_and_goes_all_the_time():
    """Nothing grows, every account is exact, nothing is lost unannounced."""
    samples, started = soak.soak(SECONDS, WARM_SECONDS, tolerances=TOLERANCES)
    assert len(samples) >= 3, samples
    assert started > 60, started
