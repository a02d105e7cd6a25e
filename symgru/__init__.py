"""symgru: what exactly does this GRU compute?"""

from __future__ import annotations

__version__ = "0.1.0"
