"""Our Enum is `enum.Enum` in everything but the time that it takes."""

import copy
import enum
import pickle
from collections.abc import Callable

import pytest

from applet import enums
from applet.sip.hop import Transport


class Ours(enums.Enum):
    """Kept."""

    FRONT = "front"
    BACK = "back"
    """Said of a member."""

    @property
    def other(self) -> "Ours":
        return Ours.BACK if self is Ours.FRONT else Ours.FRONT

    @classmethod
    def first(cls) -> "Ours":
        return cls.FRONT


class Theirs(enum.Enum):
    """Kept."""

    FRONT = "front"
    BACK = "back"
    """Said of a member."""

    @property
    def other(self) -> "Theirs":
        return Theirs.BACK if self is Theirs.FRONT else Theirs.FRONT

    @classmethod
    def first(cls) -> "Theirs":
        return cls.FRONT


Kind = type[Ours] | type[Theirs]


@pytest.mark.parametrize(
    "ask",
    [
        lambda kind: [member.name for member in kind],
        lambda kind: [member.value for member in kind],
        lambda kind: (len(kind), bool(kind)),
        lambda kind: kind("back") is kind.BACK,
        lambda kind: kind["BACK"] is kind.BACK,
        lambda kind: (kind.BACK == kind.FRONT, kind.BACK == "back", kind.BACK != kind.BACK),
        lambda kind: (kind.BACK in kind, kind.first() is kind.FRONT),
        lambda kind: {kind.BACK: 1}[kind("back")],
        lambda kind: kind.FRONT.other.name,
        lambda kind: isinstance(kind.FRONT, kind),
        lambda kind: str(kind.FRONT).removeprefix(kind.__name__),
        lambda kind: f"{kind.FRONT}".removeprefix(kind.__name__),
        lambda kind: repr(kind.FRONT).removeprefix(f"<{kind.__name__}"),
        lambda kind: copy.copy(kind.FRONT) is kind.FRONT,
        lambda kind: copy.deepcopy([kind.FRONT])[0] is kind.FRONT,
        lambda kind: (kind.__doc__, kind.__module__),
    ],
)
def test_ours_answers_as_theirs_does(ask: Callable[[Kind], object]) -> None:
    assert ask(Ours) == ask(Theirs)


@pytest.mark.parametrize("value", ["side", "", None, 1])
def test_a_value_that_is_none_of_them_is_refused_in_the_same_words(value: object) -> None:
    said = []
    for kind in (Ours, Theirs):
        with pytest.raises(ValueError) as caught:
            kind(value)
        said.append(str(caught.value).replace(kind.__qualname__, ""))
    assert said[0] == said[1]


@pytest.mark.parametrize("name", ["SIDE", "other", "__doc__", "front"])
def test_a_name_that_is_none_of_theirs_is_a_key_error(name: str) -> None:
    for kind in (Ours, Theirs):
        with pytest.raises(KeyError, match=name):
            kind[name]


def test_a_member_is_itself_after_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Transport.TLS)) is Transport.TLS


def test_members_tell_apart_in_a_match() -> None:
    def side(member: Ours) -> int:
        match member:
            case Ours.FRONT:
                return 1
            case Ours.BACK:
                return 2

    assert [side(member) for member in Ours] == [1, 2]
