"""Is a living person before the camera, or a picture of one? A challenge of movements, judged.

types       what goes in and comes out: frames, progress, verdict
challenge   a random sequence of movements
judge       one session from its first frame to the verdict
phases      the state machine: find, hold, move, return
limits      every number that it decides by
"""
