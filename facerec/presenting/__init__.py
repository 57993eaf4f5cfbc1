"""What the pages of faces show, made ready for their templates."""
