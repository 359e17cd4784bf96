"""Start of the demo, in the project's environment; hack/demo makes that first."""

from __future__ import annotations

import sys

from hack.lib.demo.story import main

sys.exit(main(sys.argv[1:]))
