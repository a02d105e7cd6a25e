"""One folder a target: a printer, its names, a small config, templates. A backend is pure: a model in, files out."""

from __future__ import annotations
