"""Says which version runs."""

from pathlib import Path

print(Path(__file__).with_name("VERSION").read_text().strip())
