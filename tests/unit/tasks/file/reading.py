"""Short ways to read a task file in a test."""

from __future__ import annotations

from textwrap import dedent

from kiro_swarm.tasks.file.model import SpecTask, TaskFile
from kiro_swarm.tasks.file.parser import parse


def read(text: str) -> TaskFile:
    return parse(dedent(text))


def clean(text: str) -> dict[str, SpecTask]:
    """The tasks of a file that must have no errors and no warnings."""
    file = read(text)
    assert [d for d in file.diagnostics if d.severity != "info"] == []
    return {task.id: task for task in file.tasks}


def edges(text: str) -> dict[str, list[str]]:
    """What each leaf waits for, in a file without errors."""
    file = read(text)
    assert file.errors == ()
    return {task.id: list(task.waits_for) for task in file.leaves}


def said(file: TaskFile, code: str) -> list[str]:
    return [str(d) for d in file.diagnostics if d.code == code]


KIRO = """\
# Implementation Plan: Bubble Room

## Overview

Some words about 1.1 and 2.

## Tasks

- [x] 1. Data
  - [x] 1.1 Models 🎉
    - Write `models.py`
      - with care
    - _Requirements: 1.1, 2.3_

  - [ ]* 1.2 Property tests
    - **Property 3: symmetric**
    - **Validates: Requirements 2.1, 2.2**

- [-] 2. Checkpoint - ensure all tests pass
  - Ask if questions arise.

- [ ] 3. Pages
  - [~] 3.1 Server page
  - [ ] 3.2 Client page

## Notes

- Tasks marked with `*` are optional
"""
