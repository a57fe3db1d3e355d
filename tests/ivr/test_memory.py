"""A machine without memory for the encoder: the process lives, with pinned articles only (R16)."""

import subprocess
import sys
from pathlib import Path

SHORT = """
import resource
from pathlib import Path
from config.settings import load
from ivr.wiring import build
import numpy, onnxruntime, tokenizers
wiring = build(load({"DATA_DIR": DATA}, dotenv=None))
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + (12 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
wiring._load_encoder()
print("encoder:", wiring.encoder)
"""


def test_a_process_that_finds_no_memory_for_the_encoder_goes_on_without(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"DATA = {str(tmp_path)!r}\n{SHORT}"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[-14:]) == (0, "encoder: None\n"), done.stderr
    assert "encoder_not_loaded" in done.stdout + done.stderr
