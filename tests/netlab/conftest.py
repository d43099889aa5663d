"""Houses for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.netlab.house import House
from tests.netlab.matrix import houses
from tests.netlab.namespaces import NoNamespacesError, must_be_possible


@pytest.fixture(scope="session")
def possible() -> None:
    """Where namespaces are impossible the tests say so. In CI a skipped test is a failure."""
    try:
        must_be_possible()
    except NoNamespacesError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def house(possible: None) -> Iterator[House]:
    with houses(1) as free:
        yield free.get()
