"""nbgrader's own commands and the formgrader, run in this folder, grade as `make grade` does."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from assignments.gradebook import configure  # noqa: E402

c = get_config()
c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "attention-lstm"
configure(c)
