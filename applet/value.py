"""`NamedTuple`, made quickly: every message, event, order and packet here is one.

`typing.NamedTuple` compiles a function for each class and works out its slots twice, which for the
two hundred classes of a start was a quarter of the whole start. Here classes share their getters,
and those with as many fields the code of their constructor. To type checkers it is
`typing.NamedTuple`, and to everybody else it behaves like one.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from _collections import _tuplegetter  # what `collections.namedtuple` makes of a field
    from types import FunctionType

    _MOST = 10
    _getters = [_tuplegetter(index, None) for index in range(_MOST)]
    _globals = globals()
    _new = tuple.__new__
    _constructors = [
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
    ]

    def _parts(size):
        """Constructor and getters for `size` fields."""
        if size <= _MOST:
            return _constructors[size], _getters[:size]
        names = ", ".join(f"field{number}" for number in range(size))
        constructor = eval(f"lambda _cls, {names}: _new(_cls, ({names}))", _globals)
        return constructor, [_tuplegetter(index, None) for index in range(size)]

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
            model, getters = _parts(len(fields))
            code = model.__code__.replace(co_varnames=("_cls", *fields))
            new = FunctionType(code, _globals, "__new__", (*defaults.values(),))
            new.__qualname__ = f"{space['__qualname__']}.__new__"
            space.update(zip(fields, getters))  # noqa: B905  (as many of both)
            space["__slots__"] = ()
            space["__new__"] = new
            space["__match_args__"] = space["_fields"] = fields
            space["_field_defaults"] = defaults
            return type(name, (_Value,), space)

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
