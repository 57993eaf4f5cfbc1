"""What the network sees: receptive fields, the patches that excite a unit, pictures made to excite
it, heat maps, and which channels fire together."""
