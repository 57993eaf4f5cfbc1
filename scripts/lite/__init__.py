"""The parts of `scripts/train_lite.py`: how the embedded extractor is made."""
