"""The parts of `bench_liveness`: what is presented, how it is run, and how it is counted."""
