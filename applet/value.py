"""`NamedTuple`, made quickly: every message, event, order and packet here is one.

`typing.NamedTuple` compiles a function for each class and works out its slots twice, which for the
two hundred classes of a start was a quarter of the whole start. Here classes with as many fields
share one compiled constructor and one set of getters: those of a namedtuple of that size. To type
checkers it is `typing.NamedTuple`, and to everybody else it behaves like one.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple
    from functools import cache
    from types import FunctionType

    @cache
    def _parts(size):
        """Constructor and getters of a namedtuple with `size` fields."""
        names = [f"field{number}" for number in range(size)]
        model = namedtuple("Model", names)
        return model.__new__, [vars(model)[name] for name in names]

    class _Value(tuple):
        __slots__ = ()

        @classmethod
        def _make(cls, values):
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changes):
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"Got unexpected field names: {list(changes)!r}")
            return made

        __replace__ = _replace  # for `copy.replace` of Python 3.13

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self):
            return tuple(self)

    class _Maker(type):
        """The class statement gets a plain class: one with a metaclass is slower to match."""

        def __new__(mcs, name, bases, space):
            if len(bases) != 1:
                raise TypeError(f"{name} can be a NamedTuple and nothing else")
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space[field] for field in fields if field in space}
            if fields[len(fields) - len(defaults) :] != tuple(defaults):
                raise TypeError(f"a field of {name} without a default follows one with a default")
            constructor, getters = _parts(len(fields))
            code = constructor.__code__.replace(
                co_varnames=("_cls", *fields),
                co_name="__new__",
                co_qualname=f"{space['__qualname__']}.__new__",
            )
            new = FunctionType(code, constructor.__globals__, argdefs=(*defaults.values(),))
            space.update(zip(fields, getters, strict=True))
            space.update(__slots__=(), __new__=new, __match_args__=fields)
            space.update(_fields=fields, _field_defaults=defaults)
            return type(name, (_Value,), space)

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
