"""`Enum`, made quickly: the states, inputs and actions of every table are some.

`enum.Enum` takes 0.1 ms for a class, and calls Python code whenever a table is asked about one of
its members. To type checkers this one is `enum.Enum`, and to everybody else it behaves like one
whose members all have values of their own.
"""

from __future__ import annotations

from applet.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from enum import Enum as Enum
else:

    class _EnumType(type):
        def __new__(mcs, name, bases, space):
            values = {
                key: value
                for key, value in space.items()
                if not (key.startswith("_") or hasattr(value, "__get__"))
            }
            for key in values:
                del space[key]
            space.setdefault("__slots__", ())
            made = type.__new__(mcs, name, bases, space)
            made._by_value = {}
            for key, value in values.items():
                member = object.__new__(made)
                member.name = key
                member.value = value
                made._by_value[value] = member
                setattr(made, key, member)
            return made

        def __call__(cls, value):
            try:
                return cls._by_value[value]
            except KeyError:
                raise ValueError(f"{value!r} is not a valid {cls.__qualname__}") from None

        def __getitem__(cls, name):
            member = cls.__dict__[name]
            if type(member) is not cls:
                raise KeyError(name)
            return member

        def __iter__(cls):
            return iter(cls._by_value.values())

        def __len__(cls):
            return len(cls._by_value)

        def __contains__(cls, member):
            return isinstance(member, cls)

        def __bool__(cls):
            return True

    class Enum(metaclass=_EnumType):
        __slots__ = ("name", "value")

        def __repr__(self):
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __str__(self):
            return f"{type(self).__name__}.{self.name}"

        def __reduce__(self):
            return type(self), (self.value,)

        def __copy__(self):
            return self

        def __deepcopy__(self, memo):
            return self
