"""JavaScript: a module that reads as a person would write it, and the engine of the live web page."""

from __future__ import annotations
