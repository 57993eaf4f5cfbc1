"""Sounds, signals, volumes and clips: how they are read, kept, shown and given away. No torch.

A folder for each medium: `files.py` reads and writes its formats, `exhibit.py` makes what a page
plays or turns, `starters.py` draws examples to begin with. `registry.py` finds them by name.
"""
