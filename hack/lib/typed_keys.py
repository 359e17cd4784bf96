"""A plugin of mypy: ``status.get("stat")`` is an error where the TypedDict has no such field.

mypy reports a subscript with a wrong key, and a literal with one, but takes ``.get`` of a key
that is not declared for an object of any type: a TypedDict may have more keys than it says.
Ours say all that they have, so a key that is not declared is misspelt. Loaded by the settings
in pyproject.toml, so everybody who runs mypy runs it.
"""

from __future__ import annotations

from typing import Callable, Optional

from mypy.errorcodes import TYPEDDICT_ITEM
from mypy.nodes import StrExpr
from mypy.plugin import MethodContext, Plugin
from mypy.plugins.default import typed_dict_get_callback
from mypy.types import Type, TypedDictType


def get_of_a_declared_key(context: MethodContext) -> Type:
    """The type that mypy gives it, and an error for a key that is not declared."""
    holder = context.type
    if isinstance(holder, TypedDictType) and context.args and context.args[0]:
        key = context.args[0][0]
        if isinstance(key, StrExpr) and key.value not in holder.items:
            name = holder.fallback.type.name
            context.api.fail(
                f'TypedDict "{name}" has no key "{key.value}"',
                context.context,
                code=TYPEDDICT_ITEM,
            )
    return typed_dict_get_callback(context)


class TypedKeys(Plugin):
    """Sees every call of ``get`` that may be one of a TypedDict."""

    def get_method_hook(
        self, fullname: str
    ) -> Optional[Callable[[MethodContext], Type]]:
        """Ours in front of mypy's own for the one method."""
        return get_of_a_declared_key if fullname == "typing.Mapping.get" else None


def plugin(version: str) -> type[Plugin]:
    """What mypy asks a plugin for."""
    return TypedKeys
