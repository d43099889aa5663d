"""The executable as a file: what is in it, how large it is, and that it can be made again."""

import json

import pytest

from tests.support.exe import Build

pytestmark = [pytest.mark.wine, pytest.mark.timeout(600)]


def test_the_bill_of_materials_lies_beside_it(acme: Build) -> None:
    bill = json.loads(acme.bill.read_text("utf-8"))
    assert bill["metadata"]["component"]["name"] == "Acme Helpline"
