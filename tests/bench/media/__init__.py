"""Each medium by its held-out statistics, and the engine by its tiles; see bench_media."""
