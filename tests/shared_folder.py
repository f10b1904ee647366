"""One rank of a job of which the second lives in another working folder.

python -m torch.distributed.run --nproc_per_node 2 -m tests.shared_folder FOLDER
"""

import json
import os
import sys
from pathlib import Path

from selfplay.configuration import RecipeError
from selfplay.learner.ranks import end_processes, gather_objects, start_processes
from selfplay.shared_folder import require_shared


def told(folder: Path) -> str:
    try:
        require_shared(folder, patience=0.5)
    except RecipeError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    start_processes()
    root, rank = Path(sys.argv[1]), os.environ["RANK"]
    home = root / f"home-{rank}"
    (home / "runs" / "mine").mkdir(parents=True)  # both have a folder of that name
    os.chdir(home)
    found = [gather_objects(told(folder)) for folder in (root / "home-0" / "runs" / "mine", Path("runs") / "mine")]
    if rank == "0":
        (root / "found.json").write_text(json.dumps(found))
    end_processes()
