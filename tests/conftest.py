"""What every test needs before the first framework loads."""

import os
import sys

# Two threads everywhere, so that a result does not depend on the machine that computed it.
for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from hypothesis import HealthCheck, settings  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

# From here on the shapes in the annotations are checked at every call. Our own checks run first: the hook puts its
# decorator below `validated`, so bad input still meets a ValueError (test_bad_input.py would notice otherwise).
# Where an annotation says float, an int will do, as PEP 484 has it. The Keras dialect stays out: Keras reads the
# signature of a layer's __init__, which the hook hides, and its tensors are symbols half of the time.
TYPED = [f"attnlstm_ref.{name}" for name in ("_checks", "numpy", "torch", "data", "text", "stats", "plots")]
install_import_hook(TYPED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

settings.register_profile(
    "book", derandomize=True, deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", parent=settings.get_profile("book"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))


def pytest_runtest_setup() -> None:
    """Every test starts from the same chance, whichever ran before it: layers draw their weights from it."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
