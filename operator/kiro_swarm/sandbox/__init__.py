"""Between the container that holds a key and the one that runs foreign code.

``port`` is what the other rooms see; ``socket`` is its client, ``entrypoint`` with
``execution`` and ``processes`` the other side, ``frames`` the language between them.
"""

from __future__ import annotations
