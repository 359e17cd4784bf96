# Sourced by the shell tools of hack/: goes to the checkout's root and finds its Python.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The tools of hack/ that are Python but carry no suffix, one a line.
python_tools() {
  grep -lE '^#!/usr/bin/env python3' hack/* 2>/dev/null || true
}

# Inside of verify-all the environment is made once, for all steps.
PYTHON="${KIRO_SWARM_PYTHON:-$(hack/lib/env.py)}"
export KIRO_SWARM_PYTHON="$PYTHON"
