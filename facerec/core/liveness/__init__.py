"""Is a living person before the camera, or a picture of one? A challenge of movements, judged.

types       what goes in and comes out: frames, progress, verdict
challenge   a random sequence of movements
judge       the state of one session; the other modules are its senses
"""
