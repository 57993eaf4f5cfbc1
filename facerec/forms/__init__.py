"""What the pages of faces ask, and how it is judged."""
