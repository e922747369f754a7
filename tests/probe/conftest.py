import pytest
from tests.probe import programs


@pytest.fixture(params=programs.NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Either implementation: whatever a test says holds for both."""
    return str(request.param)
