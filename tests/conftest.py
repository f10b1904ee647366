"""DeepSpeed compiles a C++ extension in its first job: tests started by hand find the one that launch/test.sh keeps."""

import os
import sys
from pathlib import Path

cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
os.environ.setdefault("TORCH_EXTENSIONS_DIR", str(Path(cache) / "selfplay" / "torch_extensions"))
os.environ["PATH"] += os.pathsep + str(Path(sys.executable).parent)  # ninja, where the system has none
