"""Data sets: one module each, plain arrays out."""
