"""requirements.txt is what requirements.in compiles to: nothing missing, nothing stale."""

import difflib
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
UV = pathlib.Path(sys.executable).with_name("uv")


def main() -> int:
    lock = ROOT / "requirements.txt"
    with tempfile.TemporaryDirectory() as folder:
        again = pathlib.Path(folder) / lock.name
        shutil.copy(lock, again)  # uv keeps the versions it finds here wherever they still satisfy requirements.in
        command = [UV, "pip", "compile", "requirements.in", "--universal", "--python-version", "3.11"]
        run = subprocess.run(
            [*command, "--no-header", "--quiet", "-o", again], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if run.returncode:
            print(run.stderr, file=sys.stderr)
            return 1
        # uv names its output file in no comment (--no-header), so the two texts may be compared whole.
        difference = list(
            difflib.unified_diff(lock.read_text().splitlines(), again.read_text().splitlines(), "lock", "compiled", "")
        )
    if difference:
        print("\n".join(difference))
        print("requirements.txt does not follow from requirements.in: run `make lock`", file=sys.stderr)
        return 1
    print(f"requirements.txt follows from requirements.in ({sum('==' in line for line in lock.open())} pins)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
