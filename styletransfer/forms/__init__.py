"""What the pages are sent."""
