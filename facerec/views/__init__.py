"""The pages of faces, a module a page."""
