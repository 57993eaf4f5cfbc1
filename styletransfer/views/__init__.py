"""The pages: pictures, pieces (sound, signals, volumes, clips), and what the network sees."""
