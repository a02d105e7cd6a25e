"""Running what was emitted, and the real framework, on the same input."""

from __future__ import annotations
