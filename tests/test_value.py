"""Our NamedTuple is `typing.NamedTuple` in everything but the time that it takes to make one."""

import copy
import pickle
import typing
from collections.abc import Callable

import pytest

from applet import value


class Ours(value.NamedTuple):
    """Kept."""

    host: str
    port: int = 5060

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def local(cls) -> "Ours":
        return cls("127.0.0.1")


class Theirs(typing.NamedTuple):
    """Kept."""

    host: str
    port: int = 5060

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def local(cls) -> "Theirs":
        return cls("127.0.0.1")


class Empty(value.NamedTuple):
    """Nothing to say but what it is."""


@pytest.mark.parametrize(
    "ask",
    [
        lambda kind: kind("a", 1),
        lambda kind: kind("a"),
        lambda kind: kind(port=1, host="a"),
        lambda kind: (kind("a").host, kind("a").port),
        lambda kind: kind("a") == ("a", 5060),
        lambda kind: hash(kind("a")),
        lambda kind: str(kind.local()),
        lambda kind: repr(kind("a")).removeprefix(kind.__name__),
        lambda kind: kind("a")._replace(port=1),
        lambda kind: kind._make(["a", 1]),
        lambda kind: kind("a")._asdict(),
        lambda kind: copy.deepcopy(kind("a")),
        lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
        lambda kind: (kind.__annotations__, kind.__doc__, kind.__module__),
        lambda kind: type(kind),
    ],
)
def test_ours_answers_as_theirs_does(ask: Callable[[object], object]) -> None:
    assert ask(Ours) == ask(Theirs)


@pytest.mark.parametrize(
    "err",
    [
        lambda kind: kind(),
        lambda kind: kind("a", 1, 2),
        lambda kind: kind("a", name=2),
        lambda kind: kind._make(["a"]),
        lambda kind: setattr(kind("a"), "port", 1),
        lambda kind: setattr(kind("a"), "name", 1),
    ],
)
def test_a_mistake_is_told_in_the_same_words(err: Callable[[object], object]) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)) as theirs:
        err(Theirs)
    with pytest.raises(theirs.type) as ours:
        err(Ours)
    assert str(ours.value) == str(theirs.value).replace("Theirs", "Ours")


def test_a_field_that_is_not_there_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="unexpected field names: \\['name'\\]"):
        Ours("a")._replace(name=2)  # type: ignore[call-arg]


def test_fields_are_matched_by_place_and_by_name() -> None:
    match Ours("a", 1):
        case Ours(host, port=port):
            assert (host, port) == ("a", 1)
        case _:
            pytest.fail("not matched")


def test_a_value_comes_out_of_a_pickle_as_it_went_in() -> None:
    again = pickle.loads(pickle.dumps(Ours("a", 1)))
    assert isinstance(again, Ours)
    assert again == ("a", 1)


def test_a_default_before_a_field_without_one_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="follows one with a default"):
        exec("class Odd(NamedTuple):\n    x: int = 1\n    y: str", {"NamedTuple": value.NamedTuple})


def test_a_value_is_nothing_else_beside() -> None:
    with pytest.raises(TypeError, match="nothing else"):
        exec(
            "class Odd(NamedTuple, Mixin): pass", {"NamedTuple": value.NamedTuple, "Mixin": object}
        )


def test_a_value_may_have_no_fields() -> None:
    assert Empty() == ()
    assert repr(Empty()) == "Empty()"


def test_classes_of_the_same_size_keep_their_own_names() -> None:
    class Other(value.NamedTuple):
        codec: str
        clock_rate: int = 8000

    assert Other(codec="PCMU").clock_rate == 8000
    assert Ours(host="a").port == 5060
    with pytest.raises(TypeError, match="unexpected keyword argument 'host'"):
        Other(host="a")  # type: ignore[call-arg]
