"""The base of all values of a call: frozen, compared and hashed by content, cheap to make, change and write as JSON."""

import msgspec

replace = msgspec.structs.replace  # a value with some of its fields changed


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A frozen value. In JSON, fields that have their default are left out."""
