"""What the pages show: choices, meanings, facts. Words live here and in the templates."""
