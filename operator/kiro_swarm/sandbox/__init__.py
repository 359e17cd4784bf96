"""Between the container that holds a key and the one that runs foreign code.

``port`` is what the other packages see, ``fake`` has it in memory for tests. ``socket`` with
``session`` is the runner's side, ``entrypoint`` with ``link``, ``execution``, ``pipes`` and
``processes`` the container's. Between them: ``handshake`` (a line of JSON each way, with the
version), then ``frames``, in the order that ``conversation`` allows; both are pure.
"""

from __future__ import annotations
