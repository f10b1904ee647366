"""What all tests share: where DeepSpeed's extension lies, and how hypothesis draws.

DeepSpeed compiles a C++ extension in its first job: tests started by hand find the one that launch/test.sh keeps.
Hypothesis draws the same examples in every run, and gives no example a deadline: a busy machine is no defect.
"""

import os
import sys
from pathlib import Path

from hypothesis import settings

cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
os.environ.setdefault("TORCH_EXTENSIONS_DIR", str(Path(cache) / "selfplay" / "torch_extensions"))
os.environ["PATH"] += os.pathsep + str(Path(sys.executable).parent)  # ninja, where the system has none

settings.register_profile("selfplay", deadline=None, derandomize=True)
settings.load_profile("selfplay")
