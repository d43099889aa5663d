"""Our own faults; those of the peer are `grammar.MessageError`, and never rise past the endpoint."""


class LocalProtocolError(Exception):
    """A verb was used in a state in which it makes no sense: a bug in the caller."""
