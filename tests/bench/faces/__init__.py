"""Parts of the faces bench."""
